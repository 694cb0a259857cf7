//! The stream side: the bytes that are read, and the messages in them.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::Error;
use crate::adapter::driver::Driver;
use crate::adapter::driver::kept::Found;
use crate::platform;
use crate::protocol::Message;
use crate::protocol::connection::Received;
use crate::protocol::receiver::Item;

/// What an idle connection reads into: space on the stack, copied from when something comes.
pub(super) const SCRATCH: usize = 4096;

/// How many times one poll reads before others have their turn.
pub(super) const READS: usize = 64;

/// What a look at the bytes that were read gives.
#[derive(Debug)]
pub(super) enum Understood {
    Item(Item),
    Dry,
    Over,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// The next message.
    #[inline]
    pub(crate) fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Message, Error>>> {
        self.received = true;
        if self.kept.is_some() {
            if let Some(message) = self.pop_kept() {
                return Poll::Ready(Some(Ok(message)));
            }
        }
        for _ in 0..READS {
            if !self.dry {
                if let Some(message) = self.connection.plain_message(platform::mask_key) {
                    self.dry = self.connection.is_drained();
                    self.activity = self.activity.wrapping_add(1);
                    return Poll::Ready(Some(Ok(message)));
                }
                match ready!(self.poll_understood(cx)) {
                    Understood::Dry => {}
                    Understood::Item(item) => {
                        let message = self.connection.take_message(item);
                        return Poll::Ready(Some(message.map_err(Error::from)));
                    }
                    Understood::Over => return Poll::Ready(self.connection.take_error().map(Err)),
                }
            }
            ready!(self.poll_dry(cx));
        }
        self.yield_now(cx)
    }

    /// Where the next message is, for `lend`.
    #[inline]
    pub(crate) fn poll_found(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Found, Error>>> {
        self.received = true;
        if self.kept.is_some() {
            if let Some(message) = self.pop_kept() {
                self.kept.get_or_insert_default().lend(message);
                return Poll::Ready(Some(Ok(Found::Kept)));
            }
        }
        if !self.dry {
            if let Some(item) = self.connection.plain_item(platform::mask_key) {
                self.activity = self.activity.wrapping_add(1);
                return Poll::Ready(Some(Ok(Found::Item(item))));
            }
        }
        Poll::Ready(match ready!(self.poll_item(cx)) {
            Some(item) => Some(Ok(Found::Item(item))),
            None => self.connection.take_error().map(Err),
        })
    }

    /// The next message, where it stands; `None` when it is over.
    pub(super) fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        for _ in 0..READS {
            if !self.dry {
                match ready!(self.poll_understood(cx)) {
                    Understood::Item(item) => return Poll::Ready(Some(item)),
                    Understood::Over => return Poll::Ready(None),
                    Understood::Dry => {}
                }
            }
            ready!(self.poll_dry(cx));
        }
        self.yield_now(cx)
    }

    /// Understands what has been read; goes the last steps when that was the end.
    #[inline]
    pub(super) fn poll_understood(&mut self, cx: &mut Context<'_>) -> Poll<Understood> {
        loop {
            match self.connection.receive(platform::mask_key) {
                Received::Message(item) => return Poll::Ready(Understood::Item(item)),
                Received::Dry => {
                    self.dry = true;
                    self.note_pong();
                    return Poll::Ready(Understood::Dry);
                }
                Received::Backlog => self.write_backlog(cx),
                Received::Over => {
                    ready!(self.poll_leave(cx));
                    return Poll::Ready(Understood::Over);
                }
            }
        }
    }

    /// The input ran dry: writes what is queued, then reads.
    #[inline]
    fn poll_dry(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.write_answers(cx);
        ready!(self.poll_input(cx));
        self.dry = false;
        Poll::Ready(())
    }

    /// What a message costs is paid for by who asked for it; a flood of anything else is not.
    #[cold]
    fn yield_now<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        cx.waker().wake_by_ref();
        // Input that never ends holds up no deadline; whatever that changes, this is polled again.
        let _ = self.poll_clock(cx, false);
        Poll::Pending
    }

    /// Reads, or waits for the clock; ready when there is something to understand.
    #[inline]
    pub(super) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.poll_read(cx) {
            Poll::Ready(Ok(0)) => self.connection.end_of_input(),
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => self.connection.read_failed(error),
            Poll::Pending if self.connection.is_broken() => {
                if !platform::has_budget() {
                    // It was the runtime that put the read off: bytes may be there.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                self.connection.end_of_input();
            }
            Poll::Pending => {
                if !self.busy {
                    // No tick is due that would do it.
                    self.connection.release_input();
                }
                return self.poll_clock(cx, true);
            }
        }
        Poll::Ready(())
    }

    /// Reads once, into the connection's buffer or, if it owns none, into the stack.
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let read = if self.busy || self.connection.has_space() {
            let mut space = self.connection.space();
            let offered = space.remaining_mut();
            let read = ready!(pin!(self.io.read_buf(&mut space)).poll(cx))?;
            drop(space);
            self.connection.filled(read, offered);
            read
        } else {
            ready!(self.poll_scratch(cx))?
        };
        if read != 0 {
            self.keepalive.heard(platform::now);
            self.count();
        }
        Poll::Ready(Ok(read))
    }

    /// Reads once into the stack. A function of its own, since the place for it costs something.
    #[inline(never)]
    fn poll_scratch(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut scratch = [MaybeUninit::uninit(); SCRATCH];
        let mut scratch = ReadBuf::uninit(&mut scratch);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut scratch))?;
        self.connection.feed(scratch.filled());
        Poll::Ready(Ok(scratch.filled().len()))
    }
}
