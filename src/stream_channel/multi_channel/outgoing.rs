//! What virtual channels send.

use std::mem;
use std::task::{Context, Poll, ready};

use futures::{Sink, Stream};

use super::super::Closed;
use super::Frame;
use super::incoming::BUDGET;
use super::state::{End, Half, Phase, State};

impl<C: Sink<Frame<T>>, T> State<C, T> {
    /// Hands what goes out to the channel below. Ready when everything is.
    ///
    /// An error is one of the channel below, which takes nothing more; it is told to the channel `own`
    /// that polls, or else to the one whose message cannot be sent. An item that the channel below does
    /// not take is the matter of its sender.
    pub(super) fn poll_out(
        &mut self,
        own: Option<u64>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), C::Error>> {
        while !self.outbox.is_empty() {
            if let Err(error) = ready!(self.inner.as_mut().poll_ready(cx)) {
                if own.is_none() {
                    self.tell_sender(error);
                    self.fail();
                    return Poll::Ready(Ok(()));
                }
                self.fail();
                return Poll::Ready(Err(error));
            }
            let Some((input, frame)) = self.outbox.pop_front() else { break };
            // Its sender may be gone, or have no cause to flush.
            self.unflushed |= matches!(frame, Frame::Close { .. });
            let sent = self.inner.as_mut().start_send(frame);
            if let Some(channel) = self.channels.get_mut(&input) {
                channel.outgoing -= 1;
                if let Err(error) = sent {
                    channel.refused = Some(error);
                }
                if own != Some(input) {
                    channel.wake(Half::Sink, &mut self.woken);
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn tell_sender(&mut self, error: C::Error) {
        let first = self.outbox.iter().find(|(_, frame)| matches!(frame, Frame::Message { .. }));
        if let Some(sender) = first.and_then(|(input, _)| self.channels.get_mut(input)) {
            sender.refused = Some(error);
        }
    }

    fn fail(&mut self) {
        if self.phase != Phase::Over {
            self.phase = Phase::Failed;
        }
        self.discard_outbox();
    }

    pub(super) fn poll_inner_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let flushed = ready!(self.inner.as_mut().poll_flush(cx));
        self.unflushed = false;
        Poll::Ready(flushed.inspect_err(|_| self.fail()))
    }

    pub(super) fn poll_inner_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let closed = ready!(self.inner.as_mut().poll_close(cx));
        self.end_all();
        Poll::Ready(closed)
    }

    fn is_open(&self, input: u64) -> bool {
        self.phase == Phase::Open
            && self.channels.get(&input).is_some_and(|channel| channel.end == End::Open)
    }

    /// Hands out everything, and says what became of the channel's own message.
    fn poll_own(&mut self, input: u64, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let mut out = self.poll_out(Some(input), cx);
        if let Some(channel) = self.channels.get_mut(&input) {
            if let Some(error) = channel.refused.take() {
                out = Poll::Ready(Err(error));
            }
            // An error tells of what was thrown away, too.
            channel.lost &= !matches!(out, Poll::Ready(Err(_)));
        }
        match out {
            Poll::Pending
                if self.channels.get(&input).is_none_or(|channel| channel.outgoing == 0) =>
            {
                Poll::Ready(Ok(()))
            }
            out => out,
        }
    }
}

impl<C: Sink<Frame<T>>, T> State<C, T>
where
    C::Error: From<Closed>,
{
    /// Each channel has room for one message until the channel below takes it.
    pub(super) fn poll_ready(
        &mut self,
        input: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), C::Error>> {
        if self.is_open(input) {
            ready!(self.poll_own(input, cx))?;
        }
        // Which may just have changed.
        Poll::Ready(if self.is_open(input) { Ok(()) } else { Err(Closed::Ended.into()) })
    }

    pub(super) fn start_send(
        &mut self,
        input: u64,
        message: T,
        cx: &mut Context<'_>,
    ) -> Result<(), C::Error> {
        let open = self.is_open(input);
        match self.channels.get_mut(&input) {
            Some(channel) if open => {
                channel.outgoing += 1;
                let frame = Frame::Message { id: channel.output, message };
                self.outbox.push_back((input, frame));
            }
            _ => {
                self.dropped.push([Ok(message)].into());
                return Err(Closed::Ended.into());
            }
        }
        match self.poll_own(input, cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    pub(super) fn poll_flush(
        &mut self,
        input: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), C::Error>> {
        ready!(self.poll_own(input, cx))?;
        match self.phase {
            Phase::Open | Phase::Closing => self.poll_inner_flush(cx),
            Phase::Failed => Poll::Ready(Err(Closed::Ended.into())),
            Phase::Over => {
                let channel = self.channels.get_mut(&input);
                let lost = channel.is_some_and(|channel| mem::take(&mut channel.lost));
                Poll::Ready(if lost { Err(Closed::Ended.into()) } else { Ok(()) })
            }
        }
    }

    /// A channel below that fails, or is closed by the peer, is no failure of this: what was to be ended
    /// has ended.
    pub(super) fn poll_close(
        &mut self,
        input: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), C::Error>>
    where
        C: Stream,
    {
        self.close(input);
        if self.phase == Phase::Closing && self.poll_out(Some(input), cx).is_pending() {
            self.discard(cx);
        }
        let own = ready!(self.poll_own(input, cx));
        match self.phase {
            Phase::Open => {
                own?;
                self.poll_inner_flush(cx).map(|_| Ok(()))
            }
            Phase::Closing => {
                own?;
                let _ = ready!(self.poll_out(Some(input), cx));
                self.poll_inner_close(cx)
            }
            Phase::Failed if self.live == 0 => {
                let _ = ready!(self.poll_inner_close(cx));
                Poll::Ready(Ok(()))
            }
            Phase::Failed | Phase::Over => Poll::Ready(Ok(())),
        }
    }

    /// Reads what nobody waits for any more. The peer may do nothing else before it has written that.
    fn discard(&mut self, cx: &mut Context<'_>)
    where
        C: Stream,
    {
        for _ in 0..BUDGET {
            match self.inner.as_mut().poll_next(cx) {
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => return self.end_all(),
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
    }
}
