//! ws_channel

pub(crate) mod adapter;
mod error;
pub mod status;

#[path = "platform/native.rs"]
mod platform;
mod protocol;

pub use adapter::{Options, WebSocketAdapter};
pub use error::Error;
pub use protocol::{
    CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame, Message, MessageRef, NotUtf8,
    ProtocolError, ReadyState, Role, Utf8Bytes,
};

/// Negotiated facts.
#[derive(Clone, Debug, Default)]
pub struct Handshake;

/// stub
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct ConnectError;
/// stub
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct AcceptError;
impl ConnectError {
    fn is_timeout(&self) -> bool {
        false
    }
}
impl AcceptError {
    fn is_timeout(&self) -> bool {
        false
    }
}
