//! Hooks on hyper: a request becomes a peer, or is refused.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;

use bytes::Bytes;
use futures::future::{BoxFuture, Either, select};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::timeout;

use crate::WebSocketAdapter;
use crate::protocol::InvalidUpgrade;
use crate::protocol::handshake::refusal_response;
use crate::server::counters::RefusedFor;
use crate::server::serve::reason;
use crate::server::verdict::empty;
use crate::server::{Decision, Hooks, Hub, PeerRequest, Server};
use crate::upgrade::{Upgrade, Upgraded, Upgrading};

impl<H: Hooks> Server<H> {
    /// Answers a request that a server of HTTP received, and lets its peer in.
    ///
    /// As [`ws_channel::upgrade`](crate::upgrade): the connection has to be served `with_upgrades()`, over
    /// HTTP/1.1, and the response has to be sent; then the peer is driven in a task of its own.
    /// What is not a valid upgrade is answered 426, 405 or 400, and what the hooks refuse as they
    /// say. `remote_addr` is the client's address, for the limit per address and
    /// [`Peer::remote_addr`](crate::server::Peer::remote_addr).
    ///
    /// Where the server has nothing else to serve, use [`service`](Self::service); in axum the
    /// server itself is a handler.
    ///
    /// # Cancellation safety
    ///
    /// Dropped, it lets nobody in; the upgrade hook may have been called.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::Full;
    /// use hyper::body::Incoming;
    /// use ws_channel::server::{Hooks, Server};
    ///
    /// /// Of a hyper service: a page for browsers, and peers.
    /// async fn answer<H: Hooks>(
    ///     server: Server<H>,
    ///     request: Request<Incoming>,
    ///     address: SocketAddr,
    /// ) -> Response<Full<Bytes>> {
    ///     if ws_channel::is_upgrade_request(&request) {
    ///         server.upgrade(request, Some(address)).await
    ///     } else {
    ///         Response::new("a page\n".into())
    ///     }
    /// }
    /// ```
    pub fn upgrade<B>(
        &self,
        request: Request<B>,
        remote_addr: Option<SocketAddr>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send + use<H, B> {
        let (parts, _) = request.into_parts();
        let answering = answer(self.clone(), parts, remote_addr);
        async { answering.await.map(Full::new) }
    }

    /// A hyper service that has nothing but WebSockets, for one connection from this address.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use hyper::server::conn::http1;
    /// use hyper_util::rt::TokioIo;
    /// use tokio::net::TcpListener;
    /// use ws_channel::server::{Server, hooks};
    ///
    /// # async fn example() -> std::io::Result<()> {
    /// let server = Server::new(hooks().open(async |peer| println!("{peer} came")));
    /// let listener = TcpListener::bind("127.0.0.1:9001").await?;
    /// loop {
    ///     let (stream, address) = listener.accept().await?;
    ///     let service = server.service(Some(address));
    ///     let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    ///     tokio::spawn(connection.with_upgrades());
    /// }
    /// # }
    /// ```
    pub fn service(&self, remote_addr: Option<SocketAddr>) -> HttpService<H> {
        HttpService { server: self.clone(), remote_addr }
    }
}

/// Hooks as a hyper service, for one connection; made by [`Server::service`].
pub struct HttpService<H> {
    server: Server<H>,
    remote_addr: Option<SocketAddr>,
}

impl<H: Hooks, B> hyper::service::Service<Request<B>> for HttpService<H> {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Full<Bytes>>, Infallible>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let (parts, _) = request.into_parts();
        let answering = answer(self.server.clone(), parts, self.remote_addr);
        Box::pin(async { Ok(answering.await.map(Full::new)) })
    }
}

impl<H> Clone for HttpService<H> {
    fn clone(&self) -> Self {
        Self { server: self.server.clone(), remote_addr: self.remote_addr }
    }
}

impl<H> fmt::Debug for HttpService<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService")
            .field("server", &self.server)
            .field("remote_addr", &self.remote_addr)
            .finish()
    }
}

/// Decides about a request; where it is accepted, a task waits for the connection and drives the
/// peer.
pub(super) async fn answer<H: Hooks>(
    server: Server<H>,
    mut parts: Parts,
    remote_addr: Option<SocketAddr>,
) -> Response<Bytes> {
    let options = server.hub().options();
    // The headers are kept by the peer's request.
    let mut upgrade = Upgrade::of(&mut parts)
        .options(options.channel.clone())
        .timeout(options.timeout)
        .discard_headers();
    if let Err(fault) = upgrade.check() {
        server.hub().refused(&fault);
        return match &options.fallback {
            Some(answer) if fault == InvalidUpgrade::NotUpgrade => (**answer).clone(),
            _ => refusal_response(&fault).map(Bytes::from),
        };
    }
    let Parts { uri, headers, extensions, .. } = parts;
    let request = PeerRequest::new(&uri, &headers, extensions, remote_addr);
    let accepted = match timeout(options.timeout, server.decide(request)).await {
        Ok(Decision::Accept(accepted)) => accepted,
        Ok(Decision::Refuse(response)) => return response,
        Err(_) => {
            server.hub().counting().refuse(RefusedFor::Timeout);
            return empty(StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    for (name, value) in accepted.headers() {
        upgrade = upgrade.header(name, value);
    }
    if let Some(protocol) = accepted.protocol() {
        upgrade = upgrade.protocol(protocol);
    }
    let (response, upgrading) = upgrade.answer();
    tokio::spawn(async move {
        // In a box, since the task keeps the room for all that it ever is, and a peer needs less.
        let opening = Box::pin(open_or_leave(server.hub(), upgrading));
        if let Some(channel) = opening.await {
            server.attach(channel, accepted).await;
        }
    });
    response.map(Bytes::from)
}

/// Waits for the connection; what is not open when the shutdown begins is dropped.
async fn open_or_leave(hub: &Hub, upgrading: Upgrading) -> Option<WebSocketAdapter<Upgraded>> {
    let reason = match select(upgrading, pin!(hub.gate().closing())).await {
        Either::Left((Ok(channel), _)) => return Some(channel),
        Either::Left((Err(error), _)) => reason(&error),
        Either::Right(_) => RefusedFor::Shutdown,
    };
    hub.counting().refuse(reason);
    None
}
