//! What is on the wire, as Dart's `MultiChannel` writes and reads it.

use std::task::Poll;

use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{Closed, Frame, MultiChannel, duplex};

use super::{Multi, Wire};
use crate::support::{now, run};

fn one_end() -> (Multi, Wire) {
    let (near, far) = duplex(64);
    (MultiChannel::new(near), far)
}

fn message(id: u64, message: u32) -> Poll<Option<Result<Frame<u32>, Closed>>> {
    Poll::Ready(Some(Ok(Frame::Message { id, message })))
}

fn close(id: u64) -> Poll<Option<Result<Frame<u32>, Closed>>> {
    Poll::Ready(Some(Ok(Frame::Close { id })))
}

#[test]
fn a_channel_sends_under_the_odd_id_that_it_was_opened_with_and_receives_under_the_next() {
    let (near, mut wire) = one_end();
    let (mut first, mut second) = (near.open(), near.open());
    assert_eq!((first.id(), second.id()), (1, 3));
    run(async {
        second.send(7).await.unwrap();
        first.send(8).await.unwrap();
        wire.send(Frame::Message { id: 2, message: 9 }).await.unwrap();
    });
    assert_eq!(now(&mut wire), message(3, 7));
    assert_eq!(now(&mut wire), message(1, 8));
    assert!(now(&mut second).is_pending());
    assert_eq!(now(&mut first), Poll::Ready(Some(Ok(9))));
}

#[test]
fn a_channel_that_the_peer_opened_receives_under_its_id_and_sends_under_the_next() {
    let (near, mut wire) = one_end();
    let mut channel = near.attach(5).unwrap();
    run(async {
        wire.send(Frame::Message { id: 5, message: 1 }).await.unwrap();
        assert_eq!(channel.next().await, Some(Ok(1)));
        channel.send(2).await.unwrap();
    });
    assert_eq!(now(&mut wire), message(6, 2));
}

#[test]
fn the_peers_end_is_answered_once_and_so_is_ours() {
    let (near, mut wire) = one_end();
    let mut channel = near.open();
    run(wire.send(Frame::Close { id: 2 })).unwrap();
    assert_eq!(now(&mut channel), Poll::Ready(None));
    assert_eq!(now(&mut wire), close(1), "as Dart's, which waits for it to forget the channel");
    run(channel.close()).unwrap();
    drop(channel);
    assert!(now(&mut wire).is_pending());

    let mut channel = near.open();
    run(channel.close()).unwrap();
    assert_eq!(now(&mut wire), close(3));
    run(wire.send(Frame::Close { id: 4 })).unwrap();
    assert_eq!(now(&mut channel), Poll::Ready(None));
    drop(channel);
    assert!(now(&mut wire).is_pending());
}

#[test]
fn what_comes_for_a_channel_that_is_over_or_never_was_is_dropped() {
    let (mut near, mut wire) = one_end();
    let (closed, dropped) = (near.open(), near.attach(1).unwrap());
    let mut closed = closed;
    run(closed.close()).unwrap();
    drop(dropped);
    for id in [2, 1, 100, u64::MAX] {
        run(wire.send(Frame::Message { id, message: 1 })).unwrap();
        run(wire.send(Frame::Close { id })).unwrap();
    }
    run(wire.send(Frame::Message { id: 0, message: 2 })).unwrap();
    assert_eq!(now(&mut near), Poll::Ready(Some(Ok(2))));
    assert_eq!(now(&mut closed), Poll::Ready(None));
    assert_eq!(now(&mut wire), close(1));
    assert_eq!(now(&mut wire), close(2));
    assert!(now(&mut wire).is_pending());
}

#[test]
fn when_the_peer_ends_the_last_channel_the_one_below_is_closed() {
    let (mut near, mut wire) = one_end();
    run(wire.send(Frame::Close { id: 0 })).unwrap();
    assert_eq!(now(&mut near), Poll::Ready(None));
    assert_eq!(now(&mut wire), close(0));
    assert_eq!(now(&mut wire), Poll::Ready(None));
}
