//! ws_channel

mod accept_error;
pub(crate) mod adapter;
mod boxed;
mod channel;
mod connect;
mod connect_error;
mod error;
#[cfg(not(target_family = "wasm"))]
mod native;
mod split;
pub mod status;
mod stream_channel;

#[path = "platform/native.rs"]
mod platform;
mod protocol;

pub use accept_error::AcceptError;
pub use adapter::{
    Accept, Accepting, ClientHandshake, ClientHandshaking, Incoming, Options, Receiving, Rejecting,
    WebSocketAdapter,
};
pub use boxed::{BoxWebSocketChannel, LocalBoxWebSocketChannel};
pub use channel::{Close, Ready, WebSocketChannel};
pub use connect::{Endpoint, connect};
pub use connect_error::{ConnectError, ConnectErrorKind};
pub use error::Error;
#[cfg(all(any(feature = "rustls", feature = "native-tls"), not(target_family = "wasm")))]
pub use native::Tls;
#[cfg(not(target_family = "wasm"))]
pub use native::TungsteniteChannel;
#[cfg(all(feature = "connect", not(target_family = "wasm")))]
pub use native::{Connect, Connecting, PlatformChannel, Transport};
pub use protocol::{
    CloseCode, CloseEvent, CloseFrame, Handshake, HandshakeError, HandshakeFault, Initiator,
    InvalidCloseFrame, InvalidHeader, InvalidRequest, InvalidUpgrade, Message, MessageRef, NotUtf8,
    ProtocolError, ReadyState, Request, Role, Utf8Bytes, accept_key,
};
pub use split::{CloseSink, WebSocketSink, WebSocketStream};
pub use stream_channel::StreamChannel;
