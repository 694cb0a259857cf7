//! Hooks with their peers, for any way in.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::Options;
use crate::WebSocketChannel;
use crate::adapter::WebSocketAdapter;
use crate::server::counters::RefusedFor;
use crate::server::hooks::{Hook, Hooks};
use crate::server::limits::Permit;
use crate::server::origin;
use crate::server::session::drive;
use crate::server::trace;
use crate::server::verdict::{empty, text};
use crate::server::{Acceptance, Hub, Peer, PeerError, PeerRequest, Refusal, ServerOptions};

/// Hooks, with all that their peers share; cheap to clone.
///
/// [`serve`](crate::server::serve) takes one, or the hooks alone. Other ways in, such as an HTTP server of
/// another kind, ask it to [`decide`](Self::decide) about a request, and
/// [`attach`](Self::attach) the channel that they opened.
///
/// # Examples
///
/// Without any HTTP, over a pipe:
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use http::{Extensions, HeaderMap, Uri};
/// use ws_channel::server::{Decision, HookResult, PeerRequest, Server, hooks};
/// use ws_channel::{Handshake, Role, WebSocketAdapter};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ws_channel::Error> {
/// let server = Server::new(hooks().message(async |peer, message| -> HookResult {
///     peer.send(message).await?;
///     Ok(())
/// }));
///
/// let uri = Uri::from_static("/chat");
/// let request = PeerRequest::new(&uri, &HeaderMap::new(), Extensions::new(), None);
/// let Decision::Accept(accepted) = server.decide(request).await else { panic!("refused") };
///
/// let (near, far) = tokio::io::duplex(1024);
/// let channel = WebSocketAdapter::from_upgraded(near, Role::Server, Handshake::new("/chat"));
/// tokio::spawn(server.attach(channel, accepted));
///
/// let mut client = WebSocketAdapter::from_upgraded(far, Role::Client, Handshake::default());
/// client.send("hello".into()).await?;
/// assert_eq!(client.next().await.transpose()?, Some("hello".into()));
/// # Ok(()) }
/// ```
pub struct Server<H> {
    hooks: Arc<H>,
    hub: Hub,
}

/// What becomes of a request.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a request is accepted or refused")]
pub enum Decision {
    /// It is to be answered 101, with what is in here.
    Accept(Accepted),
    /// It is to be answered with this response.
    Refuse(Response<Bytes>),
}

/// A request that is not accepted: why, and its answer.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: RefusedFor,
    pub(super) response: Box<Response<Bytes>>,
}

impl Refused {
    pub(super) fn new(reason: RefusedFor, response: Response<Bytes>) -> Self {
        Self { reason, response: Box::new(response) }
    }

    /// There is no place.
    pub(super) fn full(reason: RefusedFor) -> Self {
        Self::new(
            reason,
            empty(match reason {
                RefusedFor::MaxPeersPerAddress => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            }),
        )
    }
}

/// A request that is accepted, and the place of its peer; dropped, it gives the place back.
#[derive(Debug)]
pub struct Accepted {
    permit: Permit,
    request: PeerRequest,
    acceptance: Acceptance,
}

impl Accepted {
    pub(super) fn new(permit: Permit, request: PeerRequest, acceptance: Acceptance) -> Self {
        Self { permit, request, acceptance }
    }

    /// The subprotocol; one of those offered.
    pub fn protocol(&self) -> Option<&str> {
        self.acceptance.protocol.as_deref()
    }

    /// Headers to add to the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.acceptance.headers
    }

    /// The limits and deadlines that the channel is to have.
    pub fn options(&self) -> &Options {
        &self.permit.hub().options().channel
    }
}

impl<H: Hooks> Server<H> {
    /// A server with the default options.
    pub fn new(hooks: H) -> Self {
        Self::with_options(hooks, ServerOptions::new())
    }

    /// A server with these options.
    pub fn with_options(hooks: H, options: ServerOptions) -> Self {
        Self::with_hub(hooks, Hub::new(options))
    }

    /// A server whose peers are in a hub that is there already.
    ///
    /// For hooks that need the hub themselves, and for several servers, such as those of two routes,
    /// whose peers share topics, limits and the shutdown.
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_channel::server::{Hub, Server, ServerOptions, hooks};
    ///
    /// let hub = Hub::new(ServerOptions::new());
    /// let news = hub.clone();
    /// // Whoever says something on one route is heard by those who listen on the other.
    /// let say = hooks().message(move |_, message| {
    ///     let news = news.clone();
    ///     async move {
    ///         news.publish("news", message).await;
    ///     }
    /// });
    /// let listen = hooks().open(async |peer| {
    ///     peer.subscribe("news");
    /// });
    /// let (say, listen) = (Server::with_hub(say, hub.clone()), Server::with_hub(listen, hub));
    /// # let _ = (say, listen);
    /// ```
    pub fn with_hub(hooks: H, hub: Hub) -> Self {
        Self { hooks: Arc::new(hooks), hub }
    }

    /// Its peers.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Decides about a request that is a valid upgrade: by the limits, the origin, and the upgrade
    /// hook.
    ///
    /// # Cancellation safety
    ///
    /// Dropped, it gives back the place that it took; the upgrade hook may have been called.
    pub async fn decide(&self, request: PeerRequest) -> Decision {
        let decided = match Permit::take(&self.hub, request.remote_addr()) {
            Ok(permit) => match self.judge(&request).await {
                Ok(acceptance) => Ok(Accepted::new(permit, request, acceptance)),
                Err(refused) => Err(refused),
            },
            Err(reason) => Err(Refused::full(reason)),
        };
        match decided {
            Ok(accepted) => Decision::Accept(accepted),
            Err(Refused { reason, response }) => {
                self.hub.counting().refuse(reason);
                Decision::Refuse(*response)
            }
        }
    }

    /// By the origin and the hook.
    pub(super) async fn judge(&self, request: &PeerRequest) -> Result<Acceptance, Refused> {
        let failed = |why: &dyn fmt::Display| {
            trace::upgrade_failed(request, why);
            Refused::new(RefusedFor::Failed, empty(StatusCode::INTERNAL_SERVER_ERROR))
        };
        let options = self.hub.options();
        origin::check(request.fields(), options).map_err(|fault| {
            let answer = text(fault.status(), format!("{fault}\n"));
            Refused::new(RefusedFor::from(&fault), answer)
        })?;
        // Also what the call does before it returns its future may panic.
        let hook = async { self.hooks.upgrade(request).await };
        let hook = trace::inside(trace::upgrade_span(request), hook);
        let verdict = AssertUnwindSafe(hook).catch_unwind().await.map_err(|payload| {
            self.hub.counting().hook_failed();
            failed(&PeerError::panicked(Hook::Upgrade, &*payload))
        })?;
        let mut acceptance = verdict.map_err(|refusal: Refusal| {
            let (response, error) = refusal.into_parts();
            let Some(error) = error else { return Refused::new(RefusedFor::Hook, response) };
            self.hub.counting().hook_failed();
            trace::upgrade_failed(request, &error);
            Refused::new(RefusedFor::Failed, response)
        })?;
        let offered = request.offered_protocols();
        match &acceptance.protocol {
            Some(chosen) if !offered.contains(&&**chosen) => {
                return Err(failed(&format_args!("the subprotocol {chosen:?} was not offered")));
            }
            Some(_) => {}
            None => {
                let known = |offer: &&str| options.protocols.iter().any(|own| **own == **offer);
                acceptance.protocol = offered.into_iter().find(known).map(Box::from);
            }
        }
        if let Some(invalid) = &acceptance.invalid {
            return Err(failed(invalid));
        }
        Ok(acceptance)
    }

    /// Drives one peer to its end, over a channel that is open.
    ///
    /// What is returned is to be spawned. Dropped, it ends the connection and the peer, without
    /// another hook.
    #[doc(alias("open", "on_upgrade"))]
    pub fn attach<S>(
        &self,
        channel: WebSocketAdapter<S>,
        accepted: Accepted,
    ) -> impl Future<Output = ()> + Send + use<H, S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Accepted { permit, request, acceptance } = accepted;
        let Acceptance { namespace, context, .. } = acceptance;
        let handshake = channel.handshake().clone();
        let peer = Peer::new(self.hub.clone(), request, handshake, namespace, context);
        let span = trace::peer_span(&peer);
        trace::inside(span, drive(Arc::clone(&self.hooks), channel, peer, permit))
    }
}

impl<H: Hooks> From<H> for Server<H> {
    fn from(hooks: H) -> Self {
        Self::new(hooks)
    }
}

impl<H> Clone for Server<H> {
    fn clone(&self) -> Self {
        Self { hooks: Arc::clone(&self.hooks), hub: self.hub.clone() }
    }
}

impl<H> fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("hub", &self.hub).finish_non_exhaustive()
    }
}
