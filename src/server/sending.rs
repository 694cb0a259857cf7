//! The futures of a peer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::server::outbox::{Drained, Push};
use crate::server::outgoing::Outgoing;
use crate::server::peer::Delivery;
use crate::server::waiters::Ticket;
use crate::server::{Peer, SlowPeer};
use crate::{CloseEvent, Error};

/// A message being sent; the future of [`Peer::send`].
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct Sending<'a> {
    peer: &'a Peer,
    message: Option<Outgoing>,
    ticket: Ticket,
}

impl<'a> Sending<'a> {
    pub(super) fn new(peer: &'a Peer, message: Outgoing) -> Self {
        Self { peer, message: Some(message), ticket: Ticket::default() }
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
        let policy = &peer.hub().options().slow_sends;
        Poll::Ready(match offer(peer, message, policy, &mut self.ticket, cx) {
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

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.peer.outbox().leave(&self.ticket);
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
pub(super) fn offer(
    peer: &Peer,
    message: Outgoing,
    policy: &SlowPeer,
    ticket: &mut Ticket,
    cx: &Context<'_>,
) -> Offer {
    let limit = peer.hub().options().queue_size;
    let pushed = match policy {
        SlowPeer::Wait => peer.outbox().push_or_wait(message, limit, ticket, cx),
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
            peer.drop_message();
            Offer::Dropped
        }
        (Push::Full(_), SlowPeer::Close(frame)) => {
            peer.close_as_slow(frame);
            Offer::Closed
        }
    }
}

/// The future of [`Peer::drained`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Draining<'a> {
    peer: &'a Peer,
    ticket: Ticket,
}

impl<'a> Draining<'a> {
    pub(super) fn new(peer: &'a Peer) -> Self {
        Self { peer, ticket: Ticket::default() }
    }
}

impl Future for Draining<'_> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.peer.outbox().is_drained(&mut self.ticket, cx) {
            Some(Drained::Empty) => Poll::Ready(Ok(())),
            Some(Drained::Closed(event)) => Poll::Ready(Err(Error::closed(event.as_ref()))),
            None => Poll::Pending,
        }
    }
}

impl Drop for Draining<'_> {
    fn drop(&mut self) {
        self.peer.outbox().leave(&self.ticket);
    }
}

/// The end of a connection that is being closed; made by [`Peer::close`].
///
/// The closing has begun, and goes on whether or not this is awaited.
#[derive(Debug)]
pub struct Closed<'a> {
    ending: Ending<'a>,
    refused: Option<Error>,
}

impl<'a> Closed<'a> {
    pub(super) fn new(peer: &'a Peer, refused: Option<Error>) -> Self {
        Self { ending: Ending::new(peer), refused }
    }
}

impl Future for Closed<'_> {
    type Output = Result<CloseEvent, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.refused.take() {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.ending).poll(cx).map(Ok),
        }
    }
}

/// The end of a connection, whoever begins it.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    peer: &'a Peer,
    ticket: Ticket,
}

impl<'a> Ending<'a> {
    pub(super) fn new(peer: &'a Peer) -> Self {
        Self { peer, ticket: Ticket::default() }
    }
}

impl Future for Ending<'_> {
    type Output = CloseEvent;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CloseEvent> {
        match self.peer.outbox().ended(&mut self.ticket, cx) {
            Some(event) => Poll::Ready(event),
            None => Poll::Pending,
        }
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.peer.outbox().leave(&self.ticket);
    }
}
