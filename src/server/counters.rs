//! What a server counts, for an exporter of metrics to read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::CloseCode;
use crate::protocol::InvalidUpgrade;
use crate::server::trace;

/// What a server has counted since it began; read with [`Hub::counters`](crate::server::Hub::counters).
///
/// Messages and bytes are added when a peer's task comes to rest, so those of the last instant may
/// be missing.
///
/// # Examples
///
/// ```
/// use ws_channel::server::{Server, hooks};
///
/// let server = Server::new(hooks());
/// let counters = server.hub().counters();
/// println!("ws_open {}", counters.open);
/// for (reason, count) in &counters.refused {
///     println!("ws_refused{{reason=\"{reason}\"}} {count}");
/// }
/// for (code, count) in &counters.closes {
///     println!("ws_closes{{code=\"{}\"}} {count}", code.as_u16());
/// }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Peers that are open now.
    pub open: usize,
    /// Peers that were accepted.
    pub accepted: u64,
    /// Requests that were refused, by reason: `max_peers`, `max_peers_per_address`, `shutdown`,
    /// `hook`, `failed` (the upgrade hook failed, or chose what may not be sent), `origin`,
    /// `not_upgrade`, `invalid`, `timeout`, `lost`.
    pub refused: BTreeMap<&'static str, u64>,
    /// Messages received.
    pub messages_received: u64,
    /// Bytes of their payload.
    pub bytes_received: u64,
    /// Messages sent.
    pub messages_sent: u64,
    /// Bytes of their payload.
    pub bytes_sent: u64,
    /// Messages that were dropped since a queue was full.
    pub messages_dropped: u64,
    /// Connections that ended, by the code of their close event.
    pub closes: BTreeMap<CloseCode, u64>,
    /// Hooks that panicked or returned an error.
    pub hooks_failed: u64,
    /// Bytes that wait to be sent, over all peers.
    pub queued: usize,
    /// Bytes that wait to be sent to the peer that has most of them.
    pub queued_most: usize,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RefusedFor {
    MaxPeers,
    MaxPeersPerAddress,
    Shutdown,
    Hook,
    Failed,
    Origin,
    NotUpgrade,
    Invalid,
    Timeout,
    Lost,
}

impl RefusedFor {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::MaxPeers => "max_peers",
            Self::MaxPeersPerAddress => "max_peers_per_address",
            Self::Shutdown => "shutdown",
            Self::Hook => "hook",
            Self::Failed => "failed",
            Self::Origin => "origin",
            Self::NotUpgrade => "not_upgrade",
            Self::Invalid => "invalid",
            Self::Timeout => "timeout",
            Self::Lost => "lost",
        }
    }
}

impl From<&InvalidUpgrade> for RefusedFor {
    fn from(fault: &InvalidUpgrade) -> Self {
        match fault {
            InvalidUpgrade::Origin(_) => Self::Origin,
            InvalidUpgrade::NotUpgrade => Self::NotUpgrade,
            _ => Self::Invalid,
        }
    }
}

/// The counters at work.
#[derive(Debug, Default)]
pub(super) struct Counting {
    accepted: AtomicU64,
    messages_received: AtomicU64,
    bytes_received: AtomicU64,
    messages_sent: AtomicU64,
    bytes_sent: AtomicU64,
    messages_dropped: AtomicU64,
    hooks_failed: AtomicU64,
    refused: Mutex<BTreeMap<&'static str, u64>>,
    closes: Mutex<BTreeMap<CloseCode, u64>>,
}

/// What one peer's task has counted, until it adds that to the server's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    messages_received: u64,
    bytes_received: u64,
    messages_sent: u64,
    bytes_sent: u64,
}

impl Tally {
    pub(super) fn received(&mut self, bytes: usize) {
        self.messages_received += 1;
        self.bytes_received += bytes as u64;
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.messages_sent += 1;
        self.bytes_sent += bytes as u64;
    }
}

impl Counting {
    pub(super) fn accept(&self) {
        add(&self.accepted, 1);
    }

    pub(super) fn refuse(&self, reason: RefusedFor) {
        trace::refused(reason.name());
        *lock(&self.refused).entry(reason.name()).or_default() += 1;
    }

    pub(super) fn drop_message(&self) {
        add(&self.messages_dropped, 1);
    }

    pub(super) fn hook_failed(&self) {
        add(&self.hooks_failed, 1);
    }

    pub(super) fn close(&self, code: CloseCode) {
        *lock(&self.closes).entry(code).or_default() += 1;
    }

    /// Adds what a peer's task has counted, and begins again.
    pub(super) fn settle(&self, tally: &mut Tally) {
        let Tally { messages_received, bytes_received, messages_sent, bytes_sent } =
            std::mem::take(tally);
        if messages_received > 0 {
            add(&self.messages_received, messages_received);
            add(&self.bytes_received, bytes_received);
        }
        if messages_sent > 0 {
            add(&self.messages_sent, messages_sent);
            add(&self.bytes_sent, bytes_sent);
        }
    }

    pub(super) fn read(&self, open: usize, queued: usize, queued_most: usize) -> Counters {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            open,
            accepted: load(&self.accepted),
            refused: lock(&self.refused).clone(),
            messages_received: load(&self.messages_received),
            bytes_received: load(&self.bytes_received),
            messages_sent: load(&self.messages_sent),
            bytes_sent: load(&self.bytes_sent),
            messages_dropped: load(&self.messages_dropped),
            closes: lock(&self.closes).clone(),
            hooks_failed: load(&self.hooks_failed),
            queued,
            queued_most,
        }
    }
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

fn lock<T>(counters: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    counters.lock().unwrap_or_else(PoisonError::into_inner)
}
