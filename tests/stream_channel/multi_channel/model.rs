//! Random sends, reads, closes and drops at both ends, against a model.

#![cfg(not(target_family = "wasm"))]

use std::task::Poll;

use futures::{SinkExt, StreamExt};
use proptest::prelude::*;
use ws_channel::stream_channel::{Closed, Frame, MultiChannelBuilder, duplex};

use super::{Multi, Virtual, twins};
use crate::support::{Flag, Tasks, poll};

#[derive(Debug, Clone, Copy)]
enum Step {
    Send,
    Read,
    Close,
    Drop,
}

fn step() -> impl Strategy<Value = (bool, usize, Step)> {
    let step = prop_oneof![
        8 => Just(Step::Send),
        8 => Just(Step::Read),
        1 => Just(Step::Close),
        1 => Just(Step::Drop),
    ];
    (any::<bool>(), 0..6_usize, step)
}

/// One end of a channel, and what is known of it.
struct End {
    channel: Option<Virtual>,
    /// It was closed or dropped here.
    closed: bool,
    sent: Vec<u32>,
    received: Vec<u32>,
    /// It read that the channel has ended.
    ended: bool,
}

impl End {
    fn new(channel: Virtual) -> Self {
        Self { channel: Some(channel), closed: false, sent: vec![], received: vec![], ended: false }
    }

    fn take(&mut self, step: Step, number: u32) {
        let Some(channel) = &mut self.channel else { return };
        let flag = Flag::new();
        match step {
            Step::Send => match poll(&flag, |cx| channel.poll_ready_unpin(cx)) {
                Poll::Ready(Ok(())) => {
                    assert!(!self.closed && !self.ended, "a channel that is over takes nothing");
                    channel.start_send_unpin(number).unwrap();
                    self.sent.push(number);
                }
                Poll::Ready(Err(closed)) => assert_eq!(closed, Closed::Ended),
                Poll::Pending => {}
            },
            Step::Read => match poll(&flag, |cx| channel.poll_next_unpin(cx)) {
                Poll::Ready(Some(Ok(number))) => {
                    assert!(!self.closed && !self.ended, "a channel that is over yields nothing");
                    self.received.push(number);
                }
                Poll::Ready(Some(Err(error))) => panic!("{error}"),
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => assert!(!self.closed, "a closed channel has ended"),
            },
            Step::Close => {
                let _ = poll(&flag, |cx| channel.poll_close_unpin(cx));
                self.closed = true;
            }
            Step::Drop => {
                self.channel = None;
                self.closed = true;
            }
        }
    }
}

fn ends(capacity: usize) -> (Multi, Multi, Vec<[End; 2]>) {
    let (near, far) = duplex::<Frame<u32>>(capacity);
    let builder = MultiChannelBuilder::default().buffer(10_000);
    let (near, far) = (builder.over(near), builder.over(far));
    let channels = (0..6)
        .map(|n| {
            let (one, other) = if n % 2 == 0 { twins(&near, &far) } else { twins(&far, &near) };
            let (one, other) = (End::new(one), End::new(other));
            if n % 2 == 0 { [one, other] } else { [other, one] }
        })
        .collect();
    (near, far, channels)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_channel_carries_what_was_sent_in_order_and_ends(
        capacity in 1..5_usize,
        steps in proptest::collection::vec(step(), 0..200),
    ) {
        let (near, far, mut channels) = ends(capacity);
        for (number, (side, channel, step)) in steps.into_iter().enumerate() {
            channels[channel][usize::from(side)].take(step, u32::try_from(number).unwrap());
        }

        // One end closes all that it has; the other reads to the end of each.
        let mut tasks = Tasks::default();
        let mut read = Vec::new();
        for [one, other] in &mut channels {
            if let Some(mut channel) = one.channel.take() {
                tasks.spawn(async move { channel.close().await.unwrap() });
            }
            let (channel, received) = (other.channel.take(), &mut other.received);
            let closed = other.closed;
            read.push((one.sent.clone(), other.sent.clone(), one.received.clone(), closed));
            tasks.spawn(async move {
                if let Some(mut channel) = channel {
                    while let Some(item) = channel.next().await {
                        received.push(item.unwrap());
                    }
                    channel.close().await.unwrap();
                }
            });
        }
        for mut main in [near, far] {
            tasks.spawn(async move {
                main.close().await.unwrap();
                assert_eq!(main.next().await, None);
            });
        }
        tasks.run();

        for ([_, other], (sent, back, received, closed)) in channels.iter().zip(read) {
            prop_assert!(back.starts_with(&received), "{received:?} of {back:?}");
            if closed {
                prop_assert!(sent.starts_with(&other.received), "{:?} of {sent:?}", other.received);
            } else {
                prop_assert_eq!(&sent, &other.received);
            }
        }
    }
}
