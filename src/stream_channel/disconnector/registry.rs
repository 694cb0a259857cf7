//! Who is to be ended, and who waits for that.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::super::waiting::Waiting;

/// What the clones of a disconnector share.
#[derive(Default)]
pub(super) struct Shared {
    disconnected: AtomicBool,
    registry: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    next: u64,
    /// The channels that are not closed yet.
    members: BTreeMap<u64, Arc<Waiting>>,
    /// Who waits until there is none.
    waiting: BTreeMap<u64, Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_disconnected(&self) -> bool {
        self.disconnected.load(Ordering::SeqCst)
    }

    /// How many channels are not closed yet.
    pub(super) fn len(&self) -> usize {
        self.lock().members.len()
    }

    /// Has the channels closed by those who have them.
    pub(super) fn disconnect(&self) {
        if !self.disconnected.swap(true, Ordering::SeqCst) {
            let members: Vec<_> = self.lock().members.values().map(Arc::clone).collect();
            for member in members {
                member.wake();
            }
        }
    }

    /// Ready when all channels are closed. `id` is the place of whoever waits.
    pub(super) fn poll_closed(&self, id: &mut Option<u64>, cx: &Context<'_>) -> Poll<()> {
        let mut registry = self.lock();
        if registry.members.is_empty() {
            return Poll::Ready(());
        }
        let id = *id.get_or_insert(registry.next);
        registry.next = registry.next.max(id + 1);
        let before = registry.waiting.insert(id, cx.waker().clone());
        drop(registry);
        // A waker may hold the last of a task that has a channel.
        drop(before);
        Poll::Pending
    }

    /// Nobody waits there any more.
    pub(super) fn forget(&self, id: u64) {
        let waker = self.lock().waiting.remove(&id);
        drop(waker);
    }

    fn join(&self, waiting: Arc<Waiting>) -> u64 {
        let mut registry = self.lock();
        let id = registry.next;
        registry.next += 1;
        registry.members.insert(id, waiting);
        id
    }

    fn leave(&self, id: u64) {
        let mut registry = self.lock();
        registry.members.remove(&id);
        if registry.members.is_empty() {
            let waiting = std::mem::take(&mut registry.waiting);
            drop(registry);
            waiting.into_values().for_each(Waker::wake);
        }
    }
}

/// A channel's place with its disconnector.
pub(super) struct Member {
    shared: Arc<Shared>,
    id: u64,
    pub(super) waiting: Arc<Waiting>,
    /// `waiting`: both halves may drive the closing.
    pub(super) waker: Waker,
}

impl Member {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let waiting = Arc::new(Waiting::default());
        Self {
            waker: Waker::from(Arc::clone(&waiting)),
            id: shared.join(Arc::clone(&waiting)),
            waiting,
            shared: Arc::clone(shared),
        }
    }

    pub(super) fn is_disconnected(&self) -> bool {
        self.shared.is_disconnected()
    }

    /// The channel is closed.
    pub(super) fn leave(&self) {
        self.shared.leave(self.id);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.leave();
    }
}
