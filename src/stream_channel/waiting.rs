//! Who waits for a channel that two tasks poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};

use futures::task::AtomicWaker;

/// One half's task.
#[derive(Default)]
pub(crate) struct Half {
    waker: AtomicWaker,
    /// Whether it waits. A stale waker is left where it is, since the next wait mostly brings the
    /// same one.
    waits: AtomicBool,
    /// How often it was woken, waiting or not.
    woken: AtomicUsize,
}

impl Half {
    pub(crate) fn wake(&self) {
        // Either this sees that the half waits, or the half sees that it was woken: see `wait`.
        self.woken.fetch_add(1, Ordering::SeqCst);
        if self.waits.load(Ordering::SeqCst) {
            self.waker.wake();
        }
    }

    /// Polls, and registers the task of `cx` only if it has to wait: most polls do not.
    pub(crate) fn poll<T>(&self, cx: &Context<'_>, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let before = self.woken.load(Ordering::Acquire);
        self.waits.store(false, Ordering::Relaxed);
        let result = poll();
        if result.is_pending() {
            self.wait(cx, before);
        }
        result
    }

    fn wait(&self, cx: &Context<'_>, before: usize) {
        self.waker.register(cx.waker());
        self.waits.store(true, Ordering::SeqCst);
        if self.woken.load(Ordering::SeqCst) != before {
            // It was woken while it was polled, before it could be seen to wait.
            cx.waker().wake_by_ref();
        }
    }
}

/// Who waits for the channel.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) sink: Half,
    pub(crate) stream: Half,
}

impl Waiting {
    /// Wakes both.
    pub(crate) fn wake(&self) {
        self.stream.wake();
        self.sink.wake();
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        Self::wake(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Self::wake(self);
    }
}
