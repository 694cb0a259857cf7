//! The order of the hooks under every kind of end.
#![cfg(all(feature = "server", not(target_family = "wasm")))]

mod served;

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use served::{Log, Served};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_channel::server::{
    Acceptance, HookResult, Hooks, Peer, PeerError, PeerRequest, Refusal, Server,
};
use ws_channel::{CloseEvent, Initiator, Message, ReadyState, WebSocketChannel, status};

/// Notes each hook, and does what a message or the request's query says.
struct Recorder(Log);

impl Recorder {
    async fn act(&self, peer: &Peer, order: &str) -> HookResult {
        match order {
            "panic" => panic!("as ordered"),
            "fail" => return Err("as ordered".into()),
            "close" => {
                let event = peer.close(4000, "enough").await?;
                self.0.note(format!("closed {}", event.code.as_u16()));
            }
            "terminate" => peer.terminate(),
            "wait" => tokio::time::sleep(Duration::from_secs(3)).await,
            _ => {}
        }
        Ok(())
    }
}

impl Hooks for Recorder {
    async fn upgrade(&self, request: &PeerRequest) -> Result<Acceptance, Refusal> {
        self.0.note(format!("upgrade {}", request.path()));
        match request.query() {
            Some("upgrade=panic") => panic!("as ordered"),
            Some("upgrade=fail") => Err(Refusal::from(ws_channel::server::BoxError::from("no"))),
            Some("upgrade=refuse") => Err(http::StatusCode::FORBIDDEN.into()),
            _ => Ok(Acceptance::new()),
        }
    }

    async fn open(&self, peer: &Peer) -> HookResult {
        self.0.note("open");
        let query = peer.request().query().unwrap_or_default();
        self.act(peer, query.strip_prefix("open=").unwrap_or_default()).await
    }

    async fn message(&self, peer: &Peer, message: Message) -> HookResult {
        let text = message.as_text().unwrap_or("(binary)").to_owned();
        self.0.note(format!("message {text}"));
        self.act(peer, &text).await
    }

    async fn error(&self, peer: &Peer, error: PeerError) -> HookResult {
        self.0.note(format!("error {error}"));
        match peer.request().query() {
            Some("error=panic") => panic!("as ordered"),
            _ => Ok(()),
        }
    }

    async fn close(&self, peer: &Peer, event: CloseEvent) -> HookResult {
        assert_eq!(peer.ready_state(), ReadyState::Closed);
        assert_eq!(peer.close_event().as_ref(), Some(&event));
        let by = if event.initiator == Initiator::Peer { "peer" } else { "server" };
        self.0.note(format!("close {} by {by}", event.code.as_u16()));
        match peer.request().query() {
            Some("close=panic") => panic!("as ordered"),
            _ => Ok(()),
        }
    }
}

fn recorded() -> (Served, Log) {
    let log = Log::default();
    (Served::new(Server::new(Recorder(log.clone()))), log)
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_has_upgrade_open_its_messages_and_one_close() {
    let (served, log) = recorded();
    let mut client = served.connect("/chat").await;
    client.send("a".into()).await.unwrap();
    client.send("b".into()).await.unwrap();
    let event = client.close(4001, "bye").await.unwrap();
    assert_eq!((event.code.as_u16(), event.was_clean), (4001, true));
    let expected = ["upgrade /chat", "open", "message a", "message b", "close 4001 by peer"];
    assert_eq!(log.settled().await, expected);
    assert_eq!(served.hub.peers().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn messages_before_a_close_are_worked_on_though_a_hook_was_slow() {
    let (served, log) = recorded();
    let mut client = served.connect("/").await;
    for message in ["wait", "a", "b", "wait", "c"] {
        client.feed(message.into()).await.unwrap();
    }
    let event = client.close(status::NORMAL_CLOSURE, "").await.unwrap();
    assert!(event.was_clean);
    let lines = log.settled().await;
    let expected = [
        "message wait",
        "message a",
        "message b",
        "message wait",
        "message c",
        "close 1000 by peer",
    ];
    assert_eq!(lines[2..], expected);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_an_error_and_a_close_with_1006() {
    let (served, log) = recorded();
    let mut client = served.connect("/").await;
    client.send("a".into()).await.unwrap();
    drop(client);
    let lines = log.settled().await;
    assert_eq!(lines[..3], ["upgrade /", "open", "message a"]);
    assert!(lines[3].starts_with("error the connection was lost"), "{lines:?}");
    assert_eq!(lines[4..], ["close 1006 by peer"]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_peer_is_an_error_and_a_close_with_its_code_sent() {
    let (served, log) = recorded();
    let client = served.connect("/").await;
    let mut io = client.into_inner();
    io.write_all(b"\x83\x80\0\0\0\0").await.unwrap();
    let lines = log.settled().await;
    assert_eq!(lines[2..], ["error the peer broke the WebSocket protocol", "close 1006 by server"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_close_and_wait_for_the_end() {
    let (served, log) = recorded();
    let mut client = served.connect("/").await;
    client.send("close".into()).await.unwrap();
    client.feed("dropped: behind a local close nothing counts".into()).await.unwrap();
    assert!(client.next().await.is_none());
    let event = client.close_event().unwrap();
    assert_eq!((event.code.as_u16(), event.reason.as_str()), (4000, "enough"));
    let expected = ["message close", "closed 4000", "close 4000 by server"];
    assert_eq!(log.settled().await[2..], expected);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_terminated_sees_no_close_frame_and_the_hook_sees_1006() {
    let (served, log) = recorded();
    let mut client = served.connect("/").await;
    client.send("terminate".into()).await.unwrap();
    let error = client.next().await.unwrap().unwrap_err();
    assert!(matches!(error, ws_channel::Error::ConnectionLost), "{error}");
    assert_eq!(log.settled().await[2..], ["message terminate", "close 1006 by server"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_or_panics_ends_its_peer_with_1011_and_nobody_else() {
    for (order, failure) in [
        ("fail", "error the hook `message` failed"),
        ("panic", "error the hook `message` panicked: as ordered"),
    ] {
        let (served, log) = recorded();
        let mut other = served.connect("/other").await;
        let mut client = served.connect("/").await;
        client.send(order.into()).await.unwrap();
        client.send("never seen".into()).await.unwrap();
        assert!(client.next().await.is_none());
        assert_eq!(client.close_code(), Some(status::INTERNAL_SERVER_ERROR));
        let lines = log.settled().await;
        let told = format!("message {order}");
        assert_eq!(lines[4..], [&told, failure, "close 1011 by server"]);
        other.send("still here".into()).await.unwrap();
        assert_eq!(log.settled().await.last().unwrap(), "message still here");
        assert_eq!(served.hub.counters().hooks_failed, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_hook_that_fails_is_followed_by_error_and_close() {
    for order in ["fail", "panic"] {
        let (served, log) = recorded();
        let mut client = served.connect(&format!("/?open={order}")).await;
        let _ = client.send("never seen".into()).await;
        assert!(client.next().await.is_none());
        assert_eq!(client.close_code(), Some(status::INTERNAL_SERVER_ERROR));
        let lines = log.settled().await;
        assert!(lines[2].starts_with("error the hook `open`"), "{lines:?}");
        assert_eq!(lines[3..], ["close 1011 by server"]);
    }
}

#[tokio::test(start_paused = true)]
async fn hooks_that_panic_at_the_end_harm_nobody() {
    let (served, log) = recorded();
    for path in ["/?error=panic", "/?close=panic"] {
        let before = log.lines().len();
        drop(served.connect(path).await);
        let lines = log.settled().await;
        let steps: Vec<_> =
            lines[before..].iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(steps, ["upgrade", "open", "error", "close"]);
        assert_eq!(served.hub.peers().len(), 0);
    }
    assert_eq!(served.hub.counters().hooks_failed, 2);
    served.connect("/").await.close(1000, "").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_is_refused_or_fails_has_no_open_and_no_close() {
    for (order, answer) in [("panic", 500), ("fail", 500), ("refuse", 403)] {
        let (served, log) = recorded();
        let error = served.client(&format!("/?upgrade={order}")).await.unwrap_err();
        let ws_channel::Error::Connect(error) = error else { panic!("{error}") };
        assert_eq!(error.status().unwrap().as_u16(), answer);
        assert_eq!(log.settled().await, ["upgrade /"]);
    }
}

#[tokio::test(start_paused = true)]
async fn every_hook_may_be_left_out() {
    struct Nothing;
    impl Hooks for Nothing {}

    let served = Served::new(Server::new(Nothing));
    let mut client = served.connect("/").await;
    client.send("a".into()).await.unwrap();
    assert!(client.close(1000, "").await.unwrap().was_clean);

    let served = Served::new(ws_channel::server::hooks());
    let mut client = served.connect("/").await;
    client.send("a".into()).await.unwrap();
    assert!(client.close(1000, "").await.unwrap().was_clean);
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_while_a_hook_is_slow_and_messages_wait() {
    let (served, log) = recorded();
    let mut io = served.connect("/").await.into_inner();
    // Three text messages "wait", each 3 s long, then an empty ping.
    io.write_all(&b"\x81\x84\0\0\0\0wait".repeat(3)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    io.write_all(b"\x89\x80\0\0\0\0").await.unwrap();
    let mut pong = [0; 2];
    let answered = tokio::time::timeout(Duration::from_secs(1), io.read_exact(&mut pong));
    answered.await.expect("within a second").unwrap();
    assert_eq!(pong, *b"\x8a\0");
    assert_eq!(log.lines().len(), 3, "one hook at a time: {:?}", log.lines());
}
