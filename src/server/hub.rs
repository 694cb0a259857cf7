//! What all peers of a server share.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocol::{InvalidUpgrade, Prepared, ReadyState};
use crate::server::broker::{Broker, Publication};
use crate::server::counters::{Counters, Counting, RefusedFor};
use crate::server::limits::Gate;
use crate::server::peer::PeerId;
use crate::server::publish::Receivers;
use crate::server::registry::Registry;
use crate::server::shutdown::Shutdown;
use crate::server::topics::Topics;
use crate::server::{Peer, Publish, ServerOptions};

/// All peers of a server: to find them, to publish to them, to count them, to shut them down.
/// Cheap to clone.
///
/// # Examples
///
/// ```
/// use ws_channel::server::{Server, hooks};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let server = Server::new(hooks());
/// let hub = server.hub().clone();
/// hub.publish("news", "it rains").await;
/// assert_eq!(hub.peers().len(), 0);
/// # }
/// ```
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    options: ServerOptions,
    broker: Option<Arc<dyn Broker>>,
    ids: AtomicU64,
    registry: Registry,
    topics: Topics,
    gate: Gate,
    counting: Counting,
}

impl Hub {
    /// The hub of a server that is to be, for
    /// [`Server::with_hub`](crate::server::Server::with_hub).
    pub fn new(mut options: ServerOptions) -> Self {
        let broker = options.broker.take().map(|broker| broker.0);
        let hub = Self(Arc::new(Shared {
            options,
            broker,
            ids: AtomicU64::new(1),
            registry: Registry::default(),
            topics: Topics::default(),
            gate: Gate::default(),
            counting: Counting::default(),
        }));
        if let Some(broker) = &hub.0.broker {
            broker.start(Remote(Arc::downgrade(&hub.0)));
        }
        hub
    }

    /// All peers that are open, in no order.
    pub fn peers(&self) -> Vec<Peer> {
        let mut peers = self.0.registry.all();
        peers.retain(is_open);
        peers
    }

    /// The peer of this number, as long as it is open.
    pub fn peer(&self, id: PeerId) -> Option<Peer> {
        self.0.registry.get(id).filter(is_open)
    }

    /// The peers in a topic of a namespace, in the order of their numbers.
    pub fn subscribers(&self, namespace: &str, topic: &str) -> Vec<Peer> {
        self.0.topics.subscribers(namespace, topic).map_or_else(Vec::new, |peers| peers.to_vec())
    }

    /// Sends a message to all peers in a topic, in every namespace.
    ///
    /// With this call the message is queued for all that have room, encoded once. What becomes of
    /// the others is the server's
    /// [`slow_publishes`](crate::server::ServerOptions::slow_publishes): they are closed with
    /// 1013, unless set. Await it to know what became of each, and, with
    /// [`SlowPeer::Wait`](crate::server::SlowPeer::Wait), to wait for them.
    ///
    /// Each peer gets the messages of one publisher in their order.
    ///
    /// # Cancellation safety
    ///
    /// Dropped, it does not take back what was queued; peers that are still waited for do not get
    /// the message.
    pub fn publish(&self, topic: &str, message: impl Into<Prepared>) -> Publish {
        let message = message.into();
        self.tell_broker(None, topic, &message);
        let receivers = Receivers::Many(self.0.topics.everywhere(topic));
        Publish::new(self, receivers, message, None)
    }

    /// Sends a message to all peers in a topic of one namespace. As [`publish`](Self::publish).
    pub fn publish_to(
        &self,
        namespace: &str,
        topic: &str,
        message: impl Into<Prepared>,
    ) -> Publish {
        self.publish_in(namespace, topic, message.into(), None)
    }

    /// Sends a message to all peers. As [`publish`](Self::publish), but on this machine alone.
    #[doc(alias = "broadcast")]
    pub fn publish_to_all(&self, message: impl Into<Prepared>) -> Publish {
        Publish::new(self, Receivers::All(self.peers()), message.into(), None)
    }

    /// What has been counted so far.
    pub fn counters(&self) -> Counters {
        let peers = self.peers();
        let queued = peers.iter().map(Peer::buffered_amount);
        let sum = |(total, most): (usize, usize), bytes| (total + bytes, most.max(bytes));
        let (total, most) = queued.fold((0, 0), sum);
        self.0.counting.read(peers.len(), total, most)
    }

    /// Counts a request that was refused elsewhere, for what it is.
    pub fn refused(&self, fault: &InvalidUpgrade) {
        self.0.counting.refuse(RefusedFor::from(fault));
    }

    /// Shuts the server down: nobody is let in any more, every peer is closed, and what has not
    /// ended at the deadline is dropped.
    ///
    /// Awaited, it resolves when nothing is left. It works with every way in:
    /// [`serve`](crate::server::serve) stops listening and returns; axum's
    /// `with_graceful_shutdown` takes [`shutting_down`](Self::shutting_down).
    pub fn shutdown(&self) -> Shutdown {
        Shutdown::new(self.clone())
    }

    /// Waits until a shutdown begins, as for an HTTP server to stop with it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "axum")]
    /// # async fn example(listener: tokio::net::TcpListener) -> std::io::Result<()> {
    /// use axum::Router;
    /// use axum::routing::any;
    /// use ws_channel::server::{Server, hooks};
    ///
    /// let server = Server::new(hooks());
    /// let hub = server.hub().clone();
    /// let app: Router = Router::new().route("/chat", any(server));
    /// let stop = hub.shutting_down();
    /// tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(stop).await });
    ///
    /// tokio::signal::ctrl_c().await?;
    /// // Stops axum, which waits for its plain requests, and closes the peers, of whom it does not know.
    /// hub.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancellation safety
    ///
    /// Can be dropped at any time.
    pub fn shutting_down(&self) -> impl Future<Output = ()> + Send + Sync + use<> {
        let hub = self.clone();
        async move { hub.gate().closing().await }
    }

    pub(super) fn publish_in(
        &self,
        namespace: &str,
        topic: &str,
        message: Prepared,
        except: Option<PeerId>,
    ) -> Publish {
        self.tell_broker(Some(namespace), topic, &message);
        let receivers = match self.0.topics.subscribers(namespace, topic) {
            Some(peers) => Receivers::One(peers),
            None => Receivers::Many(Vec::new()),
        };
        Publish::new(self, receivers, message, except)
    }

    fn tell_broker(&self, namespace: Option<&str>, topic: &str, message: &Prepared) {
        if let Some(broker) = &self.0.broker {
            let message = message.message().clone();
            broker.publish(Publication {
                namespace: namespace.map(Box::from),
                topic: topic.into(),
                message,
            });
        }
    }

    pub(super) fn next_id(&self) -> PeerId {
        PeerId(self.0.ids.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn options(&self) -> &ServerOptions {
        &self.0.options
    }

    /// All peers whose hooks may still run.
    pub(super) fn live(&self) -> Vec<Peer> {
        self.0.registry.all()
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(super) fn topics(&self) -> &Topics {
        &self.0.topics
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    pub(super) fn counting(&self) -> &Counting {
        &self.0.counting
    }
}

fn is_open(peer: &Peer) -> bool {
    peer.ready_state() != ReadyState::Closed
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("peers", &self.peers().len()).finish_non_exhaustive()
    }
}

/// The way of a [`Broker`] to the peers of this machine.
#[derive(Clone)]
pub struct Remote(std::sync::Weak<Shared>);

impl Remote {
    /// Delivers what was published on another machine to the peers of this one; it is not given
    /// back to the broker.
    ///
    /// Nobody waits here: where the policy is to wait, the message is dropped for a peer whose
    /// queue is full. Whether the server still exists.
    pub fn deliver(&self, publication: Publication) -> bool {
        let Some(shared) = self.0.upgrade() else { return false };
        let hub = Hub(shared);
        let Publication { namespace, topic, message } = publication;
        let receivers = match namespace {
            None => Receivers::Many(hub.0.topics.everywhere(&topic)),
            Some(namespace) => match hub.0.topics.subscribers(&namespace, &topic) {
                Some(peers) => Receivers::One(peers),
                None => return true,
            },
        };
        Publish::new(&hub, receivers, message.into(), None).give_up();
        true
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}
