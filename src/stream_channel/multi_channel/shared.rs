//! What virtual channels share, behind a lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use futures::Sink;

use super::super::waiting::Waiting;
use super::Frame;
use super::state::{Half, Limits, State};
use super::wakers::Wakers;

/// The channel below and what is known of those over it, behind a lock that is held for one poll.
pub(super) struct Shared<C, T>
where
    C: Sink<Frame<T>>,
{
    wakers: Arc<Wakers>,
    /// `wakers`, as the channel below sees it.
    waker: Waker,
    state: Mutex<State<C, T>>,
}

impl<C: Sink<Frame<T>>, T> Shared<C, T> {
    pub(super) fn new(inner: C, limits: Limits) -> Arc<Self> {
        let wakers = Arc::new(Wakers::default());
        Arc::new(Self {
            waker: Waker::from(Arc::clone(&wakers)),
            wakers,
            state: Mutex::new(State::new(inner, limits)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<C, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for the tasks of a new virtual channel.
    pub(super) fn waiting(&self) -> Arc<Waiting> {
        let waiting = Arc::default();
        self.wakers.join(&waiting);
        waiting
    }

    pub(super) fn left(&self, waiting: &Arc<Waiting>) {
        self.wakers.leave(waiting);
    }

    /// Works with the state. Tasks are woken and messages dropped after that, since either may use a
    /// virtual channel.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut State<C, T>, &mut Context<'_>) -> R) -> R {
        let mut state = self.lock();
        let result = work(&mut state, &mut Context::from_waker(&self.waker));
        if state.woken.is_empty() && state.dropped.is_empty() {
            return result;
        }
        let (mut woken, dropped) =
            (std::mem::take(&mut state.woken), std::mem::take(&mut state.dropped));
        drop(state);
        for (waiting, half) in woken.drain(..) {
            match half {
                Half::Stream => waiting.stream.wake(),
                Half::Sink => waiting.sink.wake(),
                Half::Both => waiting.wake(),
            }
        }
        drop(dropped);
        // Its room is used again.
        let mut state = self.lock();
        if state.woken.is_empty() {
            state.woken = woken;
        }
        drop(state);
        result
    }
}
