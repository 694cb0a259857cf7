//! ws_channel

pub(crate) mod adapter;
mod boxed;
mod channel;
mod connect;
mod error;
mod split;
pub mod status;
mod stream_channel;

#[path = "platform/native.rs"]
mod platform;
mod protocol;

pub use adapter::{Options, WebSocketAdapter};
pub use boxed::{BoxWebSocketChannel, LocalBoxWebSocketChannel};
pub use channel::{Close, Ready, WebSocketChannel};
pub use connect::{Endpoint, connect};
pub use error::Error;
pub use protocol::{
    CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame, Message, MessageRef, NotUtf8,
    ProtocolError, ReadyState, Role, Utf8Bytes,
};
pub use split::{CloseSink, WebSocketSink, WebSocketStream};
pub use stream_channel::StreamChannel;

/// Negotiated facts.
#[derive(Clone, Debug, Default)]
pub struct Handshake;
impl Handshake {
    fn url(&self) -> &str {
        ""
    }
    fn protocol(&self) -> Option<&str> {
        None
    }
    fn extensions(&self) -> &str {
        ""
    }
}

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
