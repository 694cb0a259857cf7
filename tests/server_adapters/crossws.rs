//! The 16 tests that crossws runs on each adapter.

use std::time::Duration;

use futures::{FutureExt, SinkExt};
use http::{Response, StatusCode};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;
use ws_channel::server::{Acceptance, HookResult, Hooks, Peer, ServerOptions, hooks};
use ws_channel::{Message, ReadyState, Request, WebSocketAdapter, WebSocketChannel};

use crate::mounted::{ADDRESS, Mounted, On, next, refused};

/// Hooks that hand each peer to the test, and answer "ping".
fn handing_over() -> (impl Hooks, UnboundedReceiver<Peer>) {
    let (ring, bell) = unbounded_channel();
    let hooks = hooks()
        .upgrade(async |request| Acceptance::new().context(request.query().map(str::to_owned)))
        .open(move |peer| {
            ring.send(peer).expect("the test waits");
            async {}
        })
        .message(async |peer, message| -> HookResult {
            if message.as_text() == Some("ping") {
                peer.send("pong").await?;
            }
            Ok(())
        });
    (hooks, bell)
}

/// Hooks of a chat: who comes is announced, and what is said reaches the others.
fn chat() -> impl Hooks {
    hooks()
        .open(async |peer| {
            peer.subscribe("chat");
            peer.publish("chat", format!("{peer} joined")).await;
        })
        .message(async |peer, message| {
            peer.publish("chat", message).await;
        })
}

async fn plain_requests_are_answered_on_the_same_port<M: Mounted>() {
    let options = ServerOptions::new().fallback(Response::new("http works"));
    let served = On::<M, _>::with_options(hooks(), options);
    let (head, body) = served.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert_eq!(body, "http works");
    served.connect("/").await;
}

async fn the_open_hook_may_welcome<M: Mounted>() {
    let served = On::<M, _>::new(hooks().open(async |peer| -> HookResult {
        peer.send(format!("welcome to the server #{peer}")).await?;
        Ok(())
    }));
    assert_eq!(next(&mut served.connect("/").await).await, "welcome to the server #1");
    assert_eq!(next(&mut served.connect("/").await).await, "welcome to the server #2");
}

async fn the_message_hook_may_answer<M: Mounted>() {
    let (hooks, _peers) = handing_over();
    let served = On::<M, _>::new(hooks);
    let mut client = served.connect("/").await;
    for message in ["not for you", "ping"] {
        client.send(message.into()).await.unwrap();
    }
    assert_eq!(next(&mut client).await, "pong");
}

async fn a_publish_reaches_the_topic_but_not_its_sender<M: Mounted>() {
    let served = On::<M, _>::new(chat());
    let mut first = served.connect("/").await;
    let mut second = served.connect("/").await;
    assert_eq!(next(&mut first).await, "2 joined");
    first.send("hello".into()).await.unwrap();
    assert_eq!(next(&mut second).await, "hello");
    second.send("hi".into()).await.unwrap();
    assert_eq!(next(&mut first).await, "hi");
    sleep(Duration::from_secs(1)).await;
    assert!(
        next(&mut first).now_or_never().is_none() && next(&mut second).now_or_never().is_none()
    );
}

async fn bytes_arrive_as_bytes<M: Mounted>() {
    let served = On::<M, _>::new(hooks().message(async |peer, message: Message| -> HookResult {
        assert!(message.is_binary());
        peer.send(message).await?;
        Ok(())
    }));
    let mut client = served.connect("/").await;
    client.send(vec![0, 159, 255].into()).await.unwrap();
    assert_eq!(next(&mut client).await, Message::from(vec![0, 159, 255]));
}

async fn the_upgrade_hook_adds_headers<M: Mounted>() {
    let hooks = hooks().upgrade(async |_| {
        Acceptance::new().header("x-powered-by", "us").header("set-cookie", "cross-ws=1")
    });
    let client = On::<M, _>::new(hooks).connect("/").await;
    let header = |name| WebSocketChannel::handshake(&client).header(name).unwrap();
    assert_eq!(header("x-powered-by"), "us");
    assert_eq!(header("set-cookie"), "cross-ws=1");
}

async fn a_subprotocol_that_is_supported_is_negotiated<M: Mounted>() {
    let options = ServerOptions::new().protocols(["graphql-ws", "chat"]);
    let served = On::<M, _>::with_options(hooks(), options);
    let client = served.client("/").protocols(["mqtt", "chat", "graphql-ws"]).await.unwrap();
    assert_eq!(WebSocketChannel::protocol(&client), Some("chat"));
}

/// There the client then fails; so it does here if it has to have one.
async fn a_subprotocol_that_is_not_supported_is_not_agreed_on<M: Mounted>() {
    let options = ServerOptions::new().protocols(["graphql-ws"]);
    let served = On::<M, _>::with_options(hooks(), options);
    let client = served.client("/").protocols(["mqtt"]).await.unwrap();
    assert_eq!(WebSocketChannel::protocol(&client), None);
}

async fn a_peer_knows_its_request<M: Mounted>() {
    let (hooks, mut peers) = handing_over();
    let served = On::<M, _>::new(hooks);
    let request = Request::new("ws://localhost/rooms/chat?room=1").header("x-test", "yes");
    let _client = WebSocketAdapter::client(served.dial(), request).await.unwrap();
    let peer = peers.recv().await.unwrap();
    let request = peer.request();
    assert_eq!((request.target(), request.path()), ("/rooms/chat?room=1", "/rooms/chat"));
    assert_eq!(request.uri().query(), Some("room=1"));
    assert_eq!(request.header("X-Test").unwrap(), "yes");
    assert_eq!(request.headers()["host"], "localhost");
    assert_eq!(peer.remote_addr(), Some(ADDRESS.into()));
    assert_eq!(peer.context::<Option<String>>().unwrap().as_deref(), Some("room=1"));
    assert_eq!(peer.namespace(), "/rooms/chat");
}

async fn a_peer_knows_how_much_waits<M: Mounted>() {
    let (hooks, mut peers) = handing_over();
    let served = On::<M, _>::new(hooks);
    let _client = served.connect("/").await;
    let peer = peers.recv().await.unwrap();
    assert_eq!(peer.buffered_amount(), 0);
    peer.send("hello").await.unwrap();
    assert_eq!(peer.buffered_amount(), 5);
}

async fn a_program_may_wait_until_all_is_sent<M: Mounted>() {
    let (hooks, mut peers) = handing_over();
    let served = On::<M, _>::new(hooks);
    let mut client = served.connect("/").await;
    let peer = peers.recv().await.unwrap();
    peer.drained().now_or_never().expect("nothing was sent").unwrap();
    // Queued, and not handed over before this task waits.
    peer.send(vec![0; 1 << 18]).await.unwrap();
    assert!(peer.drained().now_or_never().is_none());
    let (drained, received) = tokio::join!(peer.drained(), next(&mut client));
    drained.unwrap();
    assert_eq!((received.len(), peer.buffered_amount()), (1 << 18, 0));
    client.close(1000, "").await.unwrap();
    assert!(peer.drained().await.unwrap_err().is_closed());
}

async fn a_peer_knows_its_websocket<M: Mounted>() {
    let (hooks, mut peers) = handing_over();
    let options = ServerOptions::new().protocols(["chat"]);
    let served = On::<M, _>::with_options(hooks, options);
    let mut client = served.client("/a?b").protocols(["chat"]).await.unwrap();
    let peer = peers.recv().await.unwrap();
    assert_eq!((peer.ready_state(), peer.protocol()), (ReadyState::Open, Some("chat")));
    assert_eq!(peer.extensions(), WebSocketChannel::extensions(&client));
    assert_eq!(peer.request().target(), "/a?b");
    client.close(4000, "bye").await.unwrap();
    let event = peer.closed().await;
    assert_eq!((event.code.as_u16(), &*event.reason), (4000, "bye"));
    assert_eq!(peer.ready_state(), ReadyState::Closed);
}

async fn the_upgrade_hook_may_refuse_with_any_response<M: Mounted>() {
    let hooks = hooks().upgrade(async |_| {
        let response = Response::builder().status(401).header("www-authenticate", "Bearer");
        Err::<(), _>(response.body("a token is needed").unwrap())
    });
    let served = On::<M, _>::new(hooks);
    let error = refused(served.client("/").await);
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(error.headers().unwrap()["www-authenticate"], "Bearer");
    assert_eq!(error.body(), b"a token is needed");
    assert_eq!(served.hub.counters().refused["hook"], 1);
}

async fn the_hub_knows_all_peers<M: Mounted>() {
    let (hooks, mut peers) = handing_over();
    let served = On::<M, _>::new(hooks);
    let mut clients = Vec::new();
    for count in 1..=3 {
        clients.push(served.connect("/").await);
        let peer = peers.recv().await.unwrap();
        assert_eq!((served.hub.peers().len(), served.hub.peer(peer.id())), (count, Some(peer)));
    }
    clients.pop().unwrap().close(1000, "").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(served.hub.peers().len(), 2);
}

async fn a_peer_knows_the_others<M: Mounted>() {
    let served = On::<M, _>::new(hooks().message(async |peer: Peer, _| -> HookResult {
        peer.send(format!("{} peers", peer.hub().peers().len())).await?;
        Ok(())
    }));
    let mut first = served.connect("/").await;
    let mut second = served.connect("/").await;
    second.send("how many?".into()).await.unwrap();
    assert_eq!(next(&mut second).await, "2 peers");
    first.send("how many?".into()).await.unwrap();
    assert_eq!(next(&mut first).await, "2 peers");
}

async fn the_server_publishes_to_a_topic<M: Mounted>() {
    let served = On::<M, _>::new(chat());
    let mut clients = [served.connect("/a").await, served.connect("/b").await];
    sleep(Duration::from_secs(1)).await;
    assert_eq!(served.hub.publish("chat", "from the server").await.queued, 2);
    assert_eq!(served.hub.publish("nobody", "is here").await.queued, 0);
    for client in &mut clients {
        assert_eq!(next(client).await, "from the server");
    }
}

on_each_server! {
    16 translated:
    "http works" => plain_requests_are_answered_on_the_same_port,
    "connect to websocket" => the_open_hook_may_welcome,
    "send ping/pong" => the_message_hook_may_answer,
    "send messages and use pub/sub" => a_publish_reaches_the_topic_but_not_its_sender,
    "receive and send binary" => bytes_arrive_as_bytes,
    "upgrade response headers" => the_upgrade_hook_adds_headers,
    "negotiate sub-protocol" => a_subprotocol_that_is_supported_is_negotiated,
    "reject sub-protocol" => a_subprotocol_that_is_not_supported_is_not_agreed_on,
    "peer.request (url, headers, remoteAddress, context)" => a_peer_knows_its_request,
    "peer.bufferedAmount" => a_peer_knows_how_much_waits,
    "peer.waitForDrain" => a_program_may_wait_until_all_is_sent,
    "peer.websocket" => a_peer_knows_its_websocket,
    "upgrade fail response" => the_upgrade_hook_may_refuse_with_any_response,
    "peers from adapter" => the_hub_knows_all_peers,
    "peers from peer" => a_peer_knows_the_others,
    "publish from adapter" => the_server_publishes_to_a_topic,
}
