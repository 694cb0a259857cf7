//! Hooks on axum.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri, Request};
use axum::handler::Handler;
use axum::response::Response;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::server::http::answer;
use crate::server::{Hooks, Server};

/// Hooks as a handler of axum.
///
/// The client's address is known where the router is served
/// `into_make_service_with_connect_info::<SocketAddr>()`. What the layers of the router add to the
/// request is in [`PeerRequest::extensions`](crate::server::PeerRequest::extensions).
///
/// ```no_run
/// use axum::Router;
/// use axum::routing::any;
/// use ws_channel::server::{Server, hooks};
///
/// # async fn example() -> std::io::Result<()> {
/// let server = Server::new(hooks().open(async |peer| println!("{peer} came")));
/// let hub = server.hub().clone();
/// let app: Router = Router::new().route("/chat", any(server)).fallback(async || "no such page\n");
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:9001").await?;
/// # let (quit, stop) = tokio::sync::oneshot::channel::<()>();
/// axum::serve(listener, app).with_graceful_shutdown(async {
///     let _ = stop.await;
/// }).await?;
/// // axum does not know of connections that were upgraded.
/// hub.shutdown().await;
/// # Ok(()) }
/// ```
impl<H: Hooks, S> Handler<(), S> for Server<H> {
    type Future = BoxFuture<'static, Response>;

    fn call(self, request: Request, _state: S) -> Self::Future {
        let (mut parts, _) = request.into_parts();
        if let Some(OriginalUri(uri)) = parts.extensions.get() {
            // In a nested router the other one lacks what stands in front.
            parts.uri = uri.clone();
        }
        let connect_info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let remote_addr = connect_info.map(|ConnectInfo(address)| *address);
        answer(self, parts, remote_addr).map(|response| response.map(Body::from)).boxed()
    }
}
