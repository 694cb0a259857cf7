//! Who wakes whom.

use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::StreamChannelExt;
use ws_channel::stream_channel::{Frame, MultiChannel, duplex};

use super::{pair, twins};
use crate::support::{Flag, Silent, Tasks, poll, run};

#[test]
fn a_reader_that_stops_reading_for_all_does_not_leave_the_others_asleep() {
    let (near, far) = pair();
    let ((mut one, mut other), (mut idle, _twin)) = (twins(&near, &far), twins(&near, &far));
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert_eq!(one.next().await, Some(Ok(1))) });
    assert_eq!(tasks.turn(), 1);
    // The last to poll the channel below, which then goes away.
    assert!(poll(&Flag::new(), |cx| idle.poll_next_unpin(cx)).is_pending());
    drop(idle);
    run(other.send(1)).unwrap();
    tasks.run();
}

#[test]
fn writers_of_many_channels_all_get_through_a_narrow_one_below() {
    let (near, far) = duplex::<Frame<u32>>(1);
    let (near, far) = (MultiChannel::new(near), MultiChannel::new(far));
    let mut tasks = Tasks::default();
    for _ in 0..20 {
        let (mut one, mut other) = {
            let opened = near.open();
            let attached = far.attach(opened.id()).unwrap();
            (opened, attached)
        };
        tasks.spawn(async move {
            for n in 0..50 {
                one.send(n).await.unwrap();
            }
            one.close().await.unwrap();
        });
        tasks.spawn(async move {
            for n in 0..50 {
                assert_eq!(other.next().await, Some(Ok(n)));
            }
            assert_eq!(other.next().await, None);
        });
    }
    tasks.run();
}

#[test]
fn an_end_that_was_left_behind_by_a_drop_is_sent_by_a_reader() {
    let (near, mut wire) = duplex::<Frame<u32>>(1);
    let mut near = MultiChannel::new(near);
    let dropped = near.open();
    let mut tasks = Tasks::default();
    let mut other = near.open();
    run(near.send(1)).unwrap();
    tasks.spawn(async move { assert_eq!(other.next().await, Some(Ok(9))) });
    assert_eq!(tasks.turn(), 1);
    drop(dropped);
    assert_eq!(run(wire.next()), Some(Ok(Frame::Message { id: 0, message: 1 })));
    assert_eq!(tasks.turn(), 1, "the reader had a turn");
    assert_eq!(run(wire.next()), Some(Ok(Frame::Close { id: 1 })));
    run(wire.send(Frame::Message { id: 4, message: 9 })).unwrap();
    tasks.run();
}

#[test]
fn the_halves_of_a_virtual_channel_wait_in_two_tasks() {
    let (near, far) = pair();
    let (one, mut other) = twins(&near, &far);
    let (mut sink, mut stream) = one.into_halves();
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert_eq!(stream.next().await, Some(Ok(2))) });
    tasks.spawn(async move {
        for n in 0..100 {
            sink.send(n).await.unwrap();
        }
    });
    tasks.turn();
    tasks.spawn(async move {
        for n in 0..100 {
            assert_eq!(other.next().await, Some(Ok(n)));
        }
        other.send(2).await.unwrap();
    });
    tasks.run();
}

#[test]
fn a_send_of_one_channel_does_not_wake_the_reader_of_another() {
    let (near, _far) = pair();
    let (mut reader, mut writer) = (near.open(), near.open());
    let flag = Flag::new();
    assert!(poll(&flag, |cx| reader.poll_next_unpin(cx)).is_pending());
    run(writer.send(1)).unwrap();
    assert!(!flag.take());
}

#[test]
fn a_multi_channel_runs_over_a_virtual_channel() {
    let (near, far) = duplex::<Frame<Frame<u32>>>(8);
    let (near, far) = (MultiChannel::new(near), MultiChannel::new(far));
    let one = near.open();
    let other = far.attach(one.id()).unwrap();
    let (mut one, mut other) = (MultiChannel::new(one), MultiChannel::new(other));
    let mut tasks = Tasks::default();
    tasks.spawn(async move {
        let mut inner = one.open();
        one.send(u32::try_from(inner.id()).unwrap()).await.unwrap();
        inner.send(42).await.unwrap();
        assert_eq!(inner.next().await, None);
    });
    tasks.spawn(async move {
        let id = other.next().await.unwrap().unwrap();
        let mut inner = other.attach(id.into()).unwrap();
        assert_eq!(inner.next().await, Some(Ok(42)));
    });
    tasks.run();
}

#[test]
fn an_end_that_a_drop_could_not_flush_is_flushed_by_a_reader() {
    let (near, mut wire) = duplex::<Frame<u32>>(1);
    // An adapter that hands on what it holds when it is flushed.
    let mut near = MultiChannel::new(near.change_sink(|sink| sink.buffer(8)));
    let (dropped, mut other) = (near.open(), near.open());
    run(near.send(1)).unwrap();
    run(near.feed(2)).unwrap();
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert_eq!(other.next().await, None) });
    assert_eq!(tasks.turn(), 1);
    drop(dropped);
    for expected in [1, 2] {
        assert_eq!(run(wire.next()), Some(Ok(Frame::Message { id: 0, message: expected })));
        tasks.turn();
    }
    assert_eq!(run(wire.next()), Some(Ok(Frame::Close { id: 1 })));
    drop(wire);
    tasks.run();
}

#[test]
fn whoever_sends_the_message_of_another_wakes_it() {
    let below = Silent::default();
    let mut main = MultiChannel::<_, u8>::new(below.clone());
    let mut one = main.open();
    let (writer, reader) = (Flag::new(), Flag::new());
    one.start_send_unpin(1).unwrap();
    assert!(poll(&writer, |cx| one.poll_ready_unpin(cx)).is_pending());
    below.ready.set(true);
    assert!(poll(&reader, |cx| main.poll_next_unpin(cx)).is_pending());
    assert!(writer.take());
    assert!(poll(&writer, |cx| one.poll_ready_unpin(cx)).is_ready());
}

#[test]
fn a_failure_that_a_reader_finds_is_told_to_whoever_sent() {
    let below = Silent::default();
    let mut main = MultiChannel::<_, u8>::new(below.clone());
    let mut one = main.open();
    one.start_send_unpin(1).unwrap();
    below.failed.set(true);
    assert!(poll(&Flag::new(), |cx| main.poll_next_unpin(cx)).is_pending());
    assert_eq!(run(one.flush()).unwrap_err().to_string(), "lost");
    assert!(crate::support::is_closed(&run(main.send(2))));
}
