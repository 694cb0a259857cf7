//! `duplex`.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::task::Poll;

use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{Closed, Duplex, duplex};

use crate::support::{Flag, Tasks, now, poll, run};

#[test]
fn what_is_sent_comes_out_at_the_other_end_in_both_directions() {
    let (mut near, mut far) = duplex(1);
    let mut tasks = Tasks::default();
    tasks.spawn(async move {
        for n in 0..10 {
            near.send(n).await.unwrap();
        }
        near.close().await.unwrap();
    });
    tasks.spawn(async move {
        for n in 0..10 {
            assert_eq!(far.next().await, Some(Ok(n)));
        }
        assert_eq!(far.next().await, None);
    });
    tasks.run();

    let (mut near, mut far) = duplex(1);
    run(async {
        far.send("back").await.unwrap();
        assert_eq!(near.next().await, Some(Ok("back")));
    });
}

#[test]
fn what_is_sent_is_at_the_other_end_within_the_call() {
    let (mut near, mut far) = Duplex::<u8, io::Error>::pair(4);
    let (mut one, mut other) = (&mut near, &mut far);
    for _ in 0..2 {
        one.start_send_unpin(1).unwrap();
        assert!(matches!(now(other), Poll::Ready(Some(Ok(1)))));
        one.send_error(io::Error::other("oh")).unwrap();
        assert!(matches!(now(other), Poll::Ready(Some(Err(_)))));
        assert!(now(other).is_pending(), "the channel goes on");
        (one, other) = (other, one);
    }
    assert!(poll(&Flag::new(), |cx| one.poll_close_unpin(cx)).is_ready());
    assert!(matches!(now(other), Poll::Ready(None)));
}

#[test]
fn a_full_direction_makes_its_sender_wait_and_not_the_other() {
    let (mut near, mut far) = duplex(2);
    let writer = Flag::new();
    run(near.send(1)).unwrap();
    run(near.send(2)).unwrap();
    assert!(poll(&writer, |cx| near.poll_ready_unpin(cx)).is_pending());
    run(far.send(3)).unwrap();
    assert_eq!(now(&mut near), Poll::Ready(Some(Ok(3))));
    assert!(!writer.take());
    assert_eq!(now(&mut far), Poll::Ready(Some(Ok(1))));
    assert!(writer.take(), "there is room now");
    assert!(poll(&writer, |cx| near.poll_ready_unpin(cx)).is_ready());
}

#[test]
fn a_capacity_of_none_is_one() {
    let (mut near, _far) = duplex(0);
    run(near.send(1)).unwrap();
    assert!(poll(&Flag::new(), |cx| near.poll_ready_unpin(cx)).is_pending());
}

#[test]
fn an_error_comes_after_what_was_sent_and_needs_no_room() {
    let (mut near, mut far) = Duplex::<u8, io::Error>::pair(1);
    run(near.send(1)).unwrap();
    near.send_error(io::Error::other("late")).unwrap();
    run(async {
        assert_eq!(far.next().await.unwrap().unwrap(), 1);
        assert_eq!(far.next().await.unwrap().unwrap_err().to_string(), "late");
    });
}

#[test]
fn an_item_wakes_the_reader_and_an_end_both() {
    let (mut near, mut far) = duplex(1);
    let (reader, writer) = (Flag::new(), Flag::new());
    assert!(poll(&reader, |cx| far.poll_next_unpin(cx)).is_pending());
    run(near.send(1)).unwrap();
    assert!(reader.take());
    assert!(poll(&reader, |cx| far.poll_next_unpin(cx)).is_ready());

    run(far.send(2)).unwrap();
    assert!(poll(&reader, |cx| far.poll_next_unpin(cx)).is_pending());
    assert!(poll(&writer, |cx| far.poll_ready_unpin(cx)).is_pending());
    drop(near);
    assert!(reader.take() && writer.take());
    assert_eq!(now(&mut far), Poll::Ready(None));
    assert_eq!(run(far.send(3)), Err(Closed::Ended));
}

#[test]
fn what_was_sent_before_an_end_was_closed_is_received() {
    let (mut near, mut far) = duplex(4);
    run(async {
        near.send(1).await.unwrap();
        far.send(2).await.unwrap();
        near.close().await.unwrap();
        assert_eq!(near.next().await, None, "its own stream ended at once");
        assert_eq!(near.send(3).await, Err(Closed::Ended));
        assert_eq!(far.send(4).await, Err(Closed::Ended));
        assert_eq!(far.next().await, Some(Ok(1)));
        assert_eq!(far.next().await, None);
        far.close().await.unwrap();
        near.close().await.unwrap();
    });
}

#[test]
fn closing_wakes_a_reader_of_the_same_end() {
    let (near, _far) = duplex::<u8>(4);
    let (mut sink, mut stream) = near.split();
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert_eq!(stream.next().await, None) });
    assert_eq!(tasks.turn(), 1);
    tasks.spawn(async move { sink.close().await.unwrap() });
    tasks.run();
}

/// Uses the end that sent it when it is dropped.
struct Meddler(Rc<RefCell<Option<Duplex<Self>>>>);

impl Drop for Meddler {
    fn drop(&mut self) {
        if let Some(mut near) = self.0.take() {
            assert!(poll(&Flag::new(), |cx| near.poll_ready_unpin(cx)).is_ready());
        }
    }
}

#[test]
fn an_item_may_use_the_channel_when_it_is_dropped_unread() {
    let (mut near, far) = duplex(4);
    let keeper = Rc::default();
    assert!(run(near.send(Meddler(Rc::clone(&keeper)))).is_ok());
    keeper.replace(Some(near));
    drop(far);
    assert!(keeper.take().is_none(), "the item was dropped");
}
