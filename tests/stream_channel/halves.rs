//! `into_halves`.

use std::task::Poll;

use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::StreamChannelExt;
use ws_channel::stream_channel::{Closed, duplex};

use crate::support::{Flag, Tasks, UNLUCKY, bare, now, poll, run};

#[test]
fn the_halves_wait_in_two_tasks_and_both_are_woken() {
    let (near, mut far) = duplex(1);
    let (mut sink, mut stream) = near.into_halves();
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert_eq!(stream.next().await, Some(Ok(7))) });
    tasks.spawn(async move {
        sink.send(1).await.unwrap();
        sink.send(2).await.unwrap();
    });
    assert_eq!(tasks.turn(), 2);
    assert_eq!(now(&mut far), Poll::Ready(Some(Ok(1))));
    assert_eq!(tasks.turn(), 1);
    run(far.send(7)).unwrap();
    tasks.run();
}

#[test]
fn an_error_of_the_sink_half_wakes_the_stream_half() {
    let (channel, _far) = bare();
    let (mut sink, mut stream) = channel.with_guarantees().into_halves();
    let reader = Flag::new();
    assert!(poll(&reader, |cx| stream.poll_next_unpin(cx)).is_pending());
    assert!(run(sink.send(UNLUCKY)).is_err());
    assert!(reader.take());
    assert!(matches!(now(&mut stream), Poll::Ready(None)));
}

#[test]
fn a_flood_that_nobody_reads_does_not_stop_the_sink_half() {
    let (channel, mut far) = bare();
    let (mut sink, stream) = channel.into_halves();
    for n in 20..=220 {
        far.feed(n);
    }
    drop(stream);
    run(sink.send(1)).unwrap();
    assert_eq!(far.arrived(), (vec![1], false));
}

#[test]
fn a_sink_half_that_waits_goes_on_to_drop_what_nobody_reads() {
    let (mut near, mut far) = duplex(100);
    for n in 0..100 {
        run(near.send(n)).unwrap();
        run(far.send(n)).unwrap();
    }
    let (mut sink, stream) = near.into_halves();
    drop(stream);
    let (writer, feeder) = (Flag::new(), Flag::new());
    assert!(poll(&writer, |cx| sink.poll_ready_unpin(cx)).is_pending());
    assert!(writer.take(), "there is more to drop, for which nothing else wakes it");
    assert!(poll(&writer, |cx| sink.poll_ready_unpin(cx)).is_pending());
    assert!(!writer.take(), "and then there is not");
    for n in 0..100 {
        assert!(poll(&feeder, |cx| far.poll_ready_unpin(cx)).is_ready(), "{n} were dropped");
        far.start_send_unpin(n).unwrap();
    }
}

#[test]
fn the_channel_ends_when_both_halves_are_dropped() {
    let (near, mut far) = duplex::<u8>(1);
    let (sink, stream) = near.into_halves();
    drop(sink);
    assert_eq!(run(far.send(1)), Ok(()));
    drop(stream);
    assert_eq!(run(far.send(2)), Err(Closed::Ended));
}

#[test]
fn halves_of_one_channel_make_it_again_and_others_do_not() {
    let ((near, mut far), (other, _peer)) = (duplex(1), duplex(1));
    let ((sink, stream), (other_sink, other_stream)) = (near.into_halves(), other.into_halves());
    let (sink, _) = sink.reunite(other_stream).unwrap_err();
    drop(other_sink);
    let mut near = sink.reunite(stream).unwrap();
    run(near.send(1)).unwrap();
    assert_eq!(now(&mut far), Poll::Ready(Some(Ok(1))));
    assert!(now(&mut near).is_pending(), "it can still be read");
}
