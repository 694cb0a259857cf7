//! Waiting until all are closed.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::registry::Shared;

/// The future of [`disconnect`](super::Disconnector::disconnect).
///
/// Not lazy: the channels end without it.
pub struct Disconnecting {
    shared: Arc<Shared>,
    /// Its place with those that wait.
    id: Option<u64>,
}

impl Disconnecting {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), id: None }
    }
}

impl Future for Disconnecting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.poll_closed(&mut this.id, cx)
    }
}

impl Drop for Disconnecting {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shared.forget(id);
        }
    }
}

impl fmt::Debug for Disconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disconnecting").finish_non_exhaustive()
    }
}
