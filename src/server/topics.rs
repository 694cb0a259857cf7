//! Who is in which topic.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::server::Peer;

/// The subscribers of a topic, in the order of their numbers.
///
/// Behind an `Arc`, so that a publisher walks through them without a lock: who subscribes
/// meanwhile changes a copy.
pub(super) type Subscribers = Arc<Vec<Peer>>;

type Namespace = HashMap<Box<str>, Subscribers>;

/// The topics of all namespaces. A topic exists as long as somebody is in it.
#[derive(Debug, Default)]
pub(super) struct Topics(RwLock<HashMap<Box<str>, Namespace>>);

impl Topics {
    /// Whether it was not in it before.
    pub(super) fn add(&self, namespace: &str, topic: &str, peer: &Peer) -> bool {
        let mut spaces = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let space = match spaces.get_mut(namespace) {
            Some(space) => space,
            None => spaces.entry(namespace.into()).or_default(),
        };
        let subscribers = match space.get_mut(topic) {
            Some(subscribers) => subscribers,
            None => space.entry(topic.into()).or_default(),
        };
        // Numbers grow: mostly it is the last.
        match subscribers.binary_search_by_key(&peer.id(), Peer::id) {
            Ok(_) => false,
            Err(at) => {
                Arc::make_mut(subscribers).insert(at, peer.clone());
                true
            }
        }
    }

    /// Whether it was in it.
    pub(super) fn remove(&self, namespace: &str, topic: &str, peer: &Peer) -> bool {
        let mut spaces = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some(space) = spaces.get_mut(namespace) else { return false };
        let Some(subscribers) = space.get_mut(topic) else { return false };
        let Ok(at) = subscribers.binary_search_by_key(&peer.id(), Peer::id) else { return false };
        if subscribers.len() > 1 {
            Arc::make_mut(subscribers).remove(at);
            return true;
        }
        space.remove(topic);
        if space.is_empty() {
            spaces.remove(namespace);
        }
        true
    }

    /// Who is in a topic; `None` if nobody is.
    pub(super) fn subscribers(&self, namespace: &str, topic: &str) -> Option<Subscribers> {
        let spaces = self.0.read().unwrap_or_else(PoisonError::into_inner);
        spaces.get(namespace)?.get(topic).cloned()
    }

    /// Who is in a topic of this name, in each namespace.
    pub(super) fn everywhere(&self, topic: &str) -> Vec<Subscribers> {
        let spaces = self.0.read().unwrap_or_else(PoisonError::into_inner);
        spaces.values().filter_map(|space| space.get(topic)).cloned().collect()
    }
}
