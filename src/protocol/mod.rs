//! The WebSocket protocol (RFC 6455) without any I/O.
mod close;
mod message;
mod state;
mod text;
mod violation;

pub use close::{CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame};
pub use message::{Message, MessageRef};
pub use state::{ReadyState, Role};
pub use text::{NotUtf8, Utf8Bytes};
pub use violation::ProtocolError;
