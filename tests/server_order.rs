//! The order of the hooks under every kind of end, on each way in.
#![cfg(all(feature = "server", not(target_family = "wasm")))]

#[macro_use]
mod mounted;
mod served;

use std::future::IntoFuture;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use mounted::{Mounted, On, refused};
use served::Log;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_channel::server::{
    Acceptance, HookResult, Hooks, Peer, PeerError, PeerRequest, Refusal, ServerOptions,
};
use ws_channel::{CloseEvent, Initiator, Message, Options, ReadyState, WebSocketChannel, status};

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
            "hang" => std::future::pending().await,
            "flood" => {
                for _ in 0..100 {
                    peer.send(noise(4096)).await?;
                }
            }
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

    async fn drain(&self, peer: &Peer) -> HookResult {
        self.0.note("drain");
        let query = peer.request().query().unwrap_or_default();
        self.act(peer, query.strip_prefix("drain=").unwrap_or_default()).await
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

/// Bytes that cannot be compressed.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn recorded<M: Mounted>() -> (On<M, Recorder>, Log) {
    let log = Log::default();
    (On::new(Recorder(log.clone())), log)
}

async fn a_peer_that_closes_has_upgrade_open_its_messages_and_one_close<M: Mounted>() {
    let (served, log) = recorded::<M>();
    let mut client = served.connect("/chat").await;
    client.send("a".into()).await.unwrap();
    client.send("b".into()).await.unwrap();
    let event = client.close(4001, "bye").await.unwrap();
    assert_eq!((event.code.as_u16(), event.was_clean), (4001, true));
    let expected = ["upgrade /chat", "open", "message a", "message b", "close 4001 by peer"];
    assert_eq!(log.settled().await, expected);
    assert_eq!(served.hub.peers().len(), 0);
}

async fn messages_before_a_close_are_worked_on_though_a_hook_was_slow<M: Mounted>() {
    let (served, log) = recorded::<M>();
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

async fn a_lost_connection_is_an_error_and_a_close_with_1006<M: Mounted>() {
    let (served, log) = recorded::<M>();
    let mut client = served.connect("/").await;
    client.send("a".into()).await.unwrap();
    drop(client);
    let lines = log.settled().await;
    assert_eq!(lines[..3], ["upgrade /", "open", "message a"]);
    assert!(lines[3].starts_with("error the connection was lost"), "{lines:?}");
    assert_eq!(lines[4..], ["close 1006 by peer"]);
}

async fn a_fault_of_the_peer_is_an_error_and_a_close_with_its_code_sent<M: Mounted>() {
    let (served, log) = recorded::<M>();
    let client = served.connect("/").await;
    let mut io = client.into_inner();
    io.write_all(b"\x83\x80\0\0\0\0").await.unwrap();
    let lines = log.settled().await;
    assert_eq!(lines[2..], ["error the peer broke the WebSocket protocol", "close 1006 by server"]);
}

async fn a_hook_may_close_and_wait_for_the_end<M: Mounted>() {
    let (served, log) = recorded::<M>();
    let mut client = served.connect("/").await;
    client.send("close".into()).await.unwrap();
    client.feed("dropped: behind a local close nothing counts".into()).await.unwrap();
    assert!(client.next().await.is_none());
    let event = client.close_event().unwrap();
    assert_eq!((event.code.as_u16(), event.reason.as_str()), (4000, "enough"));
    let expected = ["message close", "closed 4000", "close 4000 by server"];
    assert_eq!(log.settled().await[2..], expected);
}

async fn a_peer_that_is_terminated_sees_no_close_frame_and_the_hook_sees_1006<M: Mounted>() {
    let (served, log) = recorded::<M>();
    let mut client = served.connect("/").await;
    client.send("terminate".into()).await.unwrap();
    let error = client.next().await.unwrap().unwrap_err();
    assert!(matches!(error, ws_channel::Error::ConnectionLost), "{error}");
    assert_eq!(log.settled().await[2..], ["message terminate", "close 1006 by server"]);
}

async fn a_hook_that_fails_or_panics_ends_its_peer_with_1011_and_nobody_else<M: Mounted>() {
    for (order, failure) in [
        ("fail", "error the hook `message` failed"),
        ("panic", "error the hook `message` panicked: as ordered"),
    ] {
        let (served, log) = recorded::<M>();
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

async fn an_open_hook_that_fails_is_followed_by_error_and_close<M: Mounted>() {
    for order in ["fail", "panic"] {
        let (served, log) = recorded::<M>();
        let mut client = served.connect(&format!("/?open={order}")).await;
        let _ = client.send("never seen".into()).await;
        assert!(client.next().await.is_none());
        assert_eq!(client.close_code(), Some(status::INTERNAL_SERVER_ERROR));
        let lines = log.settled().await;
        assert!(lines[2].starts_with("error the hook `open`"), "{lines:?}");
        assert_eq!(lines[3..], ["close 1011 by server"]);
    }
}

async fn hooks_that_panic_at_the_end_harm_nobody<M: Mounted>() {
    let (served, log) = recorded::<M>();
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

async fn an_upgrade_that_is_refused_or_fails_has_no_open_and_no_close<M: Mounted>() {
    for (order, answer) in [("panic", 500), ("fail", 500), ("refuse", 403)] {
        let (served, log) = recorded::<M>();
        let error = refused(served.client(&format!("/?upgrade={order}")).await);
        assert_eq!(error.status().unwrap().as_u16(), answer);
        assert_eq!(log.settled().await, ["upgrade /"]);
    }
}

async fn a_drain_hook_that_fails_is_followed_by_error_and_close<M: Mounted>() {
    for (order, failure) in [
        ("fail", "error the hook `drain` failed"),
        ("panic", "error the hook `drain` panicked: as ordered"),
    ] {
        let (served, log) = recorded::<M>();
        let mut client = served.connect(&format!("/?drain={order}")).await;
        client.send("flood".into()).await.unwrap();
        for _ in 0..100 {
            assert_eq!(client.next().await.unwrap().unwrap().len(), 4096);
        }
        assert!(client.next().await.is_none());
        assert_eq!(client.close_code(), Some(status::INTERNAL_SERVER_ERROR));
        let expected = ["message flood", "drain", failure, "close 1011 by server"];
        assert_eq!(log.settled().await[2..], expected);
        assert_eq!(served.hub.counters().hooks_failed, 1);
    }
}

async fn a_message_beyond_the_limit_is_an_error_and_told_with_1009<M: Mounted>() {
    let log = Log::default();
    let options = ServerOptions::new().channel(Options::new().max_message_size(10));
    let served = On::<M, _>::with_options(Recorder(log.clone()), options);
    let mut client = served.connect("/").await;
    client.feed("0123456789".into()).await.unwrap();
    client.send("0123456789a".into()).await.unwrap();
    assert!(client.next().await.is_none());
    assert_eq!(client.close_code(), Some(status::MESSAGE_TOO_BIG));
    let lines = log.settled().await;
    assert_eq!(lines[2], "message 0123456789");
    assert!(lines[3].starts_with("error a message of 11 bytes"), "{lines:?}");
    assert!(lines[4].starts_with("close ") && lines.len() == 5, "{lines:?}");
}

async fn a_peer_that_falls_silent_is_an_error_and_a_close<M: Mounted>() {
    let (served, log) = recorded::<M>();
    // Nobody reads here, so that no ping is answered.
    let _silent = served.connect("/").await.into_inner();
    assert_eq!(log.settled().await, ["upgrade /", "open"]);
    let lines = log.settled().await;
    assert!(lines[2].starts_with("error ") && lines[3].starts_with("close "), "{lines:?}");
    assert_eq!((lines.len(), served.hub.peers().len()), (4, 0));
}

/// A paused clock moves only when every task sleeps: these end if the hook's task does.
async fn a_peer_that_never_answers_a_close_is_left_in_time<M: Mounted>() {
    let (served, log) = recorded::<M>();
    let mut silent = served.connect("/").await.into_inner();
    silent.write_all(b"\x81\x85\0\0\0\0close").await.unwrap();
    let lines = log.settled().await;
    assert_eq!(lines[2..], ["message close", "closed 1006", "close 1006 by server"]);
}

async fn a_shutdown_is_a_close_with_1001_and_no_error<M: Mounted>() {
    let (served, log) = recorded::<M>();
    let mut client = served.connect("/").await;
    client.send("a".into()).await.unwrap();
    assert_eq!(log.settled().await.len(), 3);
    let (summary, end) = tokio::join!(served.hub.shutdown().into_future(), client.next());
    assert!(end.is_none());
    assert_eq!((summary.closed, summary.cut_off), (1, 0));
    assert_eq!(log.lines()[2..], ["message a", "close 1001 by server"]);
}

async fn a_shutdown_over_its_deadline_cuts_a_hook_off_and_calls_close<M: Mounted>() {
    let (served, log) = recorded::<M>();
    let mut client = served.connect("/").await;
    client.send("hang".into()).await.unwrap();
    assert_eq!(log.settled().await.len(), 3);
    let shutdown = served.hub.shutdown().deadline(Duration::from_secs(1));
    let (summary, end) = tokio::join!(shutdown.into_future(), client.next());
    assert!(end.is_none());
    assert_eq!((summary.closed, summary.cut_off), (0, 1));
    assert_eq!(log.lines()[2..], ["message hang", "close 1001 by server"]);
}

async fn every_hook_may_be_left_out<M: Mounted>() {
    struct Nothing;
    impl Hooks for Nothing {}

    let served = On::<M, _>::new(Nothing);
    let mut client = served.connect("/").await;
    client.send("a".into()).await.unwrap();
    assert!(client.close(1000, "").await.unwrap().was_clean);

    let served = On::<M, _>::new(ws_channel::server::hooks());
    let mut client = served.connect("/").await;
    client.send("a".into()).await.unwrap();
    assert!(client.close(1000, "").await.unwrap().was_clean);
}

async fn pings_are_answered_while_a_hook_is_slow_and_messages_wait<M: Mounted>() {
    let (served, log) = recorded::<M>();
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

on_each_server! {
    a_peer_that_closes_has_upgrade_open_its_messages_and_one_close
    messages_before_a_close_are_worked_on_though_a_hook_was_slow
    a_lost_connection_is_an_error_and_a_close_with_1006
    a_fault_of_the_peer_is_an_error_and_a_close_with_its_code_sent
    a_hook_may_close_and_wait_for_the_end
    a_peer_that_is_terminated_sees_no_close_frame_and_the_hook_sees_1006
    a_hook_that_fails_or_panics_ends_its_peer_with_1011_and_nobody_else
    an_open_hook_that_fails_is_followed_by_error_and_close
    hooks_that_panic_at_the_end_harm_nobody
    an_upgrade_that_is_refused_or_fails_has_no_open_and_no_close
    a_drain_hook_that_fails_is_followed_by_error_and_close
    a_message_beyond_the_limit_is_an_error_and_told_with_1009
    a_peer_that_falls_silent_is_an_error_and_a_close
    a_peer_that_never_answers_a_close_is_left_in_time
    a_shutdown_is_a_close_with_1001_and_no_error
    a_shutdown_over_its_deadline_cuts_a_hook_off_and_calls_close
    every_hook_may_be_left_out
    pings_are_answered_while_a_hook_is_slow_and_messages_wait
}
