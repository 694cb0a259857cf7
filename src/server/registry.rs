//! All peers of a server that are open.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::server::Peer;
use crate::server::peer::PeerId;

/// How many locks share the peers.
const SHARDS: usize = 16;

type Shard = HashMap<PeerId, Peer>;

/// The peers, in shards, so that those who come and go at the same time do not wait for each
/// other.
#[derive(Debug, Default)]
pub(super) struct Registry {
    shards: [Mutex<Shard>; SHARDS],
}

impl Registry {
    pub(super) fn add(&self, peer: &Peer) {
        self.shard(peer.id()).insert(peer.id(), peer.clone());
    }

    pub(super) fn remove(&self, id: PeerId) {
        self.shard(id).remove(&id);
    }

    pub(super) fn get(&self, id: PeerId) -> Option<Peer> {
        self.shard(id).get(&id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Peer> {
        let mut peers = Vec::new();
        for shard in &self.shards {
            peers.extend(lock(shard).values().cloned());
        }
        peers
    }

    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "modulo the length"
    )]
    fn shard(&self, id: PeerId) -> MutexGuard<'_, Shard> {
        lock(&self.shards[id.0 as usize % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
