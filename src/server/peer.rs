//! One connected client, as the hooks see it.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::channel::close_frame;
use crate::protocol::{Message, Prepared};
use crate::server::hub::Hub;
use crate::server::membership::Subscriptions;
use crate::server::outbox::{Outbox, Push};
use crate::server::outgoing::Outgoing;
use crate::server::sending::{Closed, Draining, Ending, Sending};
use crate::server::trace;
use crate::server::verdict::Context;
use crate::server::{PeerRequest, SlowPeer};
use crate::status;
use crate::{CloseCode, CloseEvent, CloseFrame, Error, Handshake, InvalidCloseFrame, ReadyState};

/// One connected client. Cheap to clone, and usable from any task.
///
/// Hooks get it; whoever wants to reach a client later keeps a clone, or finds it in the
/// [`Hub`](crate::server::Hub). It stays valid after the end: sending is then
/// [`Error::Closed`](crate::Error::Closed).
///
/// Its `Display` is its number.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use ws_channel::server::{HookResult, Hooks, Peer};
///
/// struct Clock;
///
/// impl Hooks for Clock {
///     async fn open(&self, peer: &Peer) -> HookResult {
///         let peer = peer.clone();
///         tokio::spawn(async move {
///             // Ends with the peer.
///             while peer.send("tick").await.is_ok() {
///                 tokio::time::sleep(Duration::from_secs(1)).await;
///             }
///         });
///         Ok(())
///     }
/// }
/// # let _ = Clock;
/// ```
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    id: PeerId,
    hub: Hub,
    request: PeerRequest,
    handshake: Handshake,
    namespace: Option<Box<str>>,
    context: Context,
    outbox: Outbox,
    topics: Subscriptions,
}

/// The number of a peer, which no other peer of the server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub(super) u64);

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Peer {
    pub(super) fn new(
        hub: Hub,
        request: PeerRequest,
        handshake: Handshake,
        namespace: Option<Box<str>>,
        context: Context,
    ) -> Self {
        Self(Arc::new(Inner {
            id: hub.next_id(),
            hub,
            request,
            handshake,
            namespace,
            context,
            outbox: Outbox::default(),
            topics: Subscriptions::default(),
        }))
    }

    /// Its number.
    pub fn id(&self) -> PeerId {
        self.0.id
    }

    /// The request with which it asked for the connection: target, headers, extensions.
    pub fn request(&self) -> &PeerRequest {
        &self.0.request
    }

    /// Its address, or that of the proxy in between, if the transport has one.
    #[doc(alias = "getClientAddress")]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.request.remote_addr()
    }

    /// The subprotocol that was negotiated.
    pub fn protocol(&self) -> Option<&str> {
        self.0.handshake.protocol()
    }

    /// The WebSocket extensions that were negotiated, in header syntax; empty if there are none.
    pub fn extensions(&self) -> &str {
        self.0.handshake.extensions()
    }

    /// What the upgrade hook attached of this type, with
    /// [`Acceptance::context`](crate::server::Acceptance::context).
    pub fn context<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.context.get()
    }

    /// The namespace of its topics: the path of its request, unless the upgrade hook set another.
    pub fn namespace(&self) -> &str {
        self.0.namespace.as_deref().unwrap_or_else(|| self.0.request.path())
    }

    /// The server that it is connected to.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// The state of the connection, as WHATWG's `readyState`.
    pub fn ready_state(&self) -> ReadyState {
        self.outbox().ready_state()
    }

    /// How many bytes were accepted and not yet handed to the transport.
    pub fn buffered_amount(&self) -> usize {
        self.outbox().buffered_amount()
    }

    /// How the connection ended, once it has.
    pub fn close_event(&self) -> Option<CloseEvent> {
        self.outbox().close_event()
    }

    /// Sends a message.
    ///
    /// Resolves once it is queued; the connection's own task writes it. When the queue is full
    /// ([`queue_size`](crate::server::ServerOptions::queue_size)), what happens is the server's
    /// [`slow_sends`](crate::server::ServerOptions::slow_sends): waiting, unless set. Messages of
    /// one task go out in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`](crate::Error::Closed) once the end has begun, or when the policy closed the peer.
    ///
    /// # Cancellation safety
    ///
    /// Dropped before it was ready, it has queued nothing.
    pub fn send(&self, message: impl Into<Message>) -> Sending<'_> {
        Sending::new(self, Outgoing::One(message.into()))
    }

    /// Sends a message that was encoded once for many. As [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancellation safety
    ///
    /// As [`send`](Self::send).
    pub fn send_prepared(&self, prepared: &Prepared) -> Sending<'_> {
        Sending::new(self, Outgoing::Shared(prepared.clone()))
    }

    /// Queues a message without waiting, for code that is not async.
    ///
    /// Where [`send`](Self::send) would wait, the message is dropped, and
    /// [`Delivery::Dropped`] says so.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`](crate::Error::Closed) once the end has begun, or when the policy closed the peer.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<Delivery, Error> {
        let hub = &self.0.hub;
        let pushed = self.outbox().push(Outgoing::One(message.into()), hub.options().queue_size);
        match (pushed, &hub.options().slow_sends) {
            (Push::Queued, _) => Ok(Delivery::Queued),
            (Push::Closed, _) => Err(self.closed_error()),
            (Push::Full(_), SlowPeer::Close(frame)) => {
                self.close_as_slow(frame);
                Err(self.closed_error())
            }
            (Push::Full(_), _) => {
                self.drop_message();
                Ok(Delivery::Dropped)
            }
        }
    }

    /// Waits until everything that was sent has been handed to the transport.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`](crate::Error::Closed) once the end has begun.
    ///
    /// # Cancellation safety
    ///
    /// Can be dropped at any time.
    #[doc(alias = "waitForDrain")]
    pub fn drained(&self) -> Draining<'_> {
        Draining::new(self)
    }

    /// Closes the connection, telling the peer why, behind what was sent before.
    ///
    /// The closing begins with this call, whether or not the future is awaited; awaited, it
    /// resolves to how the connection ended. A second close changes nothing and resolves to the
    /// same. A hook may await it.
    ///
    /// # Errors
    ///
    /// [`Error::CloseFrame`](crate::Error::CloseFrame) if the code or the reason may not be sent; the connection stays open.
    ///
    /// # Cancellation safety
    ///
    /// Can be dropped at any time; the closing goes on.
    pub fn close<K>(&self, code: K, reason: impl Into<String>) -> Closed<'_>
    where
        K: TryInto<CloseCode>,
        Error: From<K::Error>,
    {
        let refused = match close_frame(code, reason.into()) {
            // RFC 6455 §7.4.1: 1010 is how a client says which extensions it misses.
            Ok(frame) if frame.code() == status::MISSING_MANDATORY_EXTENSION => {
                let (code, by) = (frame.code(), "server");
                Some(Error::CloseFrame(InvalidCloseFrame::NotByThisEndpoint { code, by }))
            }
            Ok(frame) => {
                self.start_close(frame);
                None
            }
            Err(error) => Some(error),
        };
        Closed::new(self, refused)
    }

    /// Waits for the end of the connection, whoever begins it.
    ///
    /// # Cancellation safety
    ///
    /// Can be dropped at any time.
    pub async fn closed(&self) -> CloseEvent {
        Ending::new(self).await
    }

    /// Ends the transport at once, without a closing handshake; the close hook sees 1006.
    pub fn terminate(&self) {
        self.outbox().terminate();
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    pub(super) fn start_close(&self, frame: CloseFrame) {
        self.outbox().close(frame, false);
    }

    /// Its queue is full, and the policy is to close it.
    pub(super) fn close_as_slow(&self, frame: &CloseFrame) {
        if self.outbox().close(frame.clone(), true) {
            trace::too_slow(self);
        }
    }

    /// Its queue is full, and a message for it is dropped.
    pub(super) fn drop_message(&self) {
        self.0.hub.counting().drop_message();
        trace::dropped(self);
    }

    pub(super) fn closed_error(&self) -> Error {
        Error::closed(self.outbox().close_event().as_ref())
    }

    pub(super) fn subscriptions(&self) -> &Subscriptions {
        &self.0.topics
    }
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Peer {}

impl Hash for Peer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id().fmt(f)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("id", &self.id().0)
            .field("target", &self.request().target())
            .field("remote_addr", &self.remote_addr())
            .field("ready_state", &self.ready_state())
            .finish_non_exhaustive()
    }
}

/// What became of a message for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// It waits to be written, behind those before it.
    Queued,
    /// The peer's queue was full, and the server's policy is to drop.
    Dropped,
}
