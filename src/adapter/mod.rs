//! The protocol over any byte stream.
pub(crate) mod options;

use bytes::BytesMut;

use crate::Handshake;
use crate::protocol::Role;

pub use options::Options;

/// A WebSocket channel over any byte stream.
#[derive(Debug)]
pub struct WebSocketAdapter<S> {
    io: S,
    handshake: Handshake,
}

impl<S> WebSocketAdapter<S> {
    /// A channel after the handshake, with the bytes that came behind it.
    pub(crate) fn new(
        io: S,
        _role: Role,
        handshake: Handshake,
        _options: Options,
        _read_ahead: BytesMut,
    ) -> Self {
        Self { io, handshake }
    }
}
