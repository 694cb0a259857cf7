//! Who waits for the channel below.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use super::super::waiting::Waiting;

/// The tasks of all virtual channels: each of them drives the channel below, so all are woken for it.
#[derive(Default)]
pub(super) struct Wakers {
    all: Mutex<Vec<Arc<Waiting>>>,
}

impl Wakers {
    pub(super) fn join(&self, waiting: &Arc<Waiting>) {
        self.lock().push(Arc::clone(waiting));
    }

    pub(super) fn leave(&self, waiting: &Arc<Waiting>) {
        let mut all = self.lock();
        if let Some(at) = all.iter().position(|other| Arc::ptr_eq(other, waiting)) {
            all.swap_remove(at);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Waiting>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    /// Outside the lock, as a waker may hold the last of a task that has a virtual channel. One that
    /// leaves meanwhile may put another in a place that was passed already; so from the end.
    fn wake_by_ref(self: &Arc<Self>) {
        let mut at = self.lock().len();
        while let Some(before) = at.checked_sub(1) {
            at = before;
            let waiting = self.lock().get(at).map(Arc::clone);
            if let Some(waiting) = waiting {
                waiting.wake();
            }
        }
    }
}
