//! Spans and events for `tracing`.
//!
//! What a client may cause at will is told at the level `debug`, so that nobody fills the logs from
//! outside; `error` is for faults of the program, `warn` for those of the system. Of a request, its
//! path is told and nothing that may be secret: neither query nor headers.

use std::fmt::Display;
use std::future::Future;
use std::io;

use tracing::{Instrument, Span, debug, error, info, info_span, warn};

use crate::CloseEvent;
use crate::error::Chain;
use crate::server::{Peer, PeerError, PeerRequest, ShutdownSummary};

/// Where all of it is from, for filters.
const TARGET: &str = "ws_channel::server";

/// Runs in a span.
pub(super) fn inside<F: Future>(span: Span, future: F) -> impl Future<Output = F::Output> {
    future.instrument(span)
}

/// Around the upgrade hook.
pub(super) fn upgrade_span(request: &PeerRequest) -> Span {
    info_span!(
        target: TARGET,
        "upgrade",
        path = request.path(),
        remote_addr = request.remote_addr().map(tracing::field::display),
    )
}

/// Around all other hooks of a peer.
pub(super) fn peer_span(peer: &Peer) -> Span {
    info_span!(
        target: TARGET,
        "peer",
        id = peer.id().0,
        path = peer.request().path(),
        remote_addr = peer.remote_addr().map(tracing::field::display),
        protocol = peer.protocol(),
    )
}

/// The upgrade hook failed, or chose what may not be sent.
pub(super) fn upgrade_failed(request: &PeerRequest, why: &dyn Display) {
    error!(target: TARGET, path = request.path(), error = %why, "the upgrade failed");
}

pub(super) fn refused(reason: &str) {
    debug!(target: TARGET, reason, "refused");
}

pub(super) fn opened() {
    debug!(target: TARGET, "open");
}

pub(super) fn failed(failure: &PeerError) {
    let why = Chain(failure);
    if let PeerError::Connection(_) = failure {
        debug!(target: TARGET, error = ?why, "the connection broke");
    } else {
        error!(target: TARGET, error = ?why, "a hook failed");
    }
}

pub(super) fn closed(event: &CloseEvent) {
    let (code, reason) = (event.code.as_u16(), event.reason.as_str());
    debug!(target: TARGET, code, reason, was_clean = event.was_clean, "closed");
}

/// A message was dropped since a queue was full.
pub(super) fn dropped(peer: &Peer) {
    debug!(target: TARGET, peer = peer.id().0, "reads too slowly: a message was dropped");
}

/// A peer is closed since its queue was full.
pub(super) fn too_slow(peer: &Peer) {
    debug!(target: TARGET, peer = peer.id().0, "reads too slowly: it is closed");
}

pub(super) fn listener_failed(error: &io::Error) {
    warn!(target: TARGET, %error, "accepting failed, and pauses");
}

pub(super) fn shutting_down(peers: usize) {
    info!(target: TARGET, peers, "shutting down");
}

pub(super) fn shut_down(summary: ShutdownSummary) {
    let ShutdownSummary { closed, cut_off } = summary;
    info!(target: TARGET, closed, cut_off, "shut down");
}
