//! A WebSocket whose answer the HTTP server sends.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use hyper::upgrade::OnUpgrade;

use crate::adapter::exchange::Deadline;
use crate::protocol::{Handshake, Role};
use crate::upgrade::Upgraded;
use crate::{AcceptError, Error, Options, WebSocketAdapter};

/// A WebSocket being opened by an HTTP server; the future of
/// [`Upgrade::answer`](crate::Upgrade::answer).
///
/// # Errors
///
/// [`Error::Accept`] if the request was refused, the client went away, the HTTP server did not send
/// the response or does not hand over its connection, or the timeout passed.
///
/// # Cancellation safety
///
/// Dropping it ends the connection, once it is handed over.
#[derive(Debug)]
#[must_use = "the connection ends unless the channel is awaited"]
pub struct Upgrading(State);

#[derive(Debug)]
enum State {
    Waiting { on_upgrade: OnUpgrade, deadline: Deadline, handshake: Handshake, options: Options },
    Failed(AcceptError),
    Done,
}

impl Upgrading {
    pub(super) fn new(
        on_upgrade: OnUpgrade,
        handshake: Handshake,
        options: Options,
        timeout: Duration,
    ) -> Self {
        let deadline = Deadline::new(Some(timeout));
        Self(State::Waiting { on_upgrade, deadline, handshake, options })
    }

    pub(super) fn failed(error: AcceptError) -> Self {
        Self(State::Failed(error))
    }
}

impl Future for Upgrading {
    type Output = Result<WebSocketAdapter<Upgraded>, Error>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = match &mut self.0 {
            State::Waiting { on_upgrade, deadline, .. } => match Pin::new(on_upgrade).poll(cx) {
                Poll::Ready(outcome) => outcome.map_err(not_handed_over),
                Poll::Pending => match deadline.poll(cx) {
                    Poll::Ready(after) => Err(AcceptError::Timeout(after)),
                    Poll::Pending => return Poll::Pending,
                },
            },
            State::Failed(_) | State::Done => Err(AcceptError::NotHandedOver),
        };
        Poll::Ready(match (std::mem::replace(&mut self.0, State::Done), outcome) {
            (State::Waiting { handshake, options, .. }, Ok(io)) => {
                // What hyper read behind the request comes first out of its io.
                let (io, read_ahead) = (Upgraded::new(io), BytesMut::new());
                Ok(WebSocketAdapter::new(io, Role::Server, handshake, &options, read_ahead))
            }
            (State::Waiting { .. }, Err(error)) | (State::Failed(error), _) => Err(error.into()),
            (State::Done, _) => panic!("polled after completion"),
        })
    }
}

fn not_handed_over(error: hyper::Error) -> AcceptError {
    if error.is_user() {
        AcceptError::NotHandedOver
    } else {
        AcceptError::Io(io::Error::other(error))
    }
}
