//! What only a server of HTTP has: other requests beside the upgrade, on one connection and in one
//! router, and a connection that has to be handed over.
#![cfg(not(target_family = "wasm"))]

mod mounts;

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use futures::{SinkExt, StreamExt};
use http::{HeaderMap, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mounts::serve_axum;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use ws_channel::{
    AcceptError, Error, Handshake, Role, Upgrade, Upgrading, WebSocketAdapter, WebSocketChannel,
};

const UPGRADE: &str = "Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Sends a request; the answer's status, and its body if it announces one.
async fn ask(io: &mut DuplexStream, request: &str) -> (u16, String) {
    io.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    io.read_exact(&mut body).await.unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, String::from_utf8(body).unwrap())
}

fn accept_error(error: Error) -> AcceptError {
    match error {
        Error::Accept(error) => *error,
        error => panic!("another error: {error}"),
    }
}

/// Over hyper, `with_upgrades` or without; futures of channels come out of it.
fn over_hyper(
    with_upgrades: bool,
) -> (DuplexStream, tokio::sync::mpsc::UnboundedReceiver<Upgrading>) {
    let (near, far) = duplex(1 << 16);
    let (attempts, upgrading) = unbounded_channel();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (response, upgrading) = ws_channel::upgrade(&mut request).answer();
        attempts.send(upgrading).unwrap();
        async { Ok::<_, Infallible>(response) }
    });
    tokio::spawn(async move {
        let connection = http1::Builder::new().serve_connection(TokioIo::new(far), service);
        if with_upgrades { connection.with_upgrades().await } else { connection.await }
    });
    (near, upgrading)
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_the_connection_takes_the_next_request() {
    let (mut io, mut attempts) = over_hyper(true);
    let (status, body) = ask(&mut io, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(status, 426);
    assert!(body.contains("connect with a WebSocket client"), "{body}");
    let refused = accept_error(attempts.recv().await.unwrap().await.unwrap_err());
    assert_eq!(refused.status(), Some(StatusCode::UPGRADE_REQUIRED));

    assert_eq!(ask(&mut io, &format!("GET /ws HTTP/1.1\r\n{UPGRADE}")).await.0, 101);
    let mut server = attempts.recv().await.unwrap().await.unwrap();
    let mut client = WebSocketAdapter::from_upgraded(io, Role::Client, Handshake::default());
    server.send("hello".into()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "hello");
}

/// "cannot be called when the request does not allow for hijacking" is an `ArgumentError` in
/// `shelf_web_socket`.
#[tokio::test(start_paused = true)]
async fn a_server_that_keeps_its_connection_is_told_what_to_do() {
    let (mut io, mut attempts) = over_hyper(false);
    ask(&mut io, &format!("GET /ws HTTP/1.1\r\n{UPGRADE}")).await;
    let error = attempts.recv().await.unwrap().await.unwrap_err();
    assert!(error.to_string().contains("with_upgrades()"), "{error}");
    assert!(matches!(accept_error(error), AcceptError::NotHandedOver));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_before_the_answer_is_an_error() {
    let (near, far) = duplex(1 << 16);
    let (attempts, mut upgrading) = unbounded_channel();
    let service = service_fn(move |mut request: Request<Incoming>| {
        attempts.send(ws_channel::upgrade(&mut request).answer().1).unwrap();
        pending::<Result<http::Response<String>, Infallible>>()
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(far), service);
    let connection = tokio::spawn(connection.with_upgrades());
    let mut near = near;
    near.write_all(format!("GET /ws HTTP/1.1\r\n{UPGRADE}").as_bytes()).await.unwrap();
    let upgrading = upgrading.recv().await.unwrap();
    connection.abort();
    assert!(matches!(accept_error(upgrading.await.unwrap_err()), AcceptError::Io(_)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_never_sent_ends_at_the_timeout() {
    let (mut near, far) = duplex(1 << 16);
    let (attempts, mut upgrading) = unbounded_channel();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let upgrade = ws_channel::upgrade(&mut request).timeout(Duration::from_secs(3));
        attempts.send(upgrade.answer().1).unwrap();
        pending::<Result<http::Response<String>, Infallible>>()
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(far), service);
    tokio::spawn(connection.with_upgrades());
    near.write_all(format!("GET /ws HTTP/1.1\r\n{UPGRADE}").as_bytes()).await.unwrap();
    let upgrading = upgrading.recv().await.unwrap();
    let start = tokio::time::Instant::now();
    let error = accept_error(upgrading.await.unwrap_err());
    assert!(error.is_timeout(), "{error}");
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

/// One connection to an axum server.
fn over_axum(app: Router) -> DuplexStream {
    let (near, far) = duplex(1 << 16);
    tokio::spawn(serve_axum(far, app));
    near
}

async fn room(
    State(seen): State<UnboundedSender<String>>,
    Path(room): Path<String>,
    upgrade: Upgrade,
    headers: HeaderMap,
) -> Response {
    let name = headers["x-name"].to_str().unwrap().to_owned();
    if room == "closed" {
        return (StatusCode::NOT_FOUND, "no such room").into_response();
    }
    let serve = async move |mut channel: WebSocketAdapter<_>| {
        channel.send(format!("{name} is in {room}").into()).await.unwrap();
        assert!(channel.next().await.is_none());
        seen.send(channel.close_reason().unwrap().to_owned()).unwrap();
    };
    upgrade.protocols(["chat"]).on_upgrade(serve).into_response()
}

#[tokio::test(start_paused = true)]
async fn the_other_extractors_stand_beside_the_upgrade() {
    let (seen, mut reasons) = unbounded_channel();
    let io = over_axum(Router::new().route("/rooms/{room}", any(room)).with_state(seen));
    let client = WebSocketAdapter::client(io, "ws://h/rooms/tea").header("X-Name", "ann");
    let mut client = client.protocols(["chat"]).await.unwrap();
    assert_eq!(client.protocol(), Some("chat"));
    assert_eq!(client.next().await.unwrap().unwrap(), "ann is in tea");
    assert!(client.close(1000, "bye").await.unwrap().was_clean);
    assert_eq!(reasons.recv().await.unwrap(), "bye");
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_answer_something_else() {
    let (seen, _reasons) = unbounded_channel();
    let io = over_axum(Router::new().route("/rooms/{room}", any(room)).with_state(seen));
    let client = WebSocketAdapter::client(io, "ws://h/rooms/closed").header("X-Name", "ann");
    let Err(Error::Connect(error)) = client.await else { panic!("another outcome") };
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    assert_eq!(error.body(), b"no such room");
}

#[tokio::test(start_paused = true)]
async fn a_channel_of_a_nested_router_has_the_whole_target() {
    let serve = async |mut channel: WebSocketAdapter<_>| {
        let target = channel.url().to_owned();
        channel.send(target.into()).await.unwrap();
    };
    let inner =
        Router::new().route("/tea", any(async move |upgrade: Upgrade| upgrade.on_upgrade(serve)));
    let io = over_axum(Router::new().nest("/rooms", inner));
    let mut client = WebSocketAdapter::client(io, "ws://h/rooms/tea?a=b").await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "/rooms/tea?a=b");
}

/// One connection serves all of it: plain requests, upgrades where none is wanted, and at last the
/// WebSocket.
#[tokio::test(start_paused = true)]
async fn one_route_serves_a_page_and_a_websocket() {
    async fn page_or_chat(upgrade: Option<Upgrade>) -> Response {
        let Some(upgrade) = upgrade else { return "a page".into_response() };
        upgrade
            .on_upgrade(async |mut channel| channel.send("a chat".into()).await.unwrap())
            .into_response()
    }
    let app = Router::new()
        .route("/", any(page_or_chat))
        .route("/strict", get(async |upgrade: Upgrade| upgrade.on_upgrade(async |_| {})))
        .route("/form", post(async || "thanks"))
        .fallback(async || (StatusCode::NOT_FOUND, "nothing here"));
    let mut io = over_axum(app);
    let plain = "HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut asked = async |request: String, status: u16, body: &str| {
        let (got, text) = ask(&mut io, &request).await;
        assert_eq!(got, status, "{request}");
        assert!(text.contains(body), "{text}");
    };
    asked(format!("GET / {plain}"), 200, "a page").await;
    asked(format!("POST / {plain}"), 200, "a page").await;
    asked(format!("GET /none HTTP/1.1\r\n{UPGRADE}"), 404, "nothing here").await;
    asked(format!("POST /form HTTP/1.1\r\n{UPGRADE}"), 200, "thanks").await;
    asked(format!("GET /strict {plain}"), 426, "connect with a WebSocket client").await;
    asked(format!("POST /strict HTTP/1.1\r\n{UPGRADE}"), 405, "").await;
    asked(format!("POST / HTTP/1.1\r\n{UPGRADE}"), 405, "the method is POST").await;
    let old = UPGRADE.replace("Version: 13", "Version: 8");
    asked(format!("GET / HTTP/1.1\r\n{old}"), 426, "version 13").await;
    asked(format!("GET / HTTP/1.1\r\n{UPGRADE}"), 101, "").await;
    let mut client = WebSocketAdapter::from_upgraded(io, Role::Client, Handshake::default());
    assert_eq!(client.next().await.unwrap().unwrap(), "a chat");
}

#[test]
fn upgrades_go_to_other_tasks() {
    fn goes<T: Send + Unpin + std::fmt::Debug + 'static>() {}
    goes::<Upgrade>();
    goes::<Upgrading>();
    goes::<WebSocketAdapter<ws_channel::Upgraded>>();
}
