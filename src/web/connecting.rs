//! The attempt to connect: from a URL to an open channel.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::channel::BrowserChannel;
use super::connector::{Connect, PlatformChannel};
use crate::channel::WebSocketChannel;
use crate::platform::{self, Timer};
use crate::{ConnectError, ConnectErrorKind, ConnectStep, Error};

/// An attempt to connect that is under way: the future of [`Connect`].
///
/// # Cancellation safety
///
/// Dropping it closes its socket.
#[must_use = "futures do nothing unless polled"]
pub struct Connecting {
    state: State,
}

impl Connecting {
    pub(super) fn new(connect: Connect) -> Self {
        Self { state: State::Prepared(Box::new(connect)) }
    }
}

enum State {
    Prepared(Box<Connect>),
    Opening(Box<Opening>),
    Over,
}

/// A socket whose callbacks are attached, and that is not open yet.
pub(super) struct Opening {
    channel: BrowserChannel,
    timer: Timer,
    timeout: Duration,
}

impl Opening {
    pub(super) fn new(channel: BrowserChannel, timeout: Duration) -> Self {
        Self { channel, timer: platform::timer(timeout), timeout }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let inbox = self.channel.inbox();
        if inbox.handshake().is_some() {
            return Poll::Ready(Ok(()));
        }
        if inbox.event().is_some() {
            let error = inbox.take_error();
            return Poll::Ready(Err(error.unwrap_or_else(|| Error::closed(inbox.event()))));
        }
        if self.timer.poll(cx).is_ready() {
            let kind =
                ConnectErrorKind::Timeout { step: ConnectStep::Unknown, after: self.timeout };
            return Poll::Ready(Err(ConnectError::new(self.channel.url(), kind).into()));
        }
        inbox.wait_to_write(cx);
        Poll::Pending
    }
}

impl Future for Connecting {
    type Output = Result<PlatformChannel, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut opening = match mem::replace(&mut self.state, State::Over) {
            State::Prepared(connect) => Box::new(connect.start()?),
            State::Opening(opening) => opening,
            State::Over => return Poll::Ready(Err(Error::closed(None))),
        };
        match opening.poll(cx) {
            Poll::Pending => {
                self.state = State::Opening(opening);
                Poll::Pending
            }
            Poll::Ready(Ok(())) => Poll::Ready(Ok(opening.channel)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").finish_non_exhaustive()
    }
}
