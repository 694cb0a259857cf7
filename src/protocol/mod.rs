//! The WebSocket protocol (RFC 6455) without any I/O.
mod close;
pub(crate) mod connection;
pub(crate) mod fault;
mod frame;
pub(crate) mod handshake;
pub(crate) mod header;
pub(crate) mod keepalive;
mod mask;
mod message;
pub(crate) mod receiver;
pub(crate) mod request;
mod state;
mod text;
mod transmitter;
mod violation;

pub use close::{CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame};
pub use handshake::{Handshake, HandshakeError, HandshakeFault, InvalidUpgrade, accept_key};
pub use header::InvalidHeader;
pub use message::{Message, MessageRef};
pub(crate) use request::ValidRequest;
pub use request::{InvalidRequest, Request};
pub use state::{ReadyState, Role};
pub use text::{NotUtf8, Utf8Bytes};
pub use violation::ProtocolError;

#[cfg(test)]
mod tests;
