//! The sink side: the messages that are accepted, and the bytes that are written.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::Error;
use crate::adapter::driver::Driver;
use crate::adapter::driver::receive::{READS, Understood};
use crate::platform;
use crate::protocol::connection::Lifecycle;
#[cfg(feature = "deflate")]
use crate::protocol::deflate::SendOptions;
use crate::protocol::fault::Fault;
use crate::protocol::{Message, Prepared};

impl<S> Driver<S> {
    /// Accepts a message.
    ///
    /// Compiled into the caller, where the message then never has to be moved as a whole: its
    /// words were just written one by one, and a wider load of them waits until they have reached
    /// the cache.
    #[inline]
    pub(crate) fn send(&mut self, message: Message) -> Result<(), Error> {
        if self.send_small(message.is_text(), message.as_bytes()) {
            return Ok(());
        }
        // Made anew, so that what was looked at need not be in memory as a whole.
        match message {
            Message::Text(text) => self.send_any(Message::Text(text)),
            Message::Binary(bytes) => self.send_any(Message::Binary(bytes)),
        }
    }

    /// Accepts a small message. One call, so that what a caller's `feed` becomes is small enough
    /// to be compiled into it.
    #[inline(never)]
    fn send_small(&mut self, text: bool, payload: &[u8]) -> bool {
        self.activity = self.activity.wrapping_add(1);
        self.connection.send_small(text, payload, platform::mask_key)
    }

    /// Accepts a message that is not small, or to which something is in the way.
    #[inline(never)]
    fn send_any(&mut self, message: Message) -> Result<(), Error> {
        self.connection.send(message, platform::mask_key)
    }

    /// Accepts a message, to be compressed or not.
    #[cfg(feature = "deflate")]
    pub(crate) fn send_with(
        &mut self,
        message: Message,
        options: SendOptions,
    ) -> Result<(), Error> {
        self.activity = self.activity.wrapping_add(1);
        self.connection.send_with(message, options, platform::mask_key)
    }

    /// Accepts a message that was encoded for many.
    pub(crate) fn send_prepared(&mut self, prepared: &Prepared) -> Result<(), Error> {
        self.activity = self.activity.wrapping_add(1);
        self.connection.send_prepared(prepared, platform::mask_key)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Ready when another message may be accepted.
    #[inline]
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.connection.is_open() && self.connection.buffered() < self.write_buffer_size {
            return Poll::Ready(Ok(()));
        }
        self.poll_room(cx)
    }

    /// Ready when enough has been written.
    #[inline(never)]
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if !self.connection.is_open() {
                return Poll::Ready(Err(Error::closed(self.connection.known_event())));
            }
            let written = self.poll_write(cx);
            if let Poll::Ready(Err(error)) = written {
                return Poll::Ready(Err(self.write_failed(error, cx)));
            }
            if self.connection.buffered() >= self.write_buffer_size.max(1) {
                ready!(self.poll_control(cx));
                continue;
            }
            if !std::mem::take(&mut self.received) {
                // A sender that never waits, flushes or receives answers pings here.
                let _ = self.poll_control(cx);
            }
            if self.connection.is_open() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Ready when everything has been handed to the transport.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.poll_write_here(cx) {
                Poll::Ready(Ok(())) => break,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.write_failed(error, cx))),
                Poll::Pending => ready!(self.poll_control(cx)),
            }
            if self.connection.event().is_some() {
                // Over: there is nothing left to write, and nothing to wait for.
                break;
            }
        }
        if self.connection.has_dropped() {
            return Poll::Ready(Err(Error::closed(self.connection.known_event())));
        }
        self.spare_output();
        if !std::mem::take(&mut self.received) && self.connection.is_open() {
            // Nobody receives: pings wait for their pongs here.
            let _ = self.poll_control(cx);
            self.write_answers(cx);
        }
        Poll::Ready(Ok(()))
    }

    /// Tells the sink of a failed write; the stream still delivers what arrived.
    fn write_failed(&mut self, error: io::Error, cx: &Context<'_>) -> Error {
        let told = io::Error::new(error.kind(), error.to_string());
        self.break_off(error, cx);
        Error::Io(told)
    }

    /// Looks for control frames on behalf of the sink side, and keeps the messages it meets, up to
    /// a bound. Ready when the connection is in another state than before.
    fn poll_control(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut kept = false;
        let mut reads = 0;
        let state = loop {
            let open = self.connection.lifecycle() == Lifecycle::Open;
            if open && self.kept.as_ref().is_some_and(|kept| kept.is_full()) {
                // What is behind a full keep waits, if it has been read, too: a Close would end the
                // connection before what came first was answered. Whoever waits here is woken by
                // the transport's writing side.
                break self.poll_clock(cx, false);
            }
            match self.poll_understood(cx) {
                Poll::Ready(Understood::Item(item)) => {
                    if let Ok(message) = self.connection.take_message(item) {
                        self.kept.get_or_insert_default().push(message);
                        kept = true;
                    }
                }
                Poll::Ready(Understood::Over) => break Poll::Ready(()),
                Poll::Pending => break Poll::Pending,
                Poll::Ready(Understood::Dry) => {
                    if reads == READS {
                        cx.waker().wake_by_ref();
                        break self.poll_clock(cx, false);
                    }
                    reads += 1;
                    if self.poll_input(cx).is_pending() {
                        break Poll::Pending;
                    }
                    self.dry = false;
                }
            }
        };
        if kept || state.is_ready() {
            // The stream side may wait for what was found here.
            cx.waker().wake_by_ref();
        }
        state
    }

    /// Tries to write what is queued: the input ran dry.
    #[inline]
    pub(super) fn write_answers(&mut self, cx: &mut Context<'_>) {
        if !self.connection.is_flushed() || self.unflushed {
            self.write_now(cx);
        }
    }

    #[inline(never)]
    fn write_now(&mut self, cx: &mut Context<'_>) {
        match self.poll_write(cx) {
            Poll::Ready(Ok(())) => self.spare_output(),
            Poll::Ready(Err(error)) => self.break_off(error, cx),
            Poll::Pending => {}
        }
    }

    /// Notes that writing failed. The other half, which may wait for something to read, learns it
    /// by being polled.
    #[cold]
    fn break_off(&mut self, error: io::Error, cx: &Context<'_>) {
        self.connection.write_failed(error);
        cx.waker().wake_by_ref();
    }

    /// Gives the output buffer back when a burst is over: not in the midst of one, when the mark
    /// was reached and more is to come.
    #[inline]
    fn spare_output(&mut self) {
        #[cfg(feature = "deflate")]
        self.plan_to_forget();
        if !self.busy {
            self.connection.release_output();
        }
    }

    /// Writes a pile of pongs; if the peer does not take them, it is a flood.
    pub(super) fn write_backlog(&mut self, cx: &mut Context<'_>) {
        self.write_answers(cx);
        if self.connection.is_flooded() {
            self.connection.fail(Fault::PingFlood, platform::mask_key);
        }
    }

    /// Writes some of what is queued in more than one place.
    #[inline(never)]
    fn poll_write_two(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let (first, second) = self.connection.unsent();
        let io = Pin::new(&mut self.io);
        if second.is_empty() {
            io.poll_write(cx, first)
        } else if first.is_empty() {
            io.poll_write(cx, second)
        } else if io.is_write_vectored() {
            let slices = [io::IoSlice::new(first), io::IoSlice::new(second)];
            io.poll_write_vectored(cx, &slices)
        } else {
            io.poll_write(cx, first)
        }
    }

    /// Writes everything that is queued, and flushes the transport.
    #[inline(never)]
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_here(cx)
    }

    /// The same, compiled into the caller: a flush of one small message is hardly more.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call would be a tenth of it")]
    fn poll_write_here(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.connection.is_flushed() {
            let written = match self.connection.one_run() {
                Some(run) => Pin::new(&mut self.io).poll_write(cx, run),
                None => self.poll_write_two(cx),
            };
            match written {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.unflushed = true;
                    self.stalled = None;
                    if self.connection.advance(written) {
                        break;
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.stall();
                    return Poll::Pending;
                }
            }
        }
        if self.unflushed {
            let Poll::Ready(flushed) = Pin::new(&mut self.io).poll_flush(cx) else {
                // A transport that buffers takes what the peer does not.
                self.stall();
                return Poll::Pending;
            };
            flushed?;
            self.unflushed = false;
            self.stalled = None;
            self.count();
        }
        Poll::Ready(Ok(()))
    }
}
