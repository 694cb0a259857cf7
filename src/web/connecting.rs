//! The attempt to connect: from a URL to an open channel.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::channel::BrowserChannel;
use super::connector::{Connect, PlatformChannel};
use crate::channel::WebSocketChannel;
use crate::{ConnectError, ConnectErrorKind, ConnectStep, Error};

/// An attempt to connect that is under way: the future of [`Connect`].
///
/// # Cancellation safety
///
/// Dropping it closes its socket.
#[must_use = "futures do nothing unless polled"]
pub struct Connecting(Attempt);

enum Attempt {
    /// Until it is polled.
    Prepared(Connect),
    Opening(Opening),
    Over,
}

impl Connecting {
    pub(super) const fn new(connect: Connect) -> Self {
        Self(Attempt::Prepared(connect))
    }
}

/// A socket whose callbacks are attached, and that is not open yet.
pub(super) struct Opening {
    channel: BrowserChannel,
    timeout: Duration,
}

impl Opening {
    pub(super) fn new(channel: BrowserChannel, timeout: Duration) -> Self {
        Self { channel, timeout }
    }

    /// Waits until it is open, or for the error.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Error>> {
        if !ready!(self.channel.poll_open(cx, self.timeout)) {
            let kind =
                ConnectErrorKind::Timeout { step: ConnectStep::Unknown, after: self.timeout };
            return Poll::Ready(Some(ConnectError::new(self.channel.url(), kind).into()));
        }
        let inbox = self.channel.inbox();
        if inbox.is_opened() {
            return Poll::Ready(None);
        }
        Poll::Ready(inbox.take_error().or_else(|| Some(Error::closed(inbox.event()))))
    }
}

impl Future for Connecting {
    type Output = Result<PlatformChannel, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut opening = match mem::replace(&mut self.0, Attempt::Over) {
            Attempt::Prepared(connect) => connect.start()?,
            Attempt::Opening(opening) => opening,
            Attempt::Over => return Poll::Ready(Err(Error::closed(None))),
        };
        match opening.poll(cx) {
            Poll::Pending => {
                self.0 = Attempt::Opening(opening);
                Poll::Pending
            }
            Poll::Ready(None) => Poll::Ready(Ok(opening.channel)),
            Poll::Ready(Some(error)) => Poll::Ready(Err(error)),
        }
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").finish_non_exhaustive()
    }
}
