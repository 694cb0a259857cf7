//! The end of a wrapped connection: what tungstenite leaves to its caller.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{WebSocketStream, tungstenite};

use super::translate;
use crate::Error;
use crate::platform::{self, Instant, Timer};
use crate::protocol::{CloseCode, CloseEvent, Initiator, Utf8Bytes};
use crate::status;

/// How many reads of data that nobody wants happen before other tasks get their turn.
const DISCARDS_A_POLL: usize = 64;

/// Sends what is queued, waits for the peer's Close frame, shuts the transport down; all within one
/// deadline.
#[derive(Debug)]
pub(super) struct Ending {
    initiator: Initiator,
    deadline: Instant,
    timer: Timer,
    peer: Peer,
    flushed: bool,
    shut_down: bool,
    /// What the stream ends with; `None` for a closing handshake.
    error: Option<Error>,
}

/// What is still to come from the peer.
#[derive(Debug)]
enum Peer {
    /// Its Close frame, and before it data that does not count any more (RFC 6455 §1.4).
    Owes,
    Closed(CloseCode, Utf8Bytes),
    /// Bytes that tungstenite can no longer read. They are read and dropped until the peer ends its
    /// side, since a socket that is closed over unread bytes resets the connection and takes the
    /// Close frame with it.
    Babbles,
    Gone,
}

impl Ending {
    pub(super) fn new(initiator: Initiator, timeout: Duration) -> Self {
        Self {
            initiator,
            deadline: platform::later(platform::now(), timeout),
            timer: Timer::default(),
            peer: Peer::Owes,
            flushed: false,
            shut_down: false,
            error: None,
        }
    }

    /// Whether the transport has taken everything, the Close frame included.
    pub(super) const fn is_flushed(&self) -> bool {
        self.flushed
    }

    /// Notes the peer's Close frame.
    pub(super) fn receive(&mut self, frame: Option<tungstenite::protocol::CloseFrame>) {
        let (code, reason) = frame.map_or_else(
            || (status::NO_STATUS_RECEIVED, Utf8Bytes::default()),
            |frame| (CloseCode::new(frame.code.into()), frame.reason.as_str().into()),
        );
        self.peer = Peer::Closed(code, reason);
    }

    /// Notes that the connection broke; who began the end tells whether the peer is still there.
    pub(super) fn fail(&mut self, error: Error) {
        self.peer = match self.initiator {
            Initiator::Local => Peer::Babbles,
            Initiator::Peer => Peer::Gone,
        };
        self.error = Some(error);
    }

    /// Drives the end on; not to be polled again once it is complete.
    pub(super) fn poll<S>(
        &mut self,
        inner: &mut WebSocketStream<S>,
        cx: &mut Context<'_>,
    ) -> Poll<(CloseEvent, Option<Error>)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.timer.deadline().is_none() {
            // Not where the end began, which may be outside of a runtime.
            self.timer.arm(self.deadline);
        }
        if self.timer.poll(cx).is_ready() {
            // The peer may learn that it is over; there is no time left to see it done.
            let _ = Pin::new(inner.get_mut()).poll_shutdown(cx);
        } else {
            ready!(self.poll_steps(inner, cx));
        }
        let (code, reason, was_clean) = match &self.peer {
            Peer::Closed(code, reason) => (*code, reason.clone(), self.flushed),
            _ => (status::ABNORMAL_CLOSURE, Utf8Bytes::default(), false),
        };
        let event = CloseEvent { code, reason, was_clean, initiator: self.initiator };
        Poll::Ready((event, self.error.take()))
    }

    fn poll_steps<S>(&mut self, inner: &mut WebSocketStream<S>, cx: &mut Context<'_>) -> Poll<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !self.flushed && !matches!(self.peer, Peer::Gone) {
            match Pin::new(&mut *inner).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.flushed = true,
                // Its Close frame may have arrived before the transport broke.
                Poll::Ready(Err(_)) => self.shut_down = true,
                Poll::Pending => {}
            }
        }
        // A peer that waits for its own data to be taken would never read the Close frame.
        let heard = self.poll_peer(inner, cx);
        let written = self.flushed || self.shut_down || matches!(self.peer, Peer::Gone);
        if !written || (heard.is_pending() && !matches!(self.peer, Peer::Babbles)) {
            return Poll::Pending;
        }
        if !self.shut_down {
            self.shut_down = Pin::new(inner.get_mut()).poll_shutdown(cx).is_ready();
        }
        if self.shut_down { heard } else { Poll::Pending }
    }

    /// Reads until the peer has no more to say.
    fn poll_peer<S>(&mut self, inner: &mut WebSocketStream<S>, cx: &mut Context<'_>) -> Poll<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        for _ in 0..DISCARDS_A_POLL {
            let pending = match self.peer {
                Peer::Owes => match Pin::new(&mut *inner).poll_next(cx) {
                    Poll::Ready(Some(Ok(tungstenite::Message::Close(frame)))) => {
                        self.receive(frame);
                        false
                    }
                    Poll::Ready(Some(Ok(_))) => false,
                    Poll::Ready(Some(Err(error))) => {
                        let gone = translate::answer(&translate::error(error)).is_none();
                        self.peer = if gone { Peer::Gone } else { Peer::Babbles };
                        false
                    }
                    Poll::Ready(None) => {
                        self.peer = Peer::Gone;
                        false
                    }
                    Poll::Pending => true,
                },
                Peer::Babbles => {
                    let mut space = [0; 4096];
                    let mut buffer = ReadBuf::new(&mut space);
                    match Pin::new(inner.get_mut()).poll_read(cx, &mut buffer) {
                        Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                        Poll::Ready(_) => self.peer = Peer::Gone,
                        Poll::Pending => return Poll::Pending,
                    }
                    false
                }
                Peer::Closed(..) | Peer::Gone => return Poll::Ready(()),
            };
            if pending {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
