//! The 13 tests of spry's WebSockets.
//!
//! Where spry has middleware and routes around a handshake, the hooks are around the hooks, or the
//! HTTP server has them; where it answers 501, an HTTP/1.0 client is told that it cannot be.

use futures::{SinkExt, StreamExt};
use http::{Response, StatusCode};
use tokio::io::AsyncWriteExt;
use ws_channel::server::{
    Acceptance, HookResult, Hooks, Peer, PeerRequest, Refusal, ServerOptions, hooks,
};
use ws_channel::{Message, WebSocketChannel, status};

use crate::UPGRADE;
use crate::mounted::{Mounted, On, next, refused};

/// Hooks that must not be called.
fn closed() -> impl Hooks {
    hooks()
        .upgrade(|_| -> std::future::Ready<()> { panic!("not to be asked") })
        .open(|_| -> std::future::Ready<()> { panic!("not to be opened") })
}

/// The head of the answer to a request that is to be refused before the hooks are asked.
async fn refusal<M: Mounted>(request: &str) -> String {
    let served = On::<M, _>::new(closed());
    let (head, _) = served.ask(request).await;
    let counters = served.hub.counters();
    assert_eq!((counters.refused.values().sum::<u64>(), counters.hooks_failed), (1, 0));
    head
}

/// Asks as one who cannot upgrade, and then tries to go on as if.
async fn a_client_that_cannot_upgrade_opens_nothing<M: Mounted>() {
    let served = On::<M, _>::new(closed());
    let mut io = served.dial();
    io.write_all(format!("GET / HTTP/1.0\r\n{UPGRADE}").as_bytes()).await.unwrap();
    io.write_all(b"\x81\x80\0\0\0\0").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    let counters = served.hub.counters();
    assert_eq!((counters.accepted, counters.refused["invalid"]), (0, 1));
}

async fn the_upgrade_hook_sees_what_is_asked_for<M: Mounted>() {
    let served = On::<M, _>::new(hooks().upgrade(async |request| {
        assert_eq!(request.offered_protocols(), ["chat", "superchat"]);
        assert_eq!((request.path(), request.origin()), ("/a", Some("https://example.com")));
    }));
    let client = served.client("/a").protocols(["chat", "superchat"]);
    client.header("origin", "https://example.com").await.unwrap();
}

async fn a_client_that_cannot_upgrade_is_told<M: Mounted>() {
    let head = refusal::<M>(&format!("GET / HTTP/1.0\r\n{UPGRADE}")).await;
    assert!(head.contains(" 400 "), "{head}");
}

async fn a_request_that_is_no_upgrade_is_answered_426<M: Mounted>() {
    let head = refusal::<M>("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 426 "), "{head}");
    assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
    assert!(head.contains("\r\nsec-websocket-version: 13\r\n"), "{head}");
}

async fn another_method_is_answered_405_with_what_is_allowed<M: Mounted>() {
    let head = refusal::<M>(&format!("POST / HTTP/1.1\r\n{UPGRADE}")).await;
    assert!(head.starts_with("http/1.1 405 "), "{head}");
    assert!(head.contains("\r\nallow: get\r\n"), "{head}");
}

async fn the_protocol_that_the_hook_chose_is_that_of_the_channel<M: Mounted>() {
    let served =
        On::<M, _>::new(hooks().upgrade(async |_| Acceptance::new().protocol("superchat")).open(
            async |peer| -> HookResult {
                peer.send(peer.protocol().unwrap_or("none")).await?;
                Ok(())
            },
        ));
    let mut client = served.client("/").protocols(["chat", "superchat"]).await.unwrap();
    assert_eq!(WebSocketChannel::protocol(&client), Some("superchat"));
    assert_eq!(next(&mut client).await, "superchat");
}

async fn head_is_another_method<M: Mounted>() {
    let head = refusal::<M>(&format!("HEAD / HTTP/1.1\r\n{UPGRADE}")).await;
    assert!(head.starts_with("http/1.1 405 "), "{head}");
    assert!(head.contains("\r\nallow: get\r\n"), "{head}");
}

/// A request that is no upgrade is what the fallback is for.
async fn what_fails_before_the_session_is_answered_by_the_program<M: Mounted>() {
    let options = ServerOptions::new().fallback(StatusCode::IM_A_TEAPOT);
    let served = On::<M, _>::with_options(closed(), options);
    let (head, body) = served.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 418 "), "{head}");
    assert_eq!(body, "");
    assert_eq!(served.hub.counters().refused["not_upgrade"], 1);
}

async fn what_fails_in_the_session_is_told_the_client_with_1011<M: Mounted>() {
    let served = On::<M, _>::new(hooks().message(async |_, _| -> HookResult {
        Err("it went wrong, in a way that is nobody's business".into())
    }));
    let mut client = served.connect("/").await;
    client.send("hello".into()).await.unwrap();
    assert!(client.next().await.is_none());
    assert_eq!(client.close_code(), Some(status::INTERNAL_SERVER_ERROR));
    assert_eq!(client.close_reason(), Some(""), "nothing is given away");
}

/// Hooks around others.
struct Around<H>(H);

impl<H: Hooks> Hooks for Around<H> {
    async fn upgrade(&self, request: &PeerRequest) -> Result<Acceptance, Refusal> {
        if request.header("x-token").is_none() {
            return Err(StatusCode::UNAUTHORIZED.into());
        }
        match self.0.upgrade(request).await {
            Ok(acceptance) => Ok(acceptance.header("x-around", "yes")),
            Err(_) => Err(Response::builder().status(502).body("not today").unwrap().into()),
        }
    }

    async fn message(&self, peer: &Peer, message: Message) -> HookResult {
        self.0.message(peer, message).await
    }
}

async fn hooks_around_others_wrap_the_handshake<M: Mounted>() {
    let inner = hooks().message(async |peer, message| -> HookResult {
        peer.send(message).await?;
        Ok(())
    });
    let served = On::<M, _>::new(Around(inner));
    assert_eq!(refused(served.client("/").await).status(), Some(StatusCode::UNAUTHORIZED));
    let mut client = served.client("/").header("x-token", "a1b2").await.unwrap();
    assert_eq!(WebSocketChannel::handshake(&client).header("x-around").unwrap(), "yes");
    client.send("hello".into()).await.unwrap();
    assert_eq!(next(&mut client).await, "hello");
}

async fn hooks_around_others_answer_for_their_failure<M: Mounted>() {
    let inner = hooks().upgrade(async |_| Err::<(), _>(StatusCode::FORBIDDEN));
    let served = On::<M, _>::new(Around(inner));
    let error = refused(served.client("/").header("x-token", "a1b2").await);
    assert_eq!((error.status(), error.body()), (Some(StatusCode::BAD_GATEWAY), &b"not today"[..]));
}

/// On axum it is the router's fallback that is asked here; elsewhere the hooks have all paths.
async fn a_path_without_a_route_of_its_own_may_upgrade<M: Mounted>() {
    let served = On::<M, _>::new(hooks().open(async |peer| -> HookResult {
        peer.send(peer.namespace()).await?;
        Ok(())
    }));
    for path in ["/anything/else", "/rooms/chat"] {
        assert_eq!(next(&mut served.connect(path).await).await, *path);
    }
}

async fn a_path_that_is_not_there_is_answered_404<M: Mounted>() {
    let hooks = hooks().upgrade(async |request| match request.path() {
        "/rooms/chat" => Ok(()),
        _ => Err(StatusCode::NOT_FOUND),
    });
    let served = On::<M, _>::new(hooks);
    assert_eq!(refused(served.client("/rooms/none").await).status(), Some(StatusCode::NOT_FOUND));
    served.connect("/rooms/chat").await;
}

on_each_server! {
    13 translated:
    "unsupported runtime" => a_client_that_cannot_upgrade_opens_nothing,
    "exposes upgrade metadata" => the_upgrade_hook_sees_what_is_asked_for,
    "501" => a_client_that_cannot_upgrade_is_told,
    "426" => a_request_that_is_no_upgrade_is_answered_426,
    "405 and Allow" => another_method_is_answered_405_with_what_is_allowed,
    "delegates to the runtime's accept with the protocol" => the_protocol_that_the_hook_chose_is_that_of_the_channel,
    "HEAD through a GET route" => head_is_another_method,
    "a failure of the handshake goes through error handlers" => what_fails_before_the_session_is_answered_by_the_program,
    "a failure of the session does not" => what_fails_in_the_session_is_told_the_client_with_1011,
    "middleware wraps the handshake" => hooks_around_others_wrap_the_handshake,
    "an error of the handshake goes to the scoped handler" => hooks_around_others_answer_for_their_failure,
    "a fallback route can upgrade" => a_path_without_a_route_of_its_own_may_upgrade,
    "a missing route" => a_path_that_is_not_there_is_answered_404,
}
