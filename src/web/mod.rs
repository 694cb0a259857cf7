//! The platform of a browser: what only a page or a worker can do.
//!
//! The browser does the protocol: opening handshake, frames, compression, pongs, TLS, proxies and
//! cookies. It shows a program whole messages and the end, and keeps back why an attempt failed,
//! which headers came, and pings.
//!
//! What is here, from the page upwards: [`link`] is a socket as the channel sees it, of which there
//! are two, the page's `WebSocket` ([`socket`]) and its `WebSocketStream` ([`stream`]). What they tell
//! between two polls waits in an [`inbox`]. [`channel`] keeps the contract over both, with the help
//! of [`pace`], since nothing tells when `bufferedAmount` falls, and of an [`alarm`] for its
//! deadlines.
//!
//! Beside it, and without a WebSocket, [`message_port`] is a channel between a page and its workers.

mod alarm;
mod channel;
mod connecting;
mod connector;
mod endpoint;
mod inbox;
mod js;
mod link;
mod listener;
mod message_port;
mod pace;
mod send;
mod socket;
mod stream;

pub use channel::BrowserChannel;
pub use connecting::Connecting;
pub use connector::{Connect, PlatformChannel};
pub use message_port::{AcceptingPort, PortChannel, PortError};
pub use send::{SendChannel, SendDriver};
