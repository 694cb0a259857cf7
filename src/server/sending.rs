//! The futures of a peer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::server::outbox::{Drained, Outgoing, Push};
use crate::server::peer::Delivery;
use crate::server::{Peer, SlowPeer};
use crate::{CloseEvent, Error};

/// A message being sent; the future of [`Peer::send`].
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct Sending<'a> {
    peer: &'a Peer,
    message: Option<Outgoing>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(peer: &'a Peer, message: Outgoing) -> Self {
        Self { peer, message: Some(message) }
    }
}

impl Future for Sending<'_> {
    type Output = Result<Delivery, Error>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let peer = self.peer;
        let message = self.message.take().expect("polled after completion");
        Poll::Ready(match offer(peer, message, &peer.hub().options().slow_sends, cx) {
            Offer::Queued => Ok(Delivery::Queued),
            Offer::Dropped => Ok(Delivery::Dropped),
            Offer::Closed => Err(peer.closed_error()),
            Offer::Waits(message) => {
                self.message = Some(message);
                return Poll::Pending;
            }
        })
    }
}

/// What became of a message under a policy.
#[derive(Debug)]
pub(super) enum Offer {
    Queued,
    Dropped,
    Closed,
    /// The task is woken when there may be room.
    Waits(Outgoing),
}

/// Puts a message into a peer's queue; if that is full, does what the policy says.
pub(super) fn offer(peer: &Peer, message: Outgoing, policy: &SlowPeer, cx: &Context<'_>) -> Offer {
    let limit = peer.hub().options().queue_size;
    let pushed = match policy {
        SlowPeer::Wait => peer.outbox().push_or_wait(message, limit, cx),
        _ => peer.outbox().push(message, limit),
    };
    settle(peer, pushed, policy)
}

/// What a policy makes of the outcome.
pub(super) fn settle(peer: &Peer, pushed: Push, policy: &SlowPeer) -> Offer {
    match (pushed, policy) {
        (Push::Queued, _) => Offer::Queued,
        (Push::Closed, _) => Offer::Closed,
        (Push::Full(message), SlowPeer::Wait) => Offer::Waits(message),
        (Push::Full(_), SlowPeer::DropMessage) => {
            peer.hub().counting().drop_message();
            Offer::Dropped
        }
        (Push::Full(_), SlowPeer::Close(frame)) => {
            peer.outbox().close(frame.clone(), true);
            Offer::Closed
        }
    }
}

/// The future of [`Peer::drained`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Draining<'a> {
    pub(super) peer: &'a Peer,
}

impl Future for Draining<'_> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.peer.outbox().is_drained(cx) {
            Some(Drained::Empty) => Poll::Ready(Ok(())),
            Some(Drained::Closed(event)) => Poll::Ready(Err(Error::closed(event.as_ref()))),
            None => Poll::Pending,
        }
    }
}

/// The end of a connection that is being closed; made by [`Peer::close`].
///
/// The closing has begun, and goes on whether or not this is awaited.
#[derive(Debug)]
pub struct Closed<'a> {
    pub(super) peer: &'a Peer,
    pub(super) refused: Option<Error>,
}

impl Future for Closed<'_> {
    type Output = Result<CloseEvent, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(error) = self.refused.take() {
            return Poll::Ready(Err(error));
        }
        match self.peer.outbox().ended(cx) {
            Some(event) => Poll::Ready(Ok(event)),
            None => Poll::Pending,
        }
    }
}
