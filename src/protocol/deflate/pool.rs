//! The states that no message needs just now.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::available_parallelism;

/// A stack of states that are free, one for the process.
pub(super) struct Pool<T> {
    free: Mutex<Vec<T>>,
}

impl<T> Pool<T> {
    pub(super) const fn new() -> Self {
        Self { free: Mutex::new(Vec::new()) }
    }

    /// The state that was given back last and fits.
    pub(super) fn take(&self, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let at = free.iter().rposition(fits)?;
        Some(free.remove(at))
    }

    /// Keeps a state, in place of the one that waited longest if there are enough.
    pub(super) fn give_back(&self, state: T) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let surplus = (free.len() >= most()).then(|| free.remove(0));
        free.push(state);
        drop(free);
        drop(surplus);
    }
}

/// How many states are kept: no more can be at work at once, but those of messages under way.
fn most() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| available_parallelism().map_or(1, usize::from).clamp(2, 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_fits_is_taken_and_the_oldest_is_dropped() {
        let pool = Pool::new();
        for state in 0..=most() {
            pool.give_back(state);
        }
        assert_eq!(pool.take(|&state| state == 0), None);
        assert_eq!(pool.take(|&state| state != most()), Some(most() - 1));
        assert_eq!(pool.take(|_| true), Some(most()));
    }
}
