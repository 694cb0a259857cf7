//! Slow readers, and channels that nobody attaches to.

use std::task::Poll;

use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{Closed, Frame, MultiChannel, MultiChannelBuilder, duplex};

use super::{Multi, Virtual, Wire};
use crate::support::{Tasks, now, run};

fn limited(buffer: usize, pending: usize) -> (Multi, Wire) {
    let (near, far) = duplex(100_000);
    (MultiChannelBuilder::default().buffer(buffer).pending(pending).over(near), far)
}

fn give(wire: &mut Wire, id: u64, messages: impl IntoIterator<Item = u32>) {
    for message in messages {
        run(wire.send(Frame::Message { id, message })).unwrap();
    }
}

/// Reads until the channel has nothing.
fn drain(channel: &mut Virtual) -> (Vec<Result<u32, Closed>>, bool) {
    let mut items = Vec::new();
    loop {
        match now(channel) {
            Poll::Ready(Some(item)) => items.push(item),
            Poll::Ready(None) => return (items, true),
            Poll::Pending => return (items, false),
        }
    }
}

/// Reads the default channel until what comes is a multiple of a thousand, however often that lets others run.
fn read_main(near: &mut Multi) -> u32 {
    run(async { near.next().await.unwrap().unwrap() })
}

#[test]
fn a_reader_that_falls_behind_loses_its_channel_and_no_other_does() {
    let (mut near, mut wire) = limited(4, 4);
    let (mut slow, mut other) = (near.open(), near.open());
    give(&mut wire, 2, 0..5);
    give(&mut wire, 4, [7]);
    give(&mut wire, 0, [8]);
    assert_eq!(read_main(&mut near), 8);
    assert_eq!(drain(&mut other), (vec![Ok(7)], false));
    let mut expected: Vec<_> = (0..4).map(Ok).collect();
    expected.push(Err(Closed::Overflow));
    assert_eq!(drain(&mut slow), (expected, true));
    assert_eq!(run(slow.send(1)), Err(Closed::Ended));
    assert_eq!(now(&mut wire), Poll::Ready(Some(Ok(Frame::Close { id: 1 }))), "the peer is told");
}

#[test]
fn a_full_buffer_that_is_read_in_time_loses_nothing() {
    let (mut near, mut wire) = limited(4, 4);
    let mut channel = near.open();
    for round in 0..10 {
        give(&mut wire, 2, round * 4..round * 4 + 4);
        give(&mut wire, 0, [round]);
        assert_eq!(read_main(&mut near), round);
        assert_eq!(drain(&mut channel), ((round * 4..round * 4 + 4).map(Ok).collect(), false));
    }
}

#[test]
fn a_burst_for_one_channel_waits_for_its_reader_to_run() {
    let (near, mut wire) = limited(64, 4);
    let mut busy = near.open();
    // A burst of many times what is kept, for the task that gets its turn last.
    give(&mut wire, 2, 0..5000);
    let mut tasks = Tasks::default();
    for _ in 0..100 {
        let mut other = near.open();
        tasks.spawn(async move { assert_eq!(other.next().await, None) });
    }
    tasks.spawn(async move {
        for n in 0..5000 {
            assert_eq!(busy.next().await, Some(Ok(n)));
        }
        assert_eq!(busy.next().await, None);
    });
    drop((near, wire));
    tasks.run();
}

#[test]
fn what_nobody_attached_to_is_kept_up_to_the_buffer_and_then_refused() {
    let (mut near, mut wire) = limited(2, 4);
    give(&mut wire, 1, 0..3);
    assert!(now(&mut near).is_pending());
    assert!(now(&mut near).is_pending());
    assert_eq!(now(&mut wire), Poll::Ready(Some(Ok(Frame::Close { id: 2 }))));
    let mut late = near.attach(1).unwrap();
    assert_eq!(drain(&mut late), (vec![Ok(0), Ok(1), Err(Closed::Overflow)], true));
}

#[test]
fn beyond_the_limit_a_channel_that_nobody_attached_to_is_refused() {
    let (mut near, mut wire) = limited(4, 2);
    for id in [1, 3, 5] {
        give(&mut wire, id, [7]);
    }
    assert!(now(&mut near).is_pending());
    assert!(now(&mut near).is_pending());
    assert_eq!(now(&mut wire), Poll::Ready(Some(Ok(Frame::Close { id: 6 }))));
    assert!(near.attach(5).is_err());
    let mut first = near.attach(1).unwrap();
    assert_eq!(drain(&mut first), (vec![Ok(7)], false));
    // Which made room.
    give(&mut wire, 7, [8]);
    assert!(now(&mut near).is_pending());
    assert_eq!(drain(&mut near.attach(7).unwrap()), (vec![Ok(8)], false));
}

#[test]
fn one_that_the_peer_closed_again_makes_room_for_a_new_one() {
    let (mut near, mut wire) = limited(4, 1);
    give(&mut wire, 1, [7]);
    run(wire.send(Frame::Close { id: 1 })).unwrap();
    give(&mut wire, 3, [8]);
    assert!(now(&mut near).is_pending());
    assert!(near.attach(1).is_err(), "forgotten");
    assert_eq!(drain(&mut near.attach(3).unwrap()), (vec![Ok(8)], false));
}

#[test]
fn a_peer_that_opens_without_end_and_reads_nothing_is_not_read_further() {
    let (near, mut wire) = duplex::<Frame<u32>>(1);
    let mut near = MultiChannelBuilder::default().pending(0).over(near);
    let mut opened = 0;
    for n in 0..1_000_000 {
        let frame = Frame::Message { id: 2 * n + 1, message: 0 };
        let mut send = Box::pin(wire.send(frame));
        for _ in 0..8 {
            if crate::support::poll(&crate::support::Flag::new(), |cx| send.as_mut().poll(cx))
                .is_ready()
            {
                opened += 1;
                break;
            }
            assert!(now(&mut near).is_pending());
        }
        if opened < n {
            break;
        }
    }
    assert!((1000..1100).contains(&opened), "{opened} were taken");
}

#[test]
fn opening_and_closing_for_ever_leaves_nothing_behind() {
    let (near, far) = duplex::<Frame<u32>>(8);
    let (mut near, mut far) = (MultiChannel::new(near), MultiChannel::new(far));
    let mut round = || {
        let mut one = near.open();
        run(async {
            near.send(1).await.unwrap();
            one.send(2).await.unwrap();
            assert_eq!(far.next().await, Some(Ok(1)));
            let mut other = far.attach(one.id()).unwrap();
            assert_eq!(other.next().await, Some(Ok(2)));
            one.close().await.unwrap();
            assert_eq!(other.next().await, None);
        });
        drop(one);
        assert!(now(&mut near).is_pending());
    };
    round();
    let before = crate::memory::live();
    for _ in 0..2000 {
        round();
    }
    assert!(crate::memory::live() - before < 256, "{} bytes", crate::memory::live() - before);
}
