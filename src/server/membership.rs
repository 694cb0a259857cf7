//! The topics that a peer is in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::protocol::Prepared;
use crate::server::{Peer, Publish};

/// Which topics a peer is in.
#[derive(Debug, Default)]
pub(super) struct Subscriptions(Mutex<Names>);

#[derive(Debug, Default)]
struct Names {
    names: Vec<Box<str>>,
    /// The connection is over: they are the names that it was in.
    over: bool,
}

impl Subscriptions {
    fn lock(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    /// Joins a topic of its [namespace](Self::namespace); whether it was not in it before.
    ///
    /// Nothing happens after the end of the connection, which leaves all topics. A program whose
    /// clients name the topics bounds how many each of them joins.
    pub fn subscribe(&self, topic: &str) -> bool {
        let mut own = self.subscriptions().lock();
        let is_new = !own.over && self.hub().topics().add(self.namespace(), topic, self);
        if is_new {
            own.names.push(topic.into());
        }
        is_new
    }

    /// Leaves a topic; whether it was in it.
    pub fn unsubscribe(&self, topic: &str) -> bool {
        let mut own = self.subscriptions().lock();
        let was_in = !own.over && self.hub().topics().remove(self.namespace(), topic, self);
        if was_in {
            if let Some(at) = own.names.iter().rposition(|name| **name == *topic) {
                own.names.swap_remove(at);
            }
        }
        was_in
    }

    /// The topics that it is in; in the hooks `error` and `close`, those that it was in.
    pub fn topics(&self) -> Vec<String> {
        self.subscriptions().lock().names.iter().map(|name| String::from(&**name)).collect()
    }

    /// Sends a message to all peers in a topic of its [namespace](Self::namespace) but itself; it
    /// need not be in the topic.
    ///
    /// As [`Hub::publish`](crate::server::Hub::publish).
    pub fn publish(&self, topic: &str, message: impl Into<Prepared>) -> Publish {
        self.hub().publish_in(self.namespace(), topic, message.into(), Some(self.id()))
    }

    /// Leaves all topics for good.
    pub(super) fn leave_topics(&self) {
        let mut own = self.subscriptions().lock();
        if !own.over {
            own.over = true;
            for topic in &own.names {
                self.hub().topics().remove(self.namespace(), topic, self);
            }
        }
    }
}
