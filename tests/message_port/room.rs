//! Who waits for whom.

use std::task::Poll;

use futures::{FutureExt, SinkExt, StreamExt};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_channel::stream_channel::Closed;
use ws_channel::{PortChannel, PortError};

use super::{now, number, pair, ports, turn};

#[wasm_bindgen_test]
async fn a_sender_waits_for_the_other_end_to_be_there() {
    let (near, far) = ports();
    let mut near = PortChannel::new(near, 4);
    let mut sending = near.feed(1.into());
    assert_eq!(now(&mut sending), Poll::Pending);
    turn(20).await;
    assert_eq!(now(&mut sending), Poll::Pending);
    let mut far = PortChannel::new(far, 4);
    sending.await.unwrap();
    assert_eq!(number(&mut far).await, 1);
}

#[wasm_bindgen_test]
async fn a_sender_waits_while_the_other_end_is_full() {
    for (capacity, room) in (1..=5).zip(1..) {
        let (mut near, mut far) = pair(room);
        near.send(0.into()).await.unwrap();
        for n in 1..capacity {
            assert_eq!(now(near.feed(n.into())), Poll::Ready(Ok(())), "{capacity}");
        }
        turn(20).await;
        let mut sending = near.feed(capacity.into());
        assert_eq!(now(&mut sending), Poll::Pending, "{capacity}");
        for n in 0..capacity {
            assert_eq!(number(&mut far).await, n);
        }
        // The reader has made room, and that wakes it.
        sending.await.unwrap();
        assert_eq!(number(&mut far).await, capacity);
    }
}

#[wasm_bindgen_test]
async fn what_goes_through_is_many_times_the_capacity() {
    for capacity in [1, 2, 3, 64] {
        let (mut near, mut far) = pair(capacity);
        let send = async {
            for n in 0..500 {
                near.send(n.into()).await.unwrap();
            }
            near.close().await.unwrap();
        };
        let receive = async {
            for n in 0..500 {
                assert_eq!(number(&mut far).await, n);
            }
            assert!(far.next().await.is_none());
        };
        futures::join!(send, receive);
    }
}

#[wasm_bindgen_test]
async fn a_waiting_sender_learns_of_the_end() {
    let (mut near, mut far) = pair(1);
    near.send(1.into()).await.unwrap();
    let (sent, ()) = futures::join!(near.send(2.into()), async {
        turn(20).await;
        far.close().await.unwrap();
    });
    assert_eq!(sent, Err(PortError::Closed(Closed::Ended)));
}

#[wasm_bindgen_test]
async fn a_send_without_waiting_for_room_is_an_error_and_nothing_goes() {
    let (mut near, mut far) = pair(1);
    assert_eq!(near.start_send_unpin(1.into()), Err(PortError::NoRoom));
    near.send(2.into()).await.unwrap();
    assert_eq!(near.start_send_unpin(3.into()), Err(PortError::NoRoom));
    assert_eq!(number(&mut far).await, 2);
    near.send(4.into()).await.unwrap();
    assert_eq!(number(&mut far).await, 4);
}

#[wasm_bindgen_test]
async fn a_send_and_a_next_that_are_dropped_lose_nothing() {
    let (mut near, mut far) = pair(1);
    assert!(far.next().now_or_never().is_none());
    near.send(1.into()).await.unwrap();
    assert!(near.send(2.into()).now_or_never().is_none());
    assert_eq!(number(&mut far).await, 1);
    near.send(JsValue::from(3)).await.unwrap();
    assert_eq!(number(&mut far).await, 3);
}
