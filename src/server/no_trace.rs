//! In place of `trace.rs` without the feature `tracing`: nothing is told.

use std::fmt::Display;
use std::future::Future;
use std::io;

use crate::CloseEvent;
use crate::server::{Peer, PeerError, PeerRequest, ShutdownSummary};

/// A span, of which there is none.
pub(super) struct Span;

pub(super) fn inside<F: Future>(_span: Span, future: F) -> impl Future<Output = F::Output> {
    future
}

pub(super) fn upgrade_span(_request: &PeerRequest) -> Span {
    Span
}

pub(super) fn peer_span(_peer: &Peer) -> Span {
    Span
}

pub(super) fn upgrade_failed(_request: &PeerRequest, _why: &dyn Display) {}

pub(super) fn refused(_reason: &str) {}

pub(super) fn opened() {}

pub(super) fn failed(_failure: &PeerError) {}

pub(super) fn closed(_event: &CloseEvent) {}

pub(super) fn dropped(_peer: &Peer) {}

pub(super) fn too_slow(_peer: &Peer) {}

pub(super) fn listener_failed(_error: &io::Error) {}

pub(super) fn shutting_down(_peers: usize) {}

pub(super) fn shut_down(_summary: ShutdownSummary) {}
