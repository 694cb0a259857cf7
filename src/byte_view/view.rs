//! The view itself: one channel, polled with one waker.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};

use crate::Error;
use crate::byte_view::outgoing::Outgoing;
use crate::channel::WebSocketChannel;
use crate::protocol::{CloseFrame, Initiator, ReadyState};
use crate::status;

/// How many empty messages one poll passes over before others have their turn.
const EMPTY: usize = 64;

/// The channel, what is left of a message, and what is not one yet.
pub(super) struct View<C> {
    pub(super) channel: C,
    unread: Bytes,
    pub(super) outgoing: Outgoing,
    /// Whether the channel was given messages since it was last flushed.
    unflushed: bool,
    /// Once shutting down has begun: whether all that was written is sent, until that was told.
    shutdown: Option<io::Result<()>>,
}

impl<C> View<C> {
    pub(super) fn new(channel: C) -> Self {
        Self {
            channel,
            unread: Bytes::new(),
            outgoing: Outgoing::default(),
            unflushed: false,
            shutdown: None,
        }
    }

    pub(super) fn unread(&self) -> &[u8] {
        &self.unread
    }

    /// Passes over bytes that were read; never over more than there are.
    pub(super) fn skip(&mut self, length: usize) {
        self.unread.advance(length.min(self.unread.len()));
        if self.unread.is_empty() {
            // The memory is the channel's again.
            self.unread = Bytes::new();
        }
    }
}

impl<C: WebSocketChannel + Unpin> View<C> {
    /// Whether nothing more can be sent.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.channel.ready_state(), ReadyState::Closing | ReadyState::Closed)
    }

    /// Ready when there is something to read, or nothing will come.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        for _ in 0..EMPTY {
            match Pin::new(&mut self.channel).poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => self.unread = message.into_bytes(),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error.into())),
                Poll::Ready(None) => return Poll::Ready(self.end()),
                Poll::Pending => {
                    self.send_before_waiting(cx);
                    return Poll::Pending;
                }
            }
            if !self.unread.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether the end is one that the peer meant.
    fn end(&self) -> io::Result<()> {
        let event = self.channel.close_event();
        let is_meant = event.is_some_and(|event| {
            let by_us = event.initiator == Initiator::Local;
            let codes = [status::NORMAL_CLOSURE, status::NO_STATUS_RECEIVED];
            event.was_clean && (by_us || codes.contains(&event.code))
        });
        if is_meant { Ok(()) } else { Err(self.broken()) }
    }

    /// What was written must not wait for as long as a reader does.
    fn send_before_waiting(&mut self, cx: &mut Context<'_>) {
        if self.shutdown.is_none() && (self.unflushed || !self.outgoing.is_empty()) {
            let was_over = self.is_over();
            // An error is for the writer, which will find it again.
            let _ = self.poll_sent(cx);
            if self.is_over() && !was_over {
                // Who waits, to read or to write, waits for something else now.
                cx.waker().wake_by_ref();
            }
        }
    }

    /// Gathers bytes; `accept` says how many there was room for.
    pub(super) fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
        accept: impl FnOnce(&mut Outgoing) -> usize,
    ) -> Poll<io::Result<usize>> {
        if self.is_over() {
            return Poll::Ready(Err(Error::closed(self.channel.close_event()).into()));
        }
        if self.outgoing.is_full() {
            ready!(self.poll_handed_over(cx))?;
        }
        let accepted = accept(&mut self.outgoing);
        if self.outgoing.is_full() {
            // What does not go now goes with what is written, flushed or read next.
            if let Poll::Ready(sent) = self.poll_handed_over(cx) {
                sent?;
            }
        }
        Poll::Ready(Ok(accepted))
    }

    /// Ready when the transport has everything that was written.
    pub(super) fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_handed_over(cx))?;
        ready!(Pin::new(&mut self.channel).poll_flush(cx))?;
        self.unflushed = false;
        self.outgoing.release();
        Poll::Ready(Ok(()))
    }

    /// Sends what is left, closes, and waits for the peer.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.shutdown.is_none() {
            let sent = ready!(self.poll_handed_over(cx));
            // Whatever is left will never be a message.
            let rest = self.outgoing.give_up();
            let frame = CloseFrame::new(status::NORMAL_CLOSURE, "").map_err(Error::from)?;
            Pin::new(&mut self.channel).start_close(Some(frame))?;
            self.shutdown = Some(sent.and(rest));
        }
        ready!(Pin::new(&mut self.channel).poll_close(cx))?;
        let is_clean = self.channel.close_event().is_some_and(|event| event.was_clean);
        match self.shutdown.replace(Ok(())) {
            Some(Err(error)) => Poll::Ready(Err(error)),
            _ if is_clean => Poll::Ready(Ok(())),
            _ => Poll::Ready(Err(self.broken())),
        }
    }

    /// Gives the channel what was gathered.
    fn poll_handed_over(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.outgoing.is_empty() {
            ready!(Pin::new(&mut self.channel).poll_ready(cx))?;
            if let Some(message) = self.outgoing.take()? {
                Pin::new(&mut self.channel).start_send(message)?;
                self.unflushed = true;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The connection ended in a way that is no end of file.
    fn broken(&self) -> io::Error {
        let error = Error::closed(self.channel.close_event());
        io::Error::new(io::ErrorKind::ConnectionAborted, error)
    }
}
