//! Servers: hooks for a peer's life, peers that any task can send to, topics, a graceful shutdown.
//!
//! # A server
//!
//! ```no_run
//! use tokio::net::TcpListener;
//! use ws_channel::server::{HookResult, hooks, serve};
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let hooks = hooks()
//!         .open(async |peer| {
//!             peer.subscribe("room");
//!         })
//!         .message(async |peer, message| {
//!             peer.publish("room", message).await;
//!         })
//!         .close(async |peer, event| println!("{peer} left: {event}"));
//!     let listener = TcpListener::bind("127.0.0.1:9001").await?;
//!     serve(listener, hooks).await
//! }
//! ```
//!
//! The [`Hooks`] are a trait that is implemented with plain `async fn`, or closures, of which any
//! may be left out. Each gets the [`Peer`]: its request and address, to send to it, to close it, to
//! join topics. The [`Hub`] has all peers.
//!
//! # Ways in
//!
//! [`serve`] is for a bare listener: one port, nothing but WebSockets. For programs that serve HTTP
//! as well, with the feature `axum` a [`Server`] is a handler of axum, and with the feature `hyper`
//! it has `upgrade(request, address)` and makes a hyper service. Others hand what they upgraded to
//! [`Server::decide`] and [`Server::attach`], which is all that a way in has to do.
//!
//! # How much is held for a peer
//!
//! Each peer is one task, and a queue that is bounded in bytes
//! ([`queue_size`](ServerOptions::queue_size)). What happens when a peer does not read is the
//! server's policy, one for [sends](ServerOptions::slow_sends) and one for
//! [publishes](ServerOptions::slow_publishes): wait, drop the message, or close the peer. A
//! published message is encoded once, and a publish is one push for each receiver.
//!
//! In the other direction it is the request's head, as long as the peer lives, one message that
//! waits for its hook, and what has arrived of the next: up to
//! [`max_message_size`](crate::Options::max_message_size), 16 MiB unless set. A server that is open
//! to everybody sets less.
//!
//! # Metrics and logs
//!
//! [`Hub::counters`] has what an exporter of metrics reads. With the feature `tracing`, all hooks of
//! a peer run in a span `peer` (its id, path, remote address and subprotocol), so that what a hook
//! logs says whose it is; the upgrade hook runs in a span `upgrade`. Events, with the target
//! `ws_channel::server`:
//!
//! | level | when |
//! |---|---|
//! | `ERROR` | a hook panicked or returned an error; the upgrade hook chose what may not be sent |
//! | `WARN` | the listener could not accept, as with too many open files |
//! | `INFO` | a shutdown begins, and is over |
//! | `DEBUG` | a peer opens, breaks, closes, or reads too slowly; a request is refused |
//!
//! Neither queries nor headers nor messages are told.

#[cfg(feature = "axum")]
mod axum;
mod broker;
mod closures;
mod counters;
mod hooks;
#[cfg(feature = "hyper")]
mod http;
mod hub;
mod limits;
mod listener;
mod membership;
mod options;
mod origin;
mod outbox;
mod outgoing;
mod peer;
mod peer_error;
mod publish;
mod pump;
mod registry;
mod request;
mod sending;
mod serve;
#[expect(clippy::module_inception, reason = "`Server` of `server`")]
mod server;
mod session;
mod shutdown;
mod topics;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "no_trace.rs"]
mod trace;
mod verdict;
mod waiters;

pub use broker::{Broker, Publication};
pub use closures::{Absent, Call, CallUpgrade, Closure, Closures, hooks};
pub use counters::Counters;
pub use hooks::{BoxError, Hook, HookOutput, HookResult, Hooks};
#[cfg(feature = "hyper")]
pub use http::HttpService;
pub use hub::{Hub, Remote};
pub use listener::Listener;
pub use options::{ServerOptions, SlowPeer};
pub use peer::{Delivery, Peer, PeerId};
pub use peer_error::PeerError;
pub use publish::{Publish, Published};
pub use request::PeerRequest;
pub use sending::{Closed, Draining, Sending};
pub use serve::{Serve, serve};
pub use server::{Accepted, Decision, Server};
pub use shutdown::{Shutdown, ShutdownSummary};
pub use verdict::{Acceptance, IntoVerdict, Refusal};
