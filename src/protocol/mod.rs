//! The WebSocket protocol (RFC 6455) without any I/O.
mod close;
pub(crate) mod connection;
pub(crate) mod fault;
mod frame;
pub(crate) mod keepalive;
mod mask;
mod message;
pub(crate) mod receiver;
mod state;
mod text;
mod transmitter;
mod violation;

pub use close::{CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame};
pub use message::{Message, MessageRef};
pub use state::{ReadyState, Role};
pub use text::{NotUtf8, Utf8Bytes};
pub use violation::ProtocolError;
