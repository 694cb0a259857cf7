//! The end of a server.

use std::collections::HashSet;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use crate::channel::close_frame;
use crate::protocol::CloseFrame;
use crate::server::Peer;
use crate::server::hub::Hub;
use crate::server::trace;
use crate::{CloseCode, Error, status};

/// How long hooks that were cut off, and those that are told the end, may take.
const GRACE: Duration = Duration::from_secs(1);

/// A server's shutdown, to be awaited; made by [`Hub::shutdown`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use ws_channel::server::Hub;
/// use ws_channel::status;
///
/// async fn restart(hub: &Hub) -> Result<(), ws_channel::Error> {
///     let ended = hub
///         .shutdown()
///         .close_with(status::SERVICE_RESTART, "back in a minute")?
///         .deadline(Duration::from_secs(5))
///         .await;
///     println!("{} peers were closed, {} cut off", ended.closed, ended.cut_off);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "a shutdown does nothing until it is awaited"]
pub struct Shutdown {
    hub: Hub,
    frame: Option<CloseFrame>,
    deadline: Duration,
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownSummary {
    /// How many peers were closed in time.
    pub closed: usize,
    /// How many had not ended at the deadline, and were dropped.
    pub cut_off: usize,
}

impl Shutdown {
    pub(super) fn new(hub: Hub) -> Self {
        let frame = CloseFrame::new(status::GOING_AWAY, "the server shuts down").ok();
        Self { hub, frame, deadline: Duration::from_secs(10) }
    }

    /// Sets what the peers are told. Default: 1001 (going away).
    ///
    /// # Errors
    ///
    /// [`Error::CloseFrame`] if the code or the reason may not be sent.
    pub fn close_with<K>(mut self, code: K, reason: impl Into<String>) -> Result<Self, Error>
    where
        K: TryInto<CloseCode>,
        Error: From<K::Error>,
    {
        self.frame = Some(close_frame(code, reason.into())?);
        Ok(self)
    }

    /// Sets how long the peers and their hooks may take to end. Default: 10 s.
    ///
    /// After it transports are dropped, and hooks that still run are cancelled; `close` hooks are
    /// called all the same, and may take a second more.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn run(self) -> ShutdownSummary {
        let Self { hub, frame, deadline } = self;
        let Some(frame) = frame else { return ShutdownSummary { closed: 0, cut_off: 0 } };
        hub.gate().shut(frame.clone());
        let peers = hub.peers();
        trace::shutting_down(peers.len());
        for peer in &peers {
            peer.start_close(frame.clone());
        }
        let _ = tokio::time::timeout(deadline, hub.gate().empty()).await;
        let left = hub.live();
        for peer in &left {
            peer.outbox().abort();
        }
        let _ = tokio::time::timeout(GRACE, hub.gate().empty()).await;
        hub.gate().end();
        // There are others left than those that were told to close: whose end had begun before.
        let late: HashSet<_> = left.iter().map(Peer::id).collect();
        let closed = peers.iter().filter(|peer| !late.contains(&peer.id())).count();
        let summary = ShutdownSummary { closed, cut_off: left.len() };
        trace::shut_down(summary);
        summary
    }
}

impl IntoFuture for Shutdown {
    type Output = ShutdownSummary;
    type IntoFuture = Pin<Box<dyn Future<Output = ShutdownSummary> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
