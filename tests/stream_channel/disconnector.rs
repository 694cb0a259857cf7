//! `Disconnector`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{FutureExt, Sink, SinkExt, Stream, StreamExt, stream};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::StreamChannelExt;
use ws_channel::stream_channel::{Closed, Disconnectable, Disconnector, Duplex, duplex};

use crate::support::{Flag, Silent, Tasks, bare, is_closed, now, poll, run};

fn connected() -> (Disconnector, Disconnectable<Duplex<u8>>, Duplex<u8>) {
    let disconnector = Disconnector::new();
    let (near, far) = duplex(4);
    (disconnector.clone(), near.transform(&disconnector), far)
}

#[test]
fn before_it_disconnects_what_is_sent_goes_out() {
    let (disconnector, mut near, mut far) = connected();
    run(near.send(1)).unwrap();
    assert_eq!(now(&mut far), Poll::Ready(Some(Ok(1))));
    assert!(!disconnector.is_disconnected());
}

#[test]
fn before_it_disconnects_what_comes_is_received() {
    let (_disconnector, mut near, mut far) = connected();
    run(far.send(1)).unwrap();
    assert_eq!(now(&mut near), Poll::Ready(Some(Ok(1))));
    drop(far);
    assert_eq!(now(&mut near), Poll::Ready(None));
}

#[test]
fn before_it_disconnects_a_send_after_close_is_an_error() {
    let disconnector = Disconnector::new();
    let (channel, mut far) = bare();
    let mut channel = disconnector.bind(channel);
    run(async {
        channel.close().await.unwrap();
        assert!(is_closed(&channel.send(1).await));
        assert!(is_closed(&channel.feed(1).await));
        assert!(is_closed(&channel.send_all(&mut stream::iter([Ok(1)])).await));
        channel.close().await.unwrap();
    });
    assert_eq!(far.arrived(), (vec![], true));
}

#[test]
fn a_send_all_under_way_ends_when_it_disconnects() {
    let (disconnector, mut near, mut far) = connected();
    let mut tasks = Tasks::default();
    tasks.spawn(async move {
        let mut endless = stream::repeat_with(|| Ok(1));
        assert_eq!(near.send_all(&mut endless).await, Err(Closed::Ended));
    });
    assert_eq!(tasks.turn(), 1, "it waits for room");
    disconnector.disconnect();
    tasks.run();
    for _ in 0..4 {
        assert_eq!(now(&mut far), Poll::Ready(Some(Ok(1))));
    }
    assert_eq!(now(&mut far), Poll::Ready(None));
}

/// A channel whose closing takes as long as the test wants.
struct SlowToClose {
    done: futures::channel::oneshot::Receiver<io::Result<()>>,
}

impl Stream for SlowToClose {
    type Item = io::Result<u8>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<u8>>> {
        Poll::Pending
    }
}

impl Sink<u8> for SlowToClose {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn start_send(self: Pin<&mut Self>, _: u8) -> io::Result<()> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.done.poll_unpin(cx).map(|done| done.unwrap_or(Ok(())))
    }
}

#[test]
fn disconnecting_waits_for_the_inner_close() {
    let disconnector = Disconnector::new();
    let (finish, done) = futures::channel::oneshot::channel();
    let (mut sink, mut stream) = disconnector.bind(SlowToClose { done }).into_halves();

    let mut tasks = Tasks::default();
    // The channel below wakes nobody of its own accord.
    tasks.spawn(async move { assert!(stream.next().await.is_none()) });
    tasks.spawn(async move { assert!(is_closed(&sink.feed(1).await)) });
    assert_eq!(tasks.turn(), 2);
    tasks.spawn(disconnector.disconnect());
    tasks.spawn(disconnector.disconnect());
    assert_eq!(tasks.turn(), 4);
    finish.send(Ok(())).unwrap();
    tasks.run();
    run(disconnector.disconnect());
}

#[test]
fn an_error_of_the_inner_close_is_told_once_to_whoever_has_the_channel() {
    let disconnector = Disconnector::new();
    let (finish, done) = futures::channel::oneshot::channel();
    let mut channel = disconnector.bind(SlowToClose { done });
    disconnector.disconnect();
    finish.send(Err(io::Error::other("stuck"))).unwrap();
    run(async {
        assert_eq!(channel.next().await.unwrap().unwrap_err().to_string(), "stuck");
        assert!(channel.next().await.is_none());
        channel.close().await.unwrap();
        disconnector.disconnect().await;
    });
}

#[test]
fn after_it_disconnected_the_inner_sink_is_closed_and_a_send_is_an_error() {
    let disconnector = Disconnector::new();
    let (channel, mut far) = bare();
    let mut channel = disconnector.bind(channel);
    run(channel.send(1)).unwrap();
    disconnector.disconnect();
    assert!(disconnector.is_disconnected());
    run(async {
        assert!(is_closed(&channel.send(2).await));
        channel.flush().await.unwrap();
    });
    assert!(is_closed(&channel.start_send_unpin(3)));
    assert_eq!(far.arrived(), (vec![1], true));
}

#[test]
fn after_it_disconnected_the_stream_ends_and_what_came_is_dropped() {
    let (disconnector, mut near, mut far) = connected();
    run(far.send(1)).unwrap();
    disconnector.disconnect();
    assert_eq!(now(&mut near), Poll::Ready(None));
    assert_eq!(run(far.send(2)), Err(Closed::Ended));
}

#[test]
fn after_it_disconnected_close_resolves() {
    let (disconnector, mut near, _far) = connected();
    disconnector.disconnect();
    run(async {
        near.close().await.unwrap();
        near.close().await.unwrap();
        disconnector.disconnect().await;
    });
}

#[test]
fn after_it_disconnected_a_send_after_close_is_an_error() {
    let (disconnector, mut near, _far) = connected();
    run(near.close()).unwrap();
    disconnector.disconnect();
    run(async {
        assert_eq!(near.send(1).await, Err(Closed::Ended));
        assert_eq!(near.next().await, None);
        disconnector.disconnect().await;
    });
}

#[test]
fn a_channel_that_is_bound_afterwards_is_over_at_once() {
    let disconnector = Disconnector::new();
    run(disconnector.disconnect());
    let (channel, mut far) = bare();
    far.feed(1);
    let mut channel = disconnector.bind(channel);
    assert!(poll(&Flag::new(), |cx| disconnector.disconnect().poll_unpin(cx)).is_pending());
    assert!(matches!(now(&mut channel), Poll::Ready(None)));
    assert_eq!(far.arrived(), (vec![], true));
    run(disconnector.disconnect());
}

#[test]
fn many_channels_end_and_one_that_is_dropped_or_taken_back_counts_as_ended() {
    let disconnector = Disconnector::new();
    let mut tasks = Tasks::default();
    let mut fars = Vec::new();
    for _ in 0..10 {
        let (near, far) = duplex::<u8>(1);
        let mut near = disconnector.bind(near);
        tasks.spawn(async move { assert_eq!(near.next().await, None) });
        fars.push(far);
    }
    let (near, _far) = duplex::<u8>(1);
    let dropped = disconnector.bind(near);
    let (near, mut kept) = duplex::<u8>(1);
    let taken = disconnector.bind(near);

    assert_eq!(tasks.turn(), 10);
    tasks.spawn(disconnector.disconnect());
    assert_eq!(tasks.turn(), 1, "two channels are idle");
    drop(dropped);
    assert_eq!(tasks.turn(), 1);
    let mut taken = taken.into_inner();
    tasks.run();
    for mut far in fars {
        assert_eq!(now(&mut far), Poll::Ready(None));
    }
    run(taken.send(1)).unwrap();
    assert_eq!(now(&mut kept), Poll::Ready(Some(Ok(1))));
}

#[test]
fn a_wait_for_the_end_that_is_dropped_changes_nothing() {
    let (disconnector, mut near, _far) = connected();
    let flag = Flag::new();
    let mut ending = disconnector.disconnect();
    assert!(poll(&flag, |cx| ending.poll_unpin(cx)).is_pending());
    drop(ending);
    assert_eq!(now(&mut near), Poll::Ready(None));
    assert!(!flag.take());
}

#[test]
fn whoever_finds_that_it_is_closed_wakes_the_other_half() {
    let disconnector = Disconnector::new();
    let below = Silent::default();
    let mut channel = disconnector.bind(below.clone());
    let (reader, writer) = (Flag::new(), Flag::new());
    disconnector.disconnect();
    assert!(poll(&writer, |cx| channel.poll_ready_unpin(cx)).is_pending());
    below.ready.set(true);
    assert!(matches!(poll(&reader, |cx| channel.poll_next_unpin(cx)), Poll::Ready(None)));
    assert!(writer.take());
}
