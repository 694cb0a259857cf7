//! What virtual channels receive.

use std::task::{Context, Poll};

use futures::Sink;

use super::super::{Closed, StreamChannel};
use super::Frame;
use super::state::{Channel, End, Half, Phase, State};

/// How many frames for others a reader reads before others get their turn.
pub(super) const BUDGET: usize = 64;

/// How many frames may wait to go out before no more are read, as far as those cause some.
const OUTBOX: usize = 1024;

type ErrorOf<C, T> = <C as Sink<Frame<T>>>::Error;

impl<C, T> State<C, T>
where
    C: StreamChannel<Frame<T>>,
    ErrorOf<C, T>: From<Closed>,
{
    /// What a channel receives. Reads for all others meanwhile.
    pub(super) fn poll_next(
        &mut self,
        input: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<T, ErrorOf<C, T>>>> {
        for _ in 0..BUDGET {
            if let Some(item) = self.pop(input) {
                if item.is_none() {
                    // The peer may wait for it.
                    self.drive(cx);
                }
                return Poll::Ready(item);
            }
            // As those who sent it may have gone.
            self.drive(cx);
            if self.lets_others_run() {
                break;
            }
            if self.outbox.len() >= OUTBOX {
                // The one that made it so large does not read.
                return Poll::Pending;
            }
            match self.inner.as_mut().poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => self.receive(frame, input),
                Poll::Ready(Some(Err(error))) => {
                    if let Some(error) = self.tell(input, error) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Poll::Ready(None) => {
                    self.end_all();
                    // Its sink is closed as far as that needs no waiting.
                    let _ = self.inner.as_mut().poll_close(cx);
                }
            }
        }
        if let Some(channel) = self.channels.get(&input) {
            channel.wake(Half::Stream, &mut self.woken);
        }
        Poll::Pending
    }

    /// What a channel has to read, or that it has ended.
    #[expect(clippy::option_option, reason = "nothing yet, the end, or an item")]
    fn pop(&mut self, input: u64) -> Option<Option<Result<T, ErrorOf<C, T>>>> {
        let Some(channel) = self.channels.get_mut(&input) else { return Some(None) };
        if let Some(item) = channel.queue.pop_front() {
            return Some(Some(item));
        }
        match channel.end {
            End::Open => None,
            End::Overflow => {
                channel.end = End::Ended;
                Some(Some(Err(Closed::Overflow.into())))
            }
            End::Ended => Some(None),
        }
    }

    /// Whether there are readers that have much to read because they had no chance to run.
    fn lets_others_run(&mut self) -> bool {
        while let Some(id) = self.behind.last() {
            if let Some(channel) = self.channels.get_mut(id)
                && channel.waiting.is_some()
                && channel.end == End::Open
                && channel.queue.len() >= self.limits.buffer.div_ceil(2)
                && channel.patience > 0
            {
                channel.patience -= 1;
                return true;
            }
            if let Some(channel) = self.channels.get_mut(id) {
                channel.behind = false;
            }
            self.behind.pop();
        }
        false
    }

    /// Puts a frame where it belongs; `reader` reads.
    fn receive(&mut self, frame: Frame<T>, reader: u64) {
        let (input, message) = frame.into();
        if !self.channels.contains_key(&input) && !self.admit(input) {
            if let Some(message) = message {
                self.dropped.push([Ok(message)].into());
            }
            return;
        }
        match message {
            Some(message) => self.push(input, Ok(message), reader),
            None => self.end(input, End::Ended),
        }
    }

    /// Makes room for a channel that the peer opened, if it is one.
    fn admit(&mut self, input: u64) -> bool {
        let Some(output) = input.checked_add(1) else { return false };
        if input % 2 == 0 || self.used.contains(input) {
            return false;
        }
        if self.pending >= self.limits.pending {
            let over = self
                .channels
                .iter()
                .find(|(_, channel)| channel.waiting.is_none() && channel.end != End::Open)
                .map(|(&id, _)| id);
            let Some(over) = over else {
                self.used.insert(input);
                if self.phase == Phase::Open {
                    self.outbox.push_back((input, Frame::Close { id: output }));
                }
                return false;
            };
            self.forget(over);
        }
        self.pending += 1;
        self.channels.insert(input, Channel::new(output, None));
        true
    }

    fn push(&mut self, input: u64, item: Result<T, ErrorOf<C, T>>, reader: u64) {
        let patience = 16 + 2 * self.live;
        let Some(channel) = self.channels.get_mut(&input) else { return };
        if channel.end != End::Open {
            self.dropped.push([item].into());
            return;
        }
        if channel.queue.len() >= self.limits.buffer {
            self.dropped.push([item].into());
            self.end(input, End::Overflow);
            return;
        }
        channel.queue.push_back(item);
        if channel.queue.len() == self.limits.buffer.div_ceil(2) {
            channel.patience = patience;
            if !channel.behind {
                channel.behind = true;
                self.behind.push(input);
            }
        }
        if input != reader {
            channel.wake(Half::Stream, &mut self.woken);
        }
    }

    /// Tells an error of the channel below to the default channel; gives it back if that is over.
    fn tell(&mut self, input: u64, error: ErrorOf<C, T>) -> Option<ErrorOf<C, T>> {
        let open = self.channels.get(&0).is_some_and(|main| main.end == End::Open);
        if input == 0 || !open {
            return Some(error);
        }
        self.push(0, Err(error), input);
        None
    }
}
