//! The limits and policies of a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};

use crate::protocol::{CloseFrame, Utf8Bytes};
use crate::server::{Broker, Refusal};
use crate::{CloseCode, Options, status};

/// Limits and policies of a server, with defaults that suit most.
///
/// # Examples
///
/// ```
/// use ws_channel::server::{Server, ServerOptions, SlowPeer, hooks};
///
/// let options = ServerOptions::new()
///     .protocols(["chat.v2", "chat"])
///     .max_peers(1000)
///     .slow_publishes(SlowPeer::DropMessage);
/// let server = Server::with_options(hooks(), options);
/// # let _ = server;
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a server has them"]
pub struct ServerOptions {
    pub(super) protocols: Vec<Box<str>>,
    pub(super) origins: Option<Vec<Box<str>>>,
    pub(super) same_origin: bool,
    pub(super) channel: Options,
    pub(super) timeout: Duration,
    pub(super) max_peers: usize,
    pub(super) max_peers_per_address: Option<usize>,
    pub(super) queue_size: usize,
    pub(super) slow_sends: SlowPeer,
    pub(super) slow_publishes: SlowPeer,
    pub(super) broker: Option<Brokered>,
    pub(super) fallback: Option<Arc<Response<Bytes>>>,
}

/// A broker, which need not be `Debug`.
#[derive(Clone)]
pub(super) struct Brokered(pub(super) Arc<dyn Broker>);

impl fmt::Debug for Brokered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Broker")
    }
}

impl ServerOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            protocols: Vec::new(),
            origins: None,
            same_origin: false,
            channel: Options::new(),
            timeout: Duration::from_secs(10),
            max_peers: 100_000,
            max_peers_per_address: None,
            queue_size: 1 << 20,
            slow_sends: SlowPeer::Wait,
            slow_publishes: SlowPeer::close(status::TRY_AGAIN_LATER),
            broker: None,
            fallback: None,
        }
    }

    /// Sets the subprotocols that the server supports.
    ///
    /// The first one of the client's list that is among them is used, unless the upgrade hook
    /// [chooses](crate::server::Acceptance::protocol); if there is none, the peer has no subprotocol.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.protocols = protocols.into_iter().map(|name| name.into().into()).collect();
        self
    }

    /// Sets which web pages may connect, by their origins; see
    /// [`Accept::allowed_origins`](crate::Accept::allowed_origins). Default: all may.
    #[doc(alias = "allowedOrigins")]
    pub fn allowed_origins<I>(mut self, origins: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.origins = Some(origins.into_iter().map(|origin| origin.into().into()).collect());
        self
    }

    /// Lets the pages of this server connect, and beside them only those of
    /// [`allowed_origins`](Self::allowed_origins): those whose origin has the host and port that the
    /// request asks for.
    ///
    /// For a server that stands behind any name. Behind a proxy, that has to leave the `Host` header
    /// as it was. A client that sends no `Origin`, which no browser is, is accepted.
    pub fn same_origin(mut self) -> Self {
        self.same_origin = true;
        self
    }

    /// Sets the limits and deadlines of each connection.
    pub fn channel(mut self, options: Options) -> Self {
        self.channel = options;
        self
    }

    /// Sets how long a client may take for its request, the upgrade hook for its decision, and
    /// the client to take the answer. Default: 10 s each.
    ///
    /// On a bare listener. With hyper or axum, the HTTP server reads the request, and its own
    /// deadline counts.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many connections there may be at a time, those being opened included. Default:
    /// 100,000.
    ///
    /// More are answered 503.
    pub fn max_peers(mut self, peers: usize) -> Self {
        self.max_peers = peers;
        self
    }

    /// Sets how many connections may come from one address at a time. Default: no limit, since
    /// behind a proxy all come from one.
    ///
    /// More are answered 429. Of an IPv6 address the first 64 bits count, which is what one
    /// customer of a provider has.
    pub fn max_peers_per_address(mut self, peers: usize) -> Self {
        self.max_peers_per_address = Some(peers);
        self
    }

    /// Sets how many bytes may wait to be sent to one peer. Default: 1 MiB.
    ///
    /// Each message counts for its length and 64 bytes more. One message that was accepted may
    /// exceed it, and the channel's own
    /// [`write_buffer_size`](crate::Options::write_buffer_size) comes on top.
    pub fn queue_size(mut self, bytes: usize) -> Self {
        self.queue_size = bytes;
        self
    }

    /// Sets what becomes of [`Peer::send`](crate::server::Peer::send) when the peer's queue is
    /// full. Default: [`SlowPeer::Wait`].
    pub fn slow_sends(mut self, policy: SlowPeer) -> Self {
        self.slow_sends = policy;
        self
    }

    /// Sets what becomes of a published message when a receiver's queue is full. Default: the
    /// receiver is closed with 1013.
    ///
    /// With [`SlowPeer::Wait`] the publisher waits, and one peer that does not read holds up all
    /// who publish to its topics.
    pub fn slow_publishes(mut self, policy: SlowPeer) -> Self {
        self.slow_publishes = policy;
        self
    }

    /// Sets what a request that does not ask for a WebSocket is answered, such as that of a
    /// browser's address bar or of a health check. Default: 426, with a text that says what to do.
    ///
    /// With any response, or a status. It is for GET alone, since a WebSocket is opened with no
    /// other method: those are answered 405. Where more than one answer is to be given, an HTTP
    /// server gives them, and the WebSockets are mounted beside.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::Response;
    /// use ws_channel::server::ServerOptions;
    ///
    /// let options = ServerOptions::new().fallback(Response::new("a page"));
    /// # let _ = options;
    /// ```
    pub fn fallback(mut self, answer: impl Into<Refusal>) -> Self {
        let (mut answer, _) = answer.into().into_parts();
        // They are set to fit.
        for own in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            answer.headers_mut().remove(own);
        }
        self.fallback = Some(Arc::new(answer));
        self
    }

    /// Sets what carries topics to other machines. Default: nothing, they are those of the
    /// process.
    pub fn broker(mut self, broker: impl Broker) -> Self {
        self.broker = Some(Brokered(Arc::new(broker)));
        self
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What becomes of a message for a peer whose queue is full, because it does not read as fast as
/// it is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlowPeer {
    /// The sender waits until there is room. A peer that reads nothing at all is given up when a
    /// write has made no progress for as long as keepalive waits for a pong.
    Wait,
    /// The message is dropped for this peer, and counted.
    DropMessage,
    /// The peer is closed with this frame; what waited is dropped at once.
    Close(CloseFrame),
}

impl SlowPeer {
    /// Closes the peer with a code, such as [`status::POLICY_VIOLATION`] (1008) or
    /// [`status::TRY_AGAIN_LATER`] (1013).
    ///
    /// A code that may not be sent becomes 1013.
    pub fn close(code: CloseCode) -> Self {
        let reason = || Utf8Bytes::from("reads too slowly");
        let frame = CloseFrame::new(code, reason())
            .or_else(|_| CloseFrame::new(status::TRY_AGAIN_LATER, reason()));
        frame.map_or(Self::DropMessage, Self::Close)
    }
}
