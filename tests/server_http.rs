//! Hooks mounted on hyper and on axum: the same peers as on a bare listener.
#![cfg(all(feature = "server", not(target_family = "wasm")))]

mod mounts;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use futures::{SinkExt, StreamExt};
use http::{Response, StatusCode};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use mounts::serve_axum;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use ws_channel::server::{
    Acceptance, HookResult, Hooks, Peer, PeerError, PeerRequest, Refusal, Server, ServerOptions,
    hooks,
};
use ws_channel::{
    CloseEvent, Error, Message, ReadyState, WebSocketAdapter, WebSocketChannel, connect, status,
};

/// A connection to a server that hooks are mounted on.
trait Mounted {
    fn dial<H: Hooks>(server: &Server<H>) -> DuplexStream;
}

struct OnHyper;
struct OnAxum;

impl Mounted for OnHyper {
    fn dial<H: Hooks>(server: &Server<H>) -> DuplexStream {
        let (near, far) = duplex(1 << 16);
        let service = server.service(Some(([192, 0, 2, 7], 7000).into()));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(far), service);
        tokio::spawn(connection.with_upgrades());
        near
    }
}

impl Mounted for OnAxum {
    fn dial<H: Hooks>(server: &Server<H>) -> DuplexStream {
        let (near, far) = duplex(1 << 16);
        let chat = Router::new().route("/chat", any(server.clone()));
        let app = Router::new().nest("/rooms", chat).fallback(async || "a page");
        tokio::spawn(serve_axum(far, app));
        near
    }
}

const URL: &str = "ws://h/rooms/chat?name=ann";

/// Waits until `done`; every wait of these tests has an end by itself.
async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Notes each hook.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Hooks for Recorder {
    async fn upgrade(&self, request: &PeerRequest) -> Result<Acceptance, Refusal> {
        self.note(format!("upgrade {}", request.target()));
        // As after a look into a database.
        tokio::task::yield_now().await;
        Ok(Acceptance::new().protocol("two").header("x-session", "a1b2").context(7_u32))
    }

    async fn open(&self, peer: &Peer) -> HookResult {
        let context = peer.context::<u32>().unwrap();
        self.note(format!("open {} {:?} {context}", peer.namespace(), peer.protocol()));
        Ok(())
    }

    async fn message(&self, peer: &Peer, message: Message) -> HookResult {
        assert_ne!(message, "panic", "as ordered");
        peer.send(message).await?;
        Ok(())
    }

    async fn error(&self, _peer: &Peer, _error: PeerError) -> HookResult {
        self.note("error");
        Ok(())
    }

    async fn close(&self, _peer: &Peer, event: CloseEvent) -> HookResult {
        self.note(format!("close {}", event.code.as_u16()));
        Ok(())
    }
}

async fn the_hooks_of_a_peer_run_in_order<M: Mounted>() {
    let recorder = Recorder::default();
    let io = M::dial(&Server::new(recorder.clone()));
    let client = WebSocketAdapter::client(io, URL).protocols(["one", "two"]);
    let mut client = client.await.unwrap();
    assert_eq!(client.protocol(), Some("two"));
    assert_eq!(client.handshake().header("x-session").unwrap(), "a1b2");
    client.send("hello".into()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "hello");
    assert!(client.close(4000, "done").await.unwrap().was_clean);
    until(|| recorder.lines().len() == 3).await;
    let [upgrade, open, close] = &recorder.lines()[..] else {
        panic!("as many as were waited for")
    };
    assert_eq!(upgrade, "upgrade /rooms/chat?name=ann");
    assert_eq!(open, "open /rooms/chat Some(\"two\") 7");
    assert_eq!(close, "close 4000");
}

async fn a_hook_that_panics_ends_its_peer_and_no_other<M: Mounted>() {
    let recorder = Recorder::default();
    let server = Server::new(recorder.clone());
    let open = || WebSocketAdapter::client(M::dial(&server), URL).protocols(["two"]);
    let (mut one, mut other) = (open().await.unwrap(), open().await.unwrap());
    one.send("panic".into()).await.unwrap();
    assert!(one.next().await.is_none());
    assert_eq!(one.close_code(), Some(status::INTERNAL_SERVER_ERROR));
    other.send("still here".into()).await.unwrap();
    assert_eq!(other.next().await.unwrap().unwrap(), "still here");
    until(|| recorder.lines().iter().any(|line| line.starts_with("close"))).await;
    assert!(recorder.lines().contains(&"error".to_owned()));
}

async fn the_upgrade_hook_refuses_with_any_response<M: Mounted>() {
    let server = Server::new(hooks().upgrade(async |_| {
        let response = Response::builder().status(401).header("www-authenticate", "Bearer");
        Err::<(), _>(response.body("log in first\n").unwrap())
    }));
    let Err(Error::Connect(error)) = WebSocketAdapter::client(M::dial(&server), URL).await else {
        panic!("another outcome");
    };
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(error.headers().unwrap()["www-authenticate"], "Bearer");
    assert_eq!(error.body(), b"log in first\n");
    assert_eq!(server.hub().peers().len(), 0);
}

async fn a_protocol_of_the_hook_that_was_not_offered_is_not_sent<M: Mounted>() {
    let server = Server::new(Recorder::default());
    let Err(Error::Connect(error)) = WebSocketAdapter::client(M::dial(&server), URL).await else {
        panic!("another outcome");
    };
    assert_eq!(error.status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
}

async fn a_refused_client_gives_its_place_back<M: Mounted>() {
    let refuse = hooks().upgrade(async |request| match request.query() {
        Some("name=ann") => Ok(()),
        _ => Err(StatusCode::FORBIDDEN),
    });
    let server = Server::with_options(refuse, ServerOptions::new().max_peers(1));
    for _ in 0..3 {
        let refused = WebSocketAdapter::client(M::dial(&server), "ws://h/rooms/chat").await;
        let Err(Error::Connect(error)) = refused else { panic!("another outcome") };
        assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    }
    let first = WebSocketAdapter::client(M::dial(&server), URL).await.unwrap();
    let Err(Error::Connect(error)) = WebSocketAdapter::client(M::dial(&server), URL).await else {
        panic!("another outcome");
    };
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    drop(first);
    until(|| server.hub().peers().is_empty()).await;
}

async fn what_is_no_upgrade_is_answered_and_counted<M: Mounted>() {
    let server = Server::new(hooks());
    for (head, status) in [
        ("GET /rooms/chat HTTP/1.1\r\nHost: h\r\n\r\n", 426),
        ("PUT /rooms/chat HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 405),
    ] {
        let mut io = M::dial(&server);
        io.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        io.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[..], *format!("HTTP/1.1 {status}").as_bytes());
    }
    assert_eq!(server.hub().counters().refused.values().sum::<u64>(), 2);
}

async fn peers_of_a_topic_get_what_is_published<M: Mounted>() {
    let server = Server::new(hooks().open(async |peer: Peer| {
        peer.subscribe("news");
    }));
    let open = || WebSocketAdapter::client(M::dial(&server), URL);
    let mut clients = [open().await.unwrap(), open().await.unwrap()];
    until(|| server.hub().subscribers("/rooms/chat", "news").len() == 2).await;
    server.hub().publish("news", "it rains").await;
    for client in &mut clients {
        assert_eq!(client.next().await.unwrap().unwrap(), "it rains");
    }
}

async fn a_shutdown_closes_every_peer_with_1001<M: Mounted>() {
    let server = Server::new(hooks());
    let mut client = WebSocketAdapter::client(M::dial(&server), URL).await.unwrap();
    until(|| server.hub().peers().len() == 1).await;
    let (_, end) = tokio::join!(server.hub().shutdown(), client.next());
    assert!(end.is_none());
    assert_eq!(client.close_code(), Some(status::GOING_AWAY));
    let Err(Error::Connect(error)) = WebSocketAdapter::client(M::dial(&server), URL).await else {
        panic!("another outcome");
    };
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

macro_rules! on_each_server {
    ($($rule:ident)*) => {
        mod on_hyper {
            $(#[tokio::test(start_paused = true)]
            async fn $rule() {
                super::$rule::<super::OnHyper>().await;
            })*
        }
        mod on_axum {
            $(#[tokio::test(start_paused = true)]
            async fn $rule() {
                super::$rule::<super::OnAxum>().await;
            })*
        }
    };
}

on_each_server! {
    the_hooks_of_a_peer_run_in_order
    a_hook_that_panics_ends_its_peer_and_no_other
    the_upgrade_hook_refuses_with_any_response
    a_protocol_of_the_hook_that_was_not_offered_is_not_sent
    a_refused_client_gives_its_place_back
    what_is_no_upgrade_is_answered_and_counted
    peers_of_a_topic_get_what_is_published
    a_shutdown_closes_every_peer_with_1001
}

/// axum stops when it is told to, and forgets the connections that were upgraded.
#[tokio::test]
async fn axums_graceful_shutdown_and_the_hubs_leave_nothing_over() {
    let addresses = Arc::new(Mutex::new(Vec::<SocketAddr>::new()));
    let seen = Arc::clone(&addresses);
    let server = Server::new(hooks().open(move |peer: Peer| {
        seen.lock().unwrap().push(peer.remote_addr().unwrap());
        async {}
    }));
    let hub = server.hub().clone();
    let app = Router::new().route("/chat", any(server)).fallback(async || "a page");
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let stopped = async { stopped.await.unwrap() };
        axum::serve(listener, app).with_graceful_shutdown(stopped).await
    });

    let mut client = connect(&format!("ws://{address}/chat")).await.unwrap();
    let local = client.get_ref().local_addr().unwrap();
    until(|| hub.peers().len() == 1).await;
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert_eq!(client.ready_state(), ReadyState::Open);
    let (_, end) = tokio::join!(hub.shutdown(), client.next());
    assert!(end.is_none());
    assert_eq!(client.close_code(), Some(status::GOING_AWAY));
    assert_eq!(*addresses.lock().unwrap(), [local]);
    assert!(hub.peers().is_empty());
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
