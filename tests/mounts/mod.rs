//! The ways to serve one connection: a bare byte stream, hyper, axum.

#![allow(dead_code, unreachable_pub, reason = "a module of several tests")]

#[path = "../mounted/one.rs"]
mod one;

use std::convert::Infallible;
use std::future::Future;

use axum::extract::State;
use axum::routing::any;
use futures::future::BoxFuture;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use one::One;
use tokio::io::DuplexStream;
use tokio::sync::mpsc::UnboundedSender;
use ws_channel::{BoxWebSocketChannel, Error, Upgrade, WebSocketAdapter};

/// What the server was told to do.
#[derive(Clone)]
pub struct Setup {
    pub protocols: &'static [&'static str],
    pub origins: Option<&'static [&'static str]>,
    /// Which subprotocol it chooses with the request in hand.
    pub chosen: Option<&'static str>,
    pub header: Option<(&'static str, &'static str)>,
    pub max_message_size: usize,
    /// What came of the attempt.
    pub opened: UnboundedSender<Result<BoxWebSocketChannel, Error>>,
}

/// Serves one connection.
pub type Mount = fn(DuplexStream, Setup) -> BoxFuture<'static, ()>;

macro_rules! set {
    ($builder:expr, $setup:expr) => {{
        let mut builder = $builder
            .protocols($setup.protocols.iter().copied())
            .max_message_size($setup.max_message_size);
        if let Some(origins) = $setup.origins {
            builder = builder.allowed_origins(origins.iter().copied());
        }
        if let Some((name, value)) = $setup.header {
            builder = builder.header(name, value);
        }
        builder
    }};
}

pub fn bare(io: DuplexStream, setup: Setup) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let opened = async {
            let mut request = set!(WebSocketAdapter::accept(io), setup).request().await?;
            if let Some(chosen) = setup.chosen {
                request = request.protocol(chosen);
            }
            Ok(BoxWebSocketChannel::new(request.accept().await?))
        };
        report(&setup, opened).await;
    })
}

pub fn hyper(io: DuplexStream, setup: Setup) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let service = service_fn(move |mut request: Request<Incoming>| {
            let response = answer(ws_channel::upgrade(&mut request), setup.clone());
            async { Ok::<_, Infallible>(response) }
        });
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), service);
        // A client may go at any time.
        let _ = connection.with_upgrades().await;
    })
}

pub fn axum(io: DuplexStream, setup: Setup) -> BoxFuture<'static, ()> {
    async fn handler(upgrade: Upgrade, State(setup): State<Setup>) -> http::Response<String> {
        answer(upgrade, setup)
    }
    let app = axum::Router::new().route("/ws", any(handler)).with_state(setup);
    Box::pin(serve_axum(io, app))
}

/// Serves one connection with `axum::serve`.
pub async fn serve_axum(io: DuplexStream, app: axum::Router) {
    axum::serve(One(Some(io)), app).await.expect("it never ends");
}

fn answer(upgrade: Upgrade, setup: Setup) -> http::Response<String> {
    let mut upgrade = set!(upgrade, setup);
    if let Some(chosen) = setup.chosen {
        upgrade = upgrade.protocol(chosen);
    }
    let (response, upgrading) = upgrade.answer();
    tokio::spawn(async move {
        report(&setup, async { Ok(BoxWebSocketChannel::new(upgrading.await?)) }).await;
    });
    response
}

async fn report(setup: &Setup, opened: impl Future<Output = Result<BoxWebSocketChannel, Error>>) {
    // A test that has seen enough is gone.
    let _ = setup.opened.send(opened.await);
}
