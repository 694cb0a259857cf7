//! Hooks mounted on hyper and on axum: the same peers as on a bare listener, and axum's own shutdown.
#![cfg(all(feature = "server", not(target_family = "wasm")))]

#[macro_use]
mod mounted;

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use futures::{SinkExt, StreamExt};
use http::{Response, StatusCode};
use mounted::{Mounted, refused};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use ws_channel::server::{
    Acceptance, HookResult, Hooks, Peer, PeerError, PeerRequest, Refusal, Server, ServerOptions,
    hooks,
};
use ws_channel::{
    CloseEvent, Message, ReadyState, WebSocketAdapter, WebSocketChannel, connect, status,
};

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
    let error = refused(WebSocketAdapter::client(M::dial(&server), URL).await);
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(error.headers().unwrap()["www-authenticate"], "Bearer");
    assert_eq!(error.body(), b"log in first\n");
    assert_eq!(server.hub().peers().len(), 0);
}

async fn a_protocol_of_the_hook_that_was_not_offered_is_not_sent<M: Mounted>() {
    let server = Server::new(Recorder::default());
    let error = refused(WebSocketAdapter::client(M::dial(&server), URL).await);
    assert_eq!(error.status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
}

async fn a_refused_client_gives_its_place_back<M: Mounted>() {
    let refuse = hooks().upgrade(async |request| match request.query() {
        Some("name=ann") => Ok(()),
        _ => Err(StatusCode::FORBIDDEN),
    });
    let server = Server::with_options(refuse, ServerOptions::new().max_peers(1));
    for _ in 0..3 {
        let client = WebSocketAdapter::client(M::dial(&server), "ws://h/rooms/chat");
        let error = refused(client.await);
        assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    }
    let first = WebSocketAdapter::client(M::dial(&server), URL).await.unwrap();
    let error = refused(WebSocketAdapter::client(M::dial(&server), URL).await);
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    drop(first);
    until(|| server.hub().peers().is_empty()).await;
}

async fn more_of_one_address_than_the_limit_are_answered_429<M: Mounted>() {
    let server = Server::with_options(hooks(), ServerOptions::new().max_peers_per_address(1));
    let first = WebSocketAdapter::client(M::dial(&server), URL).await.unwrap();
    let error = refused(WebSocketAdapter::client(M::dial(&server), URL).await);
    assert_eq!(error.status(), Some(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(server.hub().counters().refused["max_peers_per_address"], 1);
    drop(first);
    until(|| server.hub().peers().is_empty()).await;
    tokio::task::yield_now().await;
    WebSocketAdapter::client(M::dial(&server), URL).await.unwrap();
}

async fn a_hook_that_never_decides_is_answered_503_in_time<M: Mounted>() {
    let never = hooks().upgrade(async |_| std::future::pending::<()>().await);
    let options = ServerOptions::new().max_peers(1).timeout(Duration::from_secs(7));
    let server = Server::with_options(never, options);
    let start = tokio::time::Instant::now();
    for round in 1..3 {
        let client = WebSocketAdapter::client(M::dial(&server), URL);
        let error = refused(client.timeout(Duration::from_secs(60)).await);
        assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(start.elapsed().as_secs(), 7 * round, "the place was given back");
    }
    assert_eq!(server.hub().counters().refused["timeout"], 2);
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
    until(|| server.hub().counters().refused.values().sum::<u64>() == 2).await;
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
    let error = refused(WebSocketAdapter::client(M::dial(&server), URL).await);
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

on_each_server! {
    the_hooks_of_a_peer_run_in_order
    a_hook_that_panics_ends_its_peer_and_no_other
    the_upgrade_hook_refuses_with_any_response
    a_protocol_of_the_hook_that_was_not_offered_is_not_sent
    a_refused_client_gives_its_place_back
    more_of_one_address_than_the_limit_are_answered_429
    a_hook_that_never_decides_is_answered_503_in_time
    what_is_no_upgrade_is_answered_and_counted
    peers_of_a_topic_get_what_is_published
    a_shutdown_closes_every_peer_with_1001
}

/// axum stops when it is told to, and forgets the connections that were upgraded. Either the program
/// tells both, or the hub's shutdown is what axum waits for.
#[tokio::test]
async fn axums_graceful_shutdown_and_the_hubs_leave_nothing_over() {
    for told_by_the_hub in [false, true] {
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
        let shutting_down = hub.shutting_down();
        let serving = tokio::spawn(async move {
            let stopped = async move {
                if told_by_the_hub {
                    shutting_down.await;
                } else {
                    stopped.await.unwrap();
                }
            };
            axum::serve(listener, app).with_graceful_shutdown(stopped).await
        });

        let mut client = connect(&format!("ws://{address}/chat")).await.unwrap();
        let local = client.get_ref().local_addr().unwrap();
        until(|| hub.peers().len() == 1).await;
        if !told_by_the_hub {
            stop.send(()).unwrap();
            until(|| serving.is_finished()).await;
            assert_eq!(client.ready_state(), ReadyState::Open);
        }
        let (summary, end) = tokio::join!(hub.shutdown().into_future(), client.next());
        assert!(end.is_none());
        assert_eq!(client.close_code(), Some(status::GOING_AWAY));
        assert_eq!((summary.closed, summary.cut_off), (1, 0));
        serving.await.unwrap().unwrap();
        assert_eq!(*addresses.lock().unwrap(), [local]);
        assert!(hub.peers().is_empty());
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }
}
