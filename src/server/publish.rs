//! One message for many peers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::protocol::Prepared;
use crate::server::hub::Hub;
use crate::server::outgoing::Outgoing;
use crate::server::peer::PeerId;
use crate::server::sending::{Offer, offer, settle};
use crate::server::topics::Subscribers;
use crate::server::waiters::Ticket;
use crate::server::{Peer, SlowPeer};

/// Who is to get it.
#[derive(Debug)]
pub(super) enum Receivers {
    One(Subscribers),
    Many(Vec<Subscribers>),
    All(Vec<Peer>),
}

/// A message being published: queued already for all peers that have room; made by
/// [`Hub::publish`] and [`Peer::publish`].
///
/// Awaited, it tells what became of it, and where the policy is [`SlowPeer::Wait`], waits for the
/// peers whose queues are full. Code that is not async drops it.
#[derive(Debug)]
#[must_use = "peers whose queues are full are waited for when it is awaited; `drop(…)` it if they need not be"]
pub struct Publish {
    hub: Hub,
    message: Prepared,
    published: Published,
    waiting: Vec<Waiting>,
}

/// A peer whose queue is full.
#[derive(Debug)]
struct Waiting {
    peer: Peer,
    ticket: Ticket,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.peer.outbox().leave(&self.ticket);
    }
}

/// What became of a published message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// How many peers it was queued for.
    pub queued: usize,
    /// How many it was dropped for, since their queues were full.
    pub dropped: usize,
    /// How many were closed, since their queues were full, or were about to end.
    pub closed: usize,
}

impl Publish {
    pub(super) fn new(
        hub: &Hub,
        receivers: Receivers,
        message: Prepared,
        except: Option<PeerId>,
    ) -> Self {
        let mut publish = Self {
            hub: hub.clone(),
            message,
            published: Published::default(),
            waiting: Vec::new(),
        };
        match receivers {
            Receivers::One(peers) => publish.push(&peers, except),
            Receivers::Many(topics) => topics.iter().for_each(|peers| publish.push(peers, except)),
            Receivers::All(peers) => publish.push(&peers, except),
        }
        publish
    }

    fn push(&mut self, peers: &[Peer], except: Option<PeerId>) {
        let options = self.hub.options();
        for peer in peers {
            if except == Some(peer.id()) {
                continue;
            }
            let message = Outgoing::Shared(self.message.clone());
            let pushed = peer.outbox().push(message, options.queue_size);
            let offered = settle(peer, pushed, &options.slow_publishes);
            if !self.published.note(&offered) {
                self.waiting.push(Waiting { peer: peer.clone(), ticket: Ticket::default() });
            }
        }
    }

    /// Waits for nobody.
    pub(super) fn give_up(mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            waiting.peer.drop_message();
        }
    }
}

impl Published {
    /// Counts; false if it is not yet known what becomes of it.
    fn note(&mut self, offer: &Offer) -> bool {
        match offer {
            Offer::Queued => self.queued += 1,
            Offer::Dropped => self.dropped += 1,
            Offer::Closed => self.closed += 1,
            Offer::Waits(_) => return false,
        }
        true
    }
}

impl Future for Publish {
    type Output = Published;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Published> {
        let this = &mut *self;
        let (published, message) = (&mut this.published, &this.message);
        this.waiting.retain_mut(|Waiting { peer, ticket }| {
            let message = Outgoing::Shared(message.clone());
            !published.note(&offer(peer, message, &SlowPeer::Wait, ticket, cx))
        });
        if this.waiting.is_empty() { Poll::Ready(this.published) } else { Poll::Pending }
    }
}
