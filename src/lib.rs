//! One WebSocket channel: a [`Stream`] of messages plus a [`Sink`] whose [`close`] takes a code and a
//! reason.
//!
//! The same channel runs over a URL, over any byte stream that already exists, over a socket that a
//! server has just upgraded, and over the browser's own socket. [`WebSocketChannel`] is what they
//! all share, and what every one of them promises.
//!
//! # A client
//!
//! ```no_run
//! use futures::{SinkExt, StreamExt};
//! use ws_channel::{Error, WebSocketChannel, status};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let mut channel = WebSocketChannel::connect("wss://example.com/chat").protocols(["chat"]).await?;
//!     channel.send("hello".into()).await?;
//!     while let Some(message) = channel.next().await {
//!         println!("{:?}", message?);
//!     }
//!     println!("the server closed: {:?}", channel.close_event());
//!     Ok(())
//! }
//! ```
//!
//! [`WebSocketChannel::connect`] takes a URL or a [`Request`]; what it returns, [`Connect`], has the
//! options and is awaited. A [`Message`] is text or binary, cheap to clone, and made from strings
//! and bytes with `into()`. [`send`] writes at once; for many messages, [`feed`] each and then
//! [`flush`].
//!
//! # A server
//!
//! ```no_run
//! use futures::{SinkExt, StreamExt};
//! use tokio::net::TcpStream;
//! use ws_channel::{Error, WebSocketAdapter};
//!
//! /// Sends every message back until the client closes.
//! async fn serve(stream: TcpStream) -> Result<(), Error> {
//!     let mut channel = WebSocketAdapter::accept(stream).protocols(["chat"]).await?;
//!     while let Some(message) = channel.next().await {
//!         channel.send(message?).await?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The listener is the program's own, and so is TLS. [`Accept::request`] shows the request before it
//! is accepted or rejected; [`Accept::allowed_origins`] is for servers that rely on cookies.
//!
//! For more than one client there is `server`: hooks for a peer's life, peers that any task can send
//! to, topics, limits, a graceful shutdown.
//!
//! With the feature `hyper` or `axum`, a request that such a server received becomes a channel, too:
//! `upgrade(&mut request)`, or in axum the extractor `Upgrade`.
//!
//! # Any byte stream
//!
//! [`WebSocketAdapter`] takes whatever implements [`AsyncRead`] and [`AsyncWrite`]: as a
//! [`client`](WebSocketAdapter::client), as a server that [`accept`](WebSocketAdapter::accept)s, or
//! [`from_upgraded`](WebSocketAdapter::from_upgraded) where the opening handshake is done. A `Stream`
//! plus a `Sink` of `Bytes` becomes a byte stream with tokio-util, as the example `byte_stream`
//! shows. `TungsteniteChannel` wraps an open stream of tokio-tungstenite. What works with every
//! channel is written for `C: WebSocketChannel + Unpin`, or takes a [`BoxWebSocketChannel`].
//!
//! # Two halves
//!
//! [`split`](WebSocketChannel::split) gives a [`WebSocketSink`] and a [`WebSocketStream`] for two
//! tasks. The reader never waits for the writer, and the peer's pings and closes are answered as long
//! as either is in use.
//!
//! # A byte stream
//!
//! [`into_io`](WebSocketChannel::into_io) makes a byte stream of a channel, for what knows no
//! messages: TLS, SSH, a multiplexer, or another WebSocket.
//!
//! # Channels of anything
//!
//! A WebSocket is a [`StreamChannel`]. The module [`stream_channel`] has what can be done with any: a
//! connected pair in memory, adapters, virtual channels over one, channels that exist before they are
//! connected, and channels that are ended from outside.
//!
//! # How it ends
//!
//! [`close`] sends what was queued and the Close frame, waits for the peer's, and is over in time
//! whatever the peer does. It resolves to a [`CloseEvent`]: the code and reason that the peer sent,
//! and whether the closing was clean. The codes with a name are in [`status`](mod@status).
//!
//! The stream yields `None` when the connection was closed, and one `Some(Err(_))` when it broke;
//! [`close_event`](WebSocketChannel::close_event) is set either way. Dropping a channel ends it at
//! once, without a closing handshake.
//!
//! # Errors
//!
//! An attempt to connect fails in its awaited result and nowhere else, with a [`ConnectError`] that
//! says to where, at what step, and what to do, and has the server's answer if there was one. A
//! server's attempt to accept fails with an [`AcceptError`] after the client got its HTTP answer. All
//! are variants of [`Error`].
//!
//! # Deadlines and limits
//!
//! All have defaults: 10 s to connect or to accept, 5 s to close, a ping after 20 s of silence,
//! messages up to 16 MiB. Each builder can set them, or takes one set of [`Options`] for many (all but
//! the first, which is the `timeout` of the attempt).
//!
//! # Platforms and features
//!
//! Natively the crate runs on tokio. Compiled for wasm32-unknown-unknown it runs in the pages and
//! workers of browsers, with the same names: [`WebSocketChannel::connect`] is over the page's own
//! socket then, and its channel is `BrowserChannel`; adapter, halves, byte streams and channels of
//! anything are as they are here. What a browser cannot do has no method there: headers, TLS, pings,
//! and servers. A token goes as a subprotocol, in the query, or in the first message:
//!
//! ```no_run
//! use futures::SinkExt;
//! use ws_channel::{Error, PlatformChannel, WebSocketChannel};
//!
//! /// On every platform the same.
//! async fn log_in(url: &str, token: &str) -> Result<PlatformChannel, Error> {
//!     let mut channel = WebSocketChannel::connect(url).protocols(["chat"]).await?;
//!     channel.send(token.into()).await?;
//!     Ok(channel)
//! }
//! ```
//!
//! - `connect` (default): connecting to a URL over TCP.
//! - `rustls` (default): `wss://` with rustls, trusting whom the platform trusts.
//! - `native-tls`: `wss://` with the system's TLS library.
//! - `deflate`: compression of messages, which clients offer and servers accept; see `Deflate`. It
//!   trades time (some 15 µs for 1 KiB) for bytes, so it is off unless asked for.
//! - `server` (default): `server`s with hooks, peers and topics.
//! - `tracing`: servers tell it of their peers, and of what fails.
//! - `hyper`: upgrades of hyper 1.
//! - `axum`: upgrades of axum 0.8.
//! - `json`: a channel of JSON documents over any channel, with serde.
//! - `codec`: a channel of what any codec of tokio-util makes of bytes.
//!
//! Without features the crate opens no sockets and runs over byte streams that the program brings.
//!
//! [`Stream`]: futures::Stream
//! [`Sink`]: futures::Sink
//! [`close`]: WebSocketChannel::close
//! [`send`]: futures::SinkExt::send
//! [`feed`]: futures::SinkExt::feed
//! [`flush`]: futures::SinkExt::flush
//! [`AsyncRead`]: tokio::io::AsyncRead
//! [`AsyncWrite`]: tokio::io::AsyncWrite

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg_attr(target_family = "wasm", allow(dead_code, unused_imports, reason = "servers are native"))]
mod accept_error;
#[cfg_attr(target_family = "wasm", allow(dead_code, unused_imports, reason = "servers are native"))]
mod adapter;
mod boxed;
mod byte_view;
mod channel;
mod coded;
mod connect;
mod connect_error;
mod deferred;
mod error;
mod io_error;
#[cfg(feature = "json")]
mod json_halves;
#[cfg_attr(target_family = "wasm", allow(dead_code, unused_imports, reason = "servers are native"))]
mod protocol;
mod split;
pub mod status;
pub mod stream_channel;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
#[path = "platform/native.rs"]
mod platform;
#[cfg(target_family = "wasm")]
#[path = "platform/web.rs"]
mod platform;
#[cfg(all(feature = "server", not(target_family = "wasm")))]
pub mod server;
#[cfg(all(not(target_family = "wasm"), feature = "hyper"))]
mod upgrade;
#[cfg(target_family = "wasm")]
mod web;

pub use accept_error::AcceptError;
pub use adapter::{
    Accept, Accepting, ClientHandshake, ClientHandshaking, Incoming, Options, Receiving, Rejecting,
    WebSocketAdapter,
};
pub use boxed::{BoxWebSocketChannel, LocalBoxWebSocketChannel};
pub use byte_view::WebSocketIo;
pub use channel::{Close, Ready, WebSocketChannel};
pub use connect::{Endpoint, connect};
pub use connect_error::{ConnectError, ConnectErrorKind, ConnectStep};
pub use deferred::DeferredChannel;
pub use error::Error;
#[cfg(feature = "json")]
pub use json_halves::{JsonSink, JsonStream};
#[cfg(not(target_family = "wasm"))]
pub use native::*;
pub use protocol::{
    CloseCode, CloseEvent, CloseFrame, Handshake, HandshakeError, HandshakeFault, Initiator,
    InvalidCloseFrame, InvalidHeader, InvalidRequest, InvalidUpgrade, Message, MessageRef, NotUtf8,
    Prepared, ProtocolError, ReadyState, Request, Role, Utf8Bytes, accept_key,
};
#[cfg(feature = "deflate")]
pub use protocol::{Deflate, InvalidExtensions, SendOptions};
pub use split::{CloseSink, WebSocketSink, WebSocketStream};
pub use stream_channel::{StreamChannel, StreamChannelExt};
#[cfg(all(not(target_family = "wasm"), feature = "hyper"))]
pub use upgrade::{Upgrade, Upgraded, Upgrading, is_upgrade_request, upgrade};
#[cfg(target_family = "wasm")]
pub use web::*;

/// The README's code.
#[cfg(all(doctest, feature = "connect", feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
