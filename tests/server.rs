//! A server on a bare listener: peers, topics, limits, shutdown.
#![cfg(all(feature = "server", not(target_family = "wasm")))]

mod served;

use std::future::IntoFuture;
use std::io;
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use http::{Response, StatusCode};
use served::{Client, Log, Served};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};
use ws_channel::server::{
    Acceptance, Delivery, HookResult, Hub, Peer, Server, ServerOptions, SlowPeer, hooks,
};
use ws_channel::{
    Error, Message, Options, ReadyState, Request, WebSocketAdapter, WebSocketChannel, status,
};

async fn next(client: &mut Client) -> Message {
    client.next().await.expect("a message").expect("no error")
}

/// The status with which an attempt was refused.
fn refused(error: Error) -> u16 {
    match error {
        Error::Connect(error) => error.status().expect("an answer").as_u16(),
        error => panic!("{error}"),
    }
}

/// Who comes to the server next.
fn doorbell() -> (impl Fn(Peer) + Clone + Send + Sync, tokio::sync::mpsc::UnboundedReceiver<Peer>) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    (move |peer| drop(sender.send(peer)), receiver)
}

// Peers and topics; what crossws tests of them is in server_adapters/.

#[tokio::test(start_paused = true)]
async fn the_server_publishes_to_topics_namespaces_and_all() {
    let served = Served::new(hooks().open(async |peer| {
        peer.subscribe("news");
        if peer.id().to_string() == "1" {
            peer.unsubscribe("news");
        }
    }));
    let (mut a, mut b, mut c) =
        (served.connect("/a").await, served.connect("/b?x").await, served.connect("/c").await);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(served.hub.publish("news", "everywhere").await.queued, 2);
    assert_eq!(served.hub.publish_to("/b", "news", "in b").await.queued, 1);
    assert_eq!(served.hub.publish_to("/a", "news", "in a").await.queued, 0);
    assert_eq!(served.hub.publish_to_all("all").await.queued, 3);
    assert_eq!(next(&mut a).await, Message::from("all"));
    for expected in ["everywhere", "in b", "all"] {
        assert_eq!(next(&mut b).await, Message::from(expected));
    }
    for expected in ["everywhere", "all"] {
        assert_eq!(next(&mut c).await, Message::from(expected));
    }
    let inside = served.hub.subscribers("/b", "news");
    assert_eq!(inside.iter().map(Peer::namespace).collect::<Vec<_>>(), ["/b"]);
    b.close(1000, "").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(served.hub.subscribers("/b", "news").is_empty());
    assert_eq!(inside[0].topics(), ["news"], "for the close hook");
    assert!(!inside[0].subscribe("late"), "a peer that is gone joins nothing");
    assert!(served.hub.subscribers("/b", "late").is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_upgrade_hook_adds_headers_context_and_a_namespace() {
    struct User(&'static str);

    let (ring, mut bell) = doorbell();
    let served = Served::new(
        hooks()
            .upgrade(async |request| {
                assert_eq!(request.remote_addr().unwrap().to_string(), "192.0.2.7:7000");
                Acceptance::new().header("x-powered-by", "us").context(User("ada")).namespace("n")
            })
            .open(move |peer| {
                ring(peer);
                async {}
            }),
    );
    let request = Request::new("ws://localhost/chat?room=1").header("x-test", "yes");
    let client = WebSocketAdapter::client(served.dial(), request).await.unwrap();
    let powered = WebSocketChannel::handshake(&client).header("x-powered-by");
    assert_eq!(powered.unwrap(), "us");
    let peer = bell.recv().await.unwrap();
    assert_eq!((peer.request().path(), peer.request().query()), ("/chat", Some("room=1")));
    assert_eq!(peer.request().uri().path(), "/chat");
    assert_eq!(peer.request().header("X-Test").unwrap(), "yes");
    assert_eq!(peer.request().headers()["host"], "localhost");
    assert_eq!(peer.remote_addr().unwrap().to_string(), "192.0.2.7:7000");
    assert_eq!((peer.namespace(), peer.context::<User>().unwrap().0), ("n", "ada"));
    assert_eq!((peer.protocol(), peer.ready_state()), (None, ReadyState::Open));
    assert_eq!(peer.context::<u8>(), None);
    assert_eq!(served.hub.peer(peer.id()), Some(peer));
}

#[tokio::test(start_paused = true)]
async fn a_subprotocol_is_one_that_was_offered_or_none() {
    let options = ServerOptions::new().protocols(["two", "three", "x"]);
    let hooks = hooks().upgrade(async |request| match request.query() {
        Some(chosen) => Acceptance::new().protocol(chosen),
        None => Acceptance::new(),
    });
    let served = Served::new(Server::with_options(hooks, options));
    let offer = |path: &str, offered: &[&str]| {
        served.client(path).protocols(offered.iter().map(|&name| name.to_owned()))
    };
    let protocol = |client: &Client| WebSocketChannel::protocol(client).map(str::to_owned);
    let client = offer("/", &["one", "two", "three"]).await.unwrap();
    assert_eq!(protocol(&client).as_deref(), Some("two"));
    let client = offer("/", &["four"]).await.unwrap();
    assert_eq!(protocol(&client), None);
    let client = offer("/?one", &["two", "one"]).await.unwrap();
    assert_eq!(protocol(&client).as_deref(), Some("one"));
    assert_eq!(refused(offer("/?five", &["two"]).await.unwrap_err()), 500);
    assert_eq!(served.hub.counters().refused["failed"], 1);
}

#[tokio::test(start_paused = true)]
async fn the_upgrade_hook_may_refuse_with_any_response() {
    let served = Served::new(hooks().upgrade(async |request| {
        if request.query() == Some("informational") {
            return Err(Response::builder().status(103).body("").unwrap());
        }
        let response = Response::builder().status(401).header("www-authenticate", "Bearer");
        Err::<(), _>(response.body("a token is needed").unwrap())
    }));
    let Error::Connect(error) = served.client("/").await.unwrap_err() else { panic!() };
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(error.headers().unwrap()["www-authenticate"], "Bearer");
    assert_eq!(error.body(), b"a token is needed");
    assert_eq!(refused(served.client("/?informational").await.unwrap_err()), 500);
    let counters = served.hub.counters();
    assert_eq!((counters.refused["hook"], counters.refused["failed"]), (1, 1));
    assert_eq!((counters.accepted, counters.open), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_upgrade_gets_its_proper_answer() {
    let served = Served::new(hooks());
    for (request, answer, reason) in [
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 426 ", "not_upgrade"),
        ("POST / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 405 ", "invalid"),
        ("\x16\x03\x01", "HTTP/1.1 400 ", "invalid"),
    ] {
        let before = served.hub.counters().refused.get(reason).copied().unwrap_or_default();
        let mut io = served.dial();
        io.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        io.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with(answer), "{text}");
        drop(io);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(served.hub.counters().refused[reason], before + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn origins_that_are_not_allowed_are_answered_403() {
    let options = ServerOptions::new().allowed_origins(["https://example.com"]);
    let served = Served::new(Server::with_options(hooks(), options));
    for (origin, allowed) in
        [(None, true), (Some("https://EXAMPLE.com"), true), (Some("https://evil.example"), false)]
    {
        let mut client = served.client("/");
        if let Some(origin) = origin {
            client = client.header("origin", origin);
        }
        let outcome = client.await;
        assert_eq!(outcome.is_ok(), allowed, "{origin:?}");
        if let Err(error) = outcome {
            assert_eq!(refused(error), 403);
        }
    }
    assert_eq!(served.hub.counters().refused["origin"], 1);
}

#[tokio::test(start_paused = true)]
async fn pages_of_the_server_itself_may_be_allowed_whatever_its_name() {
    let own = ServerOptions::new().same_origin();
    let both = own.clone().allowed_origins(["https://example.com"]);
    for (options, origin, allowed) in [
        (&own, "http://localhost", true),
        (&own, "https://example.com", false),
        (&both, "http://localhost", true),
        (&both, "https://example.com", true),
        (&both, "https://evil.example", false),
    ] {
        let served = Served::new(Server::with_options(hooks(), options.clone()));
        let outcome = served.client("/").header("origin", origin).await;
        assert_eq!(outcome.is_ok(), allowed, "{origin}");
        served.connect("/").await;
    }
}

#[tokio::test(start_paused = true)]
async fn servers_with_one_hub_share_peers_limits_and_the_shutdown() {
    let hub = Hub::new(ServerOptions::new().max_peers(2));
    let say = {
        let hub = hub.clone();
        hooks().message(move |_, message| {
            let hub = hub.clone();
            async move {
                hub.publish("news", message).await;
            }
        })
    };
    let listen = hooks().open(async |peer| {
        peer.subscribe("news");
    });
    let say = Served::new(Server::with_hub(say, hub.clone()));
    let listen = Served::new(Server::with_hub(listen, hub.clone()));
    let (mut speaker, mut listener) = (say.connect("/say").await, listen.connect("/listen").await);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(refused(say.client("/").await.unwrap_err()), 503);
    speaker.send("it rains".into()).await.unwrap();
    assert_eq!(next(&mut listener).await, Message::from("it rains"));
    let (ended, ..) = tokio::join!(hub.shutdown().into_future(), speaker.next(), listener.next());
    assert_eq!((ended.closed, ended.cut_off), (2, 0));
    say.task.await.unwrap().unwrap();
    listen.task.await.unwrap().unwrap();
}

// Sending.

/// A server whose peers come out of a channel, and a client with little room on its way.
async fn one_peer(options: ServerOptions) -> (Served, Peer, Client) {
    let (ring, mut bell) = doorbell();
    let open = move |peer| {
        ring(peer);
        async {}
    };
    let served = Served::new(Server::with_options(hooks().open(open), options));
    let io = served.dial_from("192.0.2.7:1", 1024);
    let client = WebSocketAdapter::client(io, "ws://localhost/").await.unwrap();
    let peer = bell.recv().await.unwrap();
    (served, peer, client)
}

fn small() -> ServerOptions {
    ServerOptions::new().queue_size(4096).channel(Options::new().write_buffer_size(1024))
}

#[tokio::test(start_paused = true)]
async fn many_tasks_send_at_once_and_each_in_its_order() {
    let (_served, peer, mut client) = one_peer(small()).await;
    let senders: Vec<_> = (0..10u8)
        .map(|task| {
            let peer = peer.clone();
            tokio::spawn(async move {
                for n in 0..100u8 {
                    assert_eq!(peer.send(vec![task, n]).await.unwrap(), Delivery::Queued);
                }
            })
        })
        .collect();
    let mut expected = [0; 10];
    for _ in 0..1000 {
        let message = next(&mut client).await;
        let [task, n] = *message.as_bytes() else { panic!("{message:?}") };
        assert_eq!(n, expected[usize::from(task)]);
        expected[usize::from(task)] += 1;
    }
    for sender in senders {
        sender.await.unwrap();
    }
    peer.drained().await.unwrap();
    assert_eq!(peer.buffered_amount(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_send_to_a_peer_that_does_not_read_waits_until_it_does() {
    let (served, peer, mut client) = one_peer(small()).await;
    let mut sent = 0;
    while peer.send(vec![0; 100]).now_or_never().transpose().unwrap().is_some() {
        sent += 1;
        tokio::task::yield_now().await;
        assert!(sent < 1000, "memory is bounded");
    }
    assert!(peer.buffered_amount() < 8192, "{}", peer.buffered_amount());
    assert!(peer.drained().now_or_never().is_none());
    let counters = served.hub.counters();
    let waits = peer.buffered_amount();
    assert_eq!((counters.queued, counters.queued_most), (waits, waits));
    assert_eq!(peer.try_send("no room").unwrap(), Delivery::Dropped);
    let waiting = tokio::spawn({
        let peer = peer.clone();
        async move { peer.send("last").await }
    });
    for _ in 0..sent {
        assert_eq!(next(&mut client).await.len(), 100);
    }
    assert_eq!(next(&mut client).await, Message::from("last"));
    assert_eq!(waiting.await.unwrap().unwrap(), Delivery::Queued);
    peer.drained().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_may_drop_the_message_or_close_the_peer() {
    let (served, peer, _client) = one_peer(small().slow_sends(SlowPeer::DropMessage)).await;
    let mut dropped = 0;
    for _ in 0..1000 {
        dropped += u64::from(peer.send(vec![0; 100]).await.unwrap() == Delivery::Dropped);
    }
    assert!((900..1000).contains(&dropped), "{dropped}");
    assert_eq!(served.hub.counters().messages_dropped, dropped);
    assert_eq!(peer.ready_state(), ReadyState::Open);

    let policy = SlowPeer::close(status::POLICY_VIOLATION);
    let (_served, peer, mut client) = one_peer(small().slow_sends(policy)).await;
    let error = loop {
        if let Err(error) = peer.send(vec![0; 100]).await {
            break error;
        }
    };
    assert!(error.is_closed());
    assert_eq!(peer.ready_state(), ReadyState::Closing);
    while let Some(message) = client.next().await {
        message.unwrap();
    }
    assert_eq!(WebSocketChannel::close_code(&client), Some(status::POLICY_VIOLATION));
    assert_eq!(peer.closed().await.code, status::POLICY_VIOLATION);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_learns_of_the_end() {
    let (_served, peer, client) = one_peer(small()).await;
    let waiting = tokio::spawn({
        let peer = peer.clone();
        async move { while peer.send(vec![0; 100]).await.is_ok() {} }
    });
    sleep(Duration::from_secs(1)).await;
    drop(client);
    waiting.await.unwrap();
    assert_eq!(peer.closed().await.code, status::ABNORMAL_CLOSURE);
    assert!(peer.send("late").await.unwrap_err().is_closed());
    assert!(peer.drained().await.unwrap_err().is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_close_goes_out_behind_what_was_sent_and_is_over_in_time() {
    let (_served, peer, mut client) = one_peer(ServerOptions::new()).await;
    for n in 0..100u8 {
        peer.send(vec![n; 100]).await.unwrap();
    }
    let bad = peer.close(1010, "").await.unwrap_err();
    assert!(matches!(bad, Error::CloseFrame(_)) && peer.ready_state() == ReadyState::Open);
    let closing = peer.close(4000, "bye");
    assert_eq!(peer.ready_state(), ReadyState::Closing);
    for n in 0..100 {
        assert_eq!(next(&mut client).await.as_bytes()[0], n);
    }
    assert!(client.next().await.is_none());
    assert_eq!(closing.await.unwrap().code.as_u16(), 4000);

    // A client that never reads.
    let (_served, peer, _client) = one_peer(ServerOptions::new()).await;
    for _ in 0..100 {
        peer.send(vec![0; 100]).await.unwrap();
    }
    let before = Instant::now();
    let event = peer.close(4000, "bye").await.unwrap();
    assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false));
    assert_eq!(before.elapsed().as_secs(), 5, "the close timeout");
}

#[tokio::test(start_paused = true)]
async fn the_drain_hook_comes_once_what_was_stuck_has_gone_out() {
    let log = Log::default();
    let noted = log.clone();
    let hooks = hooks()
        .message(async |peer, message| -> HookResult {
            let count = message.len();
            for _ in 0..count {
                peer.send(vec![0; 100]).await?;
            }
            Ok(())
        })
        .drain(move |peer: Peer| {
            noted.note(format!("drain at {}", peer.buffered_amount()));
            async {}
        });
    let served = Served::new(hooks);
    let io = served.dial_from("192.0.2.7:1", 1024);
    let mut client = WebSocketAdapter::client(io, "ws://localhost/").await.unwrap();
    client.send("1".into()).await.unwrap();
    next(&mut client).await;
    assert!(log.settled().await.is_empty(), "it was not stuck");
    client.send("x".repeat(100).into()).await.unwrap();
    for _ in 0..100 {
        next(&mut client).await;
    }
    assert_eq!(log.settled().await, ["drain at 0"]);
}

/// It runs in the task that would wake it. A paused clock moves only when every task sleeps, so that
/// this ends only if that one does.
#[tokio::test(start_paused = true)]
async fn a_hook_that_waits_for_its_own_peer_sleeps() {
    let hooks = hooks().message(async |peer: Peer, message: Message| -> HookResult {
        // More than the pipe holds, and fewer than the queue.
        for _ in 0..20 {
            peer.send(vec![0; 100]).await?;
        }
        match message.as_text() {
            Some("drained") => peer.drained().await?,
            _ => drop(peer.closed().await),
        }
        Ok(())
    });
    for order in ["drained", "closed"] {
        let served = Served::new(Server::with_options(hooks.clone(), small()));
        let io = served.dial_from("192.0.2.7:1", 1024);
        let mut client = WebSocketAdapter::client(io, "ws://localhost/").await.unwrap();
        client.send(order.into()).await.unwrap();
        sleep(Duration::from_secs(90)).await;
        assert_eq!(served.hub.peers().len(), 0, "a client that reads nothing is given up");
    }
}

/// The close is behind a message that waits for the hook, which waits for the close.
#[tokio::test(start_paused = true)]
async fn a_hook_sees_the_end_though_a_message_is_in_front_of_it() {
    let log = Log::default();
    let noted = log.clone();
    let hooks = hooks().message(move |peer: Peer, message: Message| {
        let noted = noted.clone();
        async move {
            let event = peer.closed().await;
            noted.note(format!("{} {}", message.as_text().unwrap_or_default(), event.code));
        }
    });
    let served = Served::new(hooks);
    let mut client = served.connect("/").await;
    client.send("1".into()).await.unwrap();
    client.send("2".into()).await.unwrap();
    client.close(4001, "bye").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(log.lines(), ["1 4001", "2 4001"]);
    assert_eq!(served.hub.peers().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_waited_since_before_a_close_is_not_delivered() {
    for terminate in [false, true] {
        let log = Log::default();
        let noted = log.clone();
        let hooks = hooks().message(move |peer: Peer, message: Message| {
            noted.note(message.as_text().unwrap_or_default());
            async move {
                sleep(Duration::from_secs(1)).await;
                if terminate {
                    peer.terminate();
                } else {
                    drop(peer.close(4008, "kicked"));
                }
            }
        });
        let served = Served::new(hooks);
        let mut client = served.connect("/").await;
        client.send("1".into()).await.unwrap();
        client.send("2".into()).await.unwrap();
        while let Some(Ok(_)) = client.next().await {}
        sleep(Duration::from_secs(3)).await;
        assert_eq!(log.lines(), ["1"]);
    }
}

/// A shutdown that counts those that it was too late for would take them from the others.
#[tokio::test(start_paused = true)]
async fn a_shutdown_counts_the_closed_without_those_that_were_ending() {
    let hooks = hooks().close(async |peer: Peer, _| {
        if peer.id().to_string() == "1" {
            sleep(Duration::from_secs(3600)).await;
        }
    });
    let served = Served::new(hooks);
    let mut first = served.connect("/").await;
    let mut second = served.connect("/").await;
    first.close(1000, "").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let (summary, _) = tokio::join!(served.hub.shutdown().into_future(), second.next());
    assert_eq!((summary.closed, summary.cut_off), (1, 1));
}

// A peer that never reads, in a topic.

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_harms_no_others_under_any_policy() {
    let policies = [
        (SlowPeer::close(status::TRY_AGAIN_LATER), ReadyState::Closed),
        (SlowPeer::close(status::POLICY_VIOLATION), ReadyState::Closed),
        (SlowPeer::DropMessage, ReadyState::Open),
        // Given up by the channel: a write made no progress.
        (SlowPeer::Wait, ReadyState::Closed),
    ];
    for (policy, state) in policies {
        let options = small().slow_publishes(policy.clone());
        let hooks = hooks().open(async |peer| {
            peer.subscribe("t");
        });
        let served = Served::new(Server::with_options(hooks, options));
        let silent = served.dial_from("192.0.2.7:1", 1024);
        let silent = WebSocketAdapter::client(silent, "ws://localhost/").await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let stuck = served.hub.peers().pop().unwrap();
        let mut reader = served.connect("/").await;
        sleep(Duration::from_secs(1)).await;
        let reading = tokio::spawn(async move {
            for n in 0..10_000u32 {
                let message = next(&mut reader).await;
                assert_eq!(message.as_bytes()[..4], n.to_be_bytes());
            }
            reader
        });
        for n in 0..10_000u32 {
            let mut message = vec![0; 100];
            message[..4].copy_from_slice(&n.to_be_bytes());
            served.hub.publish("t", message).await;
            let buffered = stuck.buffered_amount();
            assert!(buffered < 8192, "{policy:?}: {buffered} bytes for the one that does not read");
            if n % 10 == 0 {
                tokio::task::yield_now().await;
            }
        }
        reading.await.unwrap();
        sleep(Duration::from_secs(6)).await;
        assert_eq!(stuck.ready_state(), state, "{policy:?}");
        drop(silent);
    }
}

// Limits.

#[tokio::test(start_paused = true)]
async fn connections_beyond_the_limits_are_refused_and_counted() {
    let options = ServerOptions::new().max_peers(3).max_peers_per_address(2);
    let served = Served::new(Server::with_options(hooks(), options));
    let connect = |address: &str| {
        WebSocketAdapter::client(served.dial_from(address, 4096), "ws://localhost/")
    };
    let first = connect("192.0.2.1:1").await.unwrap();
    let _second = connect("192.0.2.1:2").await.unwrap();
    assert_eq!(refused(connect("192.0.2.1:3").await.unwrap_err()), 429);
    let _third = connect("[2001:db8::1]:1").await.unwrap();
    assert_eq!(refused(connect("192.0.2.2:1").await.unwrap_err()), 503);
    drop(first);
    sleep(Duration::from_secs(1)).await;
    connect("192.0.2.2:1").await.unwrap();
    let refused = served.hub.counters().refused;
    assert_eq!((refused["max_peers_per_address"], refused["max_peers"]), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_slow_to_ask_is_dropped_and_gives_its_place_back() {
    let options = ServerOptions::new().max_peers(1).timeout(Duration::from_secs(10));
    let served = Served::new(Server::with_options(hooks(), options));
    let mut slow = served.dial();
    let before = Instant::now();
    sleep(Duration::from_millis(500)).await;
    // A byte a second.
    let mut request = b"GET / HTTP/1.1\r\nHost: localhost\r\n".iter().cycle();
    let dropped = loop {
        let _ = slow.write_all(&[*request.next().unwrap()]).await;
        let mut end = [0; 1];
        if let Ok(read) = tokio::time::timeout(Duration::from_secs(1), slow.read(&mut end)).await {
            break read.unwrap();
        }
        let error = served.client("/").await.unwrap_err();
        assert_eq!(refused(error), 503);
    };
    assert_eq!((dropped, before.elapsed().as_secs()), (0, 10));
    assert_eq!(served.hub.counters().refused["timeout"], 1);
    served.connect("/").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_before_it_has_asked_is_counted_as_lost() {
    let served = Served::new(Server::with_options(hooks(), ServerOptions::new().max_peers(1)));
    let mut io = served.dial();
    io.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    drop(io);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(served.hub.counters().refused["lost"], 1);
    served.connect("/").await;
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_hook_that_never_decides_is_answered_503_in_time() {
    let served = Served::new(hooks().upgrade(async |_| std::future::pending::<()>().await));
    let client = served.client("/").timeout(Duration::from_secs(60));
    assert_eq!(refused(client.await.unwrap_err()), 503);
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_listener_are_survived_with_a_pause() {
    let served = Served::new(hooks());
    let before = Instant::now();
    for _ in 0..3 {
        let full = io::Error::from_raw_os_error(24); // EMFILE
        served.arrivals.send(Err(full)).unwrap();
    }
    served.arrivals.send(Err(io::ErrorKind::ConnectionAborted.into())).unwrap();
    served.connect("/").await;
    assert_eq!(before.elapsed().as_millis() / 10, 30, "three pauses of 100 ms");
}

// Shutdown.

#[tokio::test(start_paused = true)]
async fn a_shutdown_closes_every_peer_with_1001_and_lets_nobody_in() {
    let log = Log::default();
    let noted = log.clone();
    let served = Served::new(hooks().close(move |_, event| {
        noted.note(event.to_string());
        async {}
    }));
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(served.connect("/").await);
    }
    let half_open = served.dial();
    sleep(Duration::from_secs(1)).await;
    let told = tokio::spawn(served.hub.shutting_down());
    let reading = clients.into_iter().map(|mut client| async move {
        assert!(client.next().await.is_none());
        let event = client.close_event().cloned().unwrap();
        (event.code, event.was_clean)
    });
    let reading = tokio::spawn(futures::future::join_all(reading));
    let summary = served.hub.shutdown().await;
    assert_eq!((summary.closed, summary.cut_off), (10, 0));
    assert_eq!(reading.await.unwrap(), vec![(status::GOING_AWAY, true); 10]);
    assert_eq!(log.lines().len(), 10);
    told.await.unwrap();
    served.task.await.unwrap().unwrap();
    drop(half_open);
    assert!(served.arrivals.is_closed(), "the listener is gone");
    assert_eq!(served.hub.counters().refused["shutdown"], 1, "who had not asked yet");
    assert_eq!(served.hub.counters().open, 0);
}

#[tokio::test(start_paused = true)]
async fn what_has_not_ended_at_the_deadline_is_dropped() {
    let log = Log::default();
    let noted = log.clone();
    let served = Served::new(
        hooks().message(async |_, _| std::future::pending::<()>().await).close(move |_, event| {
            noted.note(event.code.to_string());
            async {}
        }),
    );
    // A hook that never ends, and a client that never answers.
    let mut stuck = served.connect("/").await;
    stuck.send("wait".into()).await.unwrap();
    let _silent = served.connect("/").await;
    sleep(Duration::from_secs(1)).await;
    let before = Instant::now();
    let shutdown = served.hub.shutdown().close_with(1012, "restart").unwrap();
    let summary = shutdown.deadline(Duration::from_secs(3)).await;
    assert_eq!((summary.closed, summary.cut_off), (0, 2));
    assert_eq!(before.elapsed().as_secs(), 3);
    assert_eq!(log.lines().len(), 2, "close hooks are called all the same: {:?}", log.lines());
    served.task.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn counters_count_messages_bytes_and_closes() {
    let served = Served::new(hooks().message(async |peer, message| -> HookResult {
        peer.send(message).await?;
        Ok(())
    }));
    let mut client = served.connect("/").await;
    for _ in 0..3 {
        client.send("four".into()).await.unwrap();
        next(&mut client).await;
    }
    let counters = served.hub.counters();
    assert_eq!((counters.open, counters.accepted), (1, 1));
    client.close(4000, "").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let counters = served.hub.counters();
    assert_eq!((counters.messages_received, counters.bytes_received), (3, 12));
    assert_eq!((counters.messages_sent, counters.bytes_sent), (3, 12));
    assert_eq!((counters.open, counters.closes[&4000u16.into()]), (0, 1));
}
