//! `Completer` and `Deferred`.

use std::cell::Cell;
use std::future::{pending, ready};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;

use futures::{Sink, SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{Closed, Completer, Completion, Deferred, Duplex, duplex};

use crate::support::{Far, Flag, Tasks, UNLUCKY, bare, is_closed, now, poll, run};

type Channel = Deferred<Completion<Duplex<u8, io::Error>, io::Error>, Duplex<u8, io::Error>, u8>;

fn completer() -> (Completer<Duplex<u8, io::Error>, io::Error>, Channel) {
    Completer::new(2)
}

#[test]
fn set_before_it_is_used_it_receives() {
    let (completer, mut channel) = completer();
    let (near, mut far) = Duplex::pair(4);
    run(far.send(1)).unwrap();
    completer.complete(near);
    run(async {
        assert_eq!(channel.next().await.unwrap().unwrap(), 1);
        far.close().await.unwrap();
        assert!(channel.next().await.is_none());
        assert!(is_closed(&channel.send(2).await));
    });
}

#[test]
fn set_before_it_is_used_it_sends() {
    let (completer, mut channel) = completer();
    let (near, mut far) = Duplex::pair(4);
    completer.complete(near);
    run(async {
        channel.send(1).await.unwrap();
        channel.close().await.unwrap();
        assert!(channel.next().await.is_none());
        assert_eq!(far.next().await.unwrap().unwrap(), 1);
        assert!(far.next().await.is_none());
    });
}

#[test]
fn failed_before_it_is_used_it_tells_the_reader() {
    let (completer, mut channel) = completer();
    completer.fail(io::Error::other("oh no"));
    run(async {
        assert_eq!(channel.next().await.unwrap().unwrap_err().to_string(), "oh no");
        assert!(channel.next().await.is_none());
        assert!(is_closed(&channel.send(1).await), "told once");
        channel.close().await.unwrap();
    });
}

#[test]
fn failed_before_it_is_used_a_send_is_an_error() {
    let (completer, mut channel) = completer();
    completer.fail(io::Error::other("oh no"));
    run(async {
        assert_eq!(channel.send(1).await.unwrap_err().to_string(), "oh no");
        assert!(is_closed(&channel.send(1).await));
        assert!(channel.next().await.is_none(), "told once");
    });
}

#[test]
fn set_while_it_is_read_it_receives() {
    let (completer, mut channel) = completer();
    let (near, mut far) = Duplex::pair(4);
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert_eq!(channel.next().await.unwrap().unwrap(), 1) });
    assert_eq!(tasks.turn(), 1);
    completer.complete(near);
    assert_eq!(tasks.turn(), 1);
    run(far.send(1)).unwrap();
    tasks.run();
}

#[test]
fn what_was_fed_before_it_is_set_goes_out_first() {
    let (completer, mut channel) = completer();
    let (near, mut far) = Duplex::pair(1);
    let mut tasks = Tasks::default();
    tasks.spawn(async move {
        for n in 0..4 {
            channel.feed(n).await.unwrap();
        }
        channel.close().await.unwrap();
    });
    assert_eq!(tasks.turn(), 1, "two are kept, and the third waits");
    completer.complete(near);
    tasks.spawn(async move {
        for n in 0..4 {
            assert_eq!(far.next().await.unwrap().unwrap(), n);
        }
        assert!(far.next().await.is_none());
    });
    tasks.run();
}

#[test]
fn failed_while_it_is_read_it_tells_the_reader() {
    let (completer, mut channel) = completer();
    let mut tasks = Tasks::default();
    tasks.spawn(async move {
        assert_eq!(channel.next().await.unwrap().unwrap_err().to_string(), "oh no");
        assert!(channel.next().await.is_none());
    });
    assert_eq!(tasks.turn(), 1);
    completer.fail(io::Error::other("oh no"));
    tasks.run();
}

#[test]
fn failed_after_it_was_fed_what_was_kept_is_dropped_and_the_flush_tells() {
    let (completer, mut channel) = completer();
    let mut tasks = Tasks::default();
    tasks.spawn(async move {
        channel.feed(1).await.unwrap();
        assert_eq!(channel.flush().await.unwrap_err().to_string(), "oh no");
        assert!(is_closed(&channel.send(2).await));
        assert!(channel.next().await.is_none());
    });
    assert_eq!(tasks.turn(), 1);
    completer.fail(io::Error::other("oh no"));
    tasks.run();
}

#[test]
fn a_future_that_resolves_sets_the_channel() {
    let (near, mut far) = duplex(4);
    let channel = Deferred::new(async { Ok::<_, Closed>(near) }, 0);
    run(async {
        let mut channel = pin!(channel);
        assert!(channel.is_waiting());
        channel.send(1).await.unwrap();
        assert!(channel.get_ref().is_some() && !channel.is_waiting());
        assert_eq!(far.next().await, Some(Ok(1)));
    });
}

#[test]
fn a_future_that_fails_is_told_once() {
    let mut channel =
        Deferred::<_, Duplex<u8, io::Error>, u8>::new(ready(Err(io::Error::other("oh no"))), 1);
    let flag = Flag::new();
    let told = poll(&flag, |cx| Pin::new(&mut channel).poll_complete(cx));
    assert!(matches!(told, Poll::Ready(Err(error)) if error.to_string() == "oh no"));
    assert!(matches!(
        poll(&flag, |cx| Pin::new(&mut channel).poll_complete(cx)),
        Poll::Ready(Err(_))
    ));
    assert!(matches!(now(&mut channel), Poll::Ready(None)));
    assert!(is_closed(&run(channel.send(1))));
}

#[test]
fn a_completer_that_is_dropped_is_a_failure() {
    let (completer, mut channel) = completer();
    let mut tasks = Tasks::default();
    tasks.spawn(async move {
        let told = channel.next().await.unwrap().map(|_| ());
        assert!(is_closed(&told));
        assert!(channel.next().await.is_none());
    });
    assert_eq!(tasks.turn(), 1);
    drop(completer);
    tasks.run();
}

#[test]
fn a_reader_and_a_writer_in_two_tasks_are_both_woken() {
    let (completer, channel) = completer();
    let (mut sink, mut stream) = channel.split();
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert_eq!(stream.next().await.unwrap().unwrap(), 9) });
    tasks.spawn(async move { sink.send(1).await.unwrap() });
    assert_eq!(tasks.turn(), 2);
    let (near, mut far) = Duplex::pair(1);
    completer.complete(near);
    assert_eq!(tasks.turn(), 1);
    run(far.send(9)).unwrap();
    tasks.run();
    assert!(matches!(now(&mut far), Poll::Ready(Some(Ok(1)))));
}

#[test]
fn what_is_kept_goes_out_though_its_sender_only_reads() {
    let (completer, mut channel) = completer();
    run(channel.feed(1)).unwrap();
    run(channel.feed(2)).unwrap();
    let (near, mut far) = Duplex::pair(1);
    completer.complete(near);
    let reader = Flag::new();
    assert!(poll(&reader, |cx| channel.poll_next_unpin(cx)).is_pending());
    assert!(matches!(now(&mut far), Poll::Ready(Some(Ok(1)))));
    assert!(reader.take(), "there is room for the rest");
    run(far.send(3)).unwrap();
    assert!(matches!(now(&mut channel), Poll::Ready(Some(Ok(3)))));
    assert!(matches!(now(&mut far), Poll::Ready(Some(Ok(2)))));
}

#[test]
fn it_can_be_read_though_what_is_kept_has_no_room() {
    let (completer, mut channel) = completer();
    run(channel.feed(1)).unwrap();
    run(channel.feed(2)).unwrap();
    let (near, mut far) = Duplex::pair(1);
    completer.complete(near);
    run(far.send(3)).unwrap();
    assert!(matches!(now(&mut channel), Poll::Ready(Some(Ok(3)))));
}

#[test]
fn an_item_that_was_promised_room_comes_after_what_was_kept() {
    let (completer, mut channel) = completer();
    run(channel.feed(1)).unwrap();
    assert!(poll(&Flag::new(), |cx| channel.poll_ready_unpin(cx)).is_ready());
    let (mut near, mut far) = Duplex::pair(1);
    run(near.send(0)).unwrap();
    completer.complete(near);
    // A reader finds the channel, which has no room yet, between the promise and the item.
    assert!(now(&mut channel).is_pending());
    channel.start_send_unpin(2).unwrap();
    let mut tasks = Tasks::default();
    tasks.spawn(async move { channel.flush().await.unwrap() });
    tasks.spawn(async move {
        for n in 0..3 {
            assert_eq!(far.next().await.unwrap().unwrap(), n);
        }
    });
    tasks.run();
}

#[test]
fn closing_before_it_is_set_waits_for_nothing_and_drops_the_attempt() {
    struct Attempt<'a>(&'a Cell<bool>);
    impl Drop for Attempt<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }

    let dropped = Cell::new(false);
    let attempt = Attempt(&dropped);
    let making = async move {
        let _attempt = attempt;
        pending::<Result<Duplex<u8>, Closed>>().await
    };
    let mut channel = Box::pin(Deferred::new(making, 1));
    run(channel.feed(1)).unwrap();
    run(channel.close()).unwrap();
    assert!(dropped.get());
    assert!(matches!(now(&mut channel), Poll::Ready(None)));
    assert_eq!(run(channel.send(2)), Err(Closed::Ended));
    run(channel.close()).unwrap();
}

#[test]
fn closing_before_it_is_set_wakes_the_reader_and_tells_the_completer() {
    let (mut completer, channel) = completer();
    let (mut sink, mut stream) = channel.split();
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert!(stream.next().await.is_none()) });
    tasks.spawn(async move {
        std::future::poll_fn(|cx| completer.poll_canceled(cx)).await;
        assert!(completer.is_canceled());
        let (near, mut far) = Duplex::pair(1);
        completer.complete(near);
        assert!(is_closed(&far.send(1).await), "the channel was dropped");
    });
    assert_eq!(tasks.turn(), 2);
    tasks.spawn(async move { sink.close().await.unwrap() });
    tasks.run();
}

#[test]
fn closing_after_it_is_set_sends_what_was_kept_first() {
    let (completer, mut channel) = completer();
    run(channel.feed(1)).unwrap();
    let (near, mut far) = Duplex::pair(4);
    completer.complete(near);
    run(channel.close()).unwrap();
    assert!(matches!(now(&mut far), Poll::Ready(Some(Ok(1)))));
    assert!(matches!(now(&mut far), Poll::Ready(None)));
}

#[test]
fn what_is_kept_and_cannot_be_sent_is_told_to_whoever_sends_it() {
    let (completer, mut channel) = Completer::new(2);
    run(channel.feed(UNLUCKY)).unwrap();
    let (below, mut far): (_, Far) = bare();
    completer.complete(below);
    assert!(matches!(now(&mut channel), Poll::Ready(Some(Err(_)))));
    run(channel.send(1)).unwrap();
    assert_eq!(far.arrived(), (vec![1], false), "the channel below decides whether it goes on");
}

#[test]
fn with_no_capacity_a_feed_waits_and_a_flush_of_nothing_does_not() {
    let mut channel = Deferred::<_, Duplex<u8>, u8>::new(pending::<Result<_, Closed>>(), 0);
    let flag = Flag::new();
    assert!(poll(&flag, |cx| pin!(&mut channel).poll_ready(cx)).is_pending());
    assert!(poll(&flag, |cx| pin!(&mut channel).poll_flush(cx)).is_ready());
}
