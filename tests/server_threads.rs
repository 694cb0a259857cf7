//! Peers used from many threads at once: whoever waits is woken, and everything arrives in order.
#![cfg(all(feature = "server", not(target_family = "wasm")))]

mod served;

use std::time::Duration;

use futures::StreamExt;
use served::{Client, Served};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;
use tokio::time::timeout;
use ws_channel::server::{Peer, Server, ServerOptions, SlowPeer, hooks};
use ws_channel::{Options, WebSocketAdapter, WebSocketChannel};

/// Tasks that send to each peer; one more publishes to all of them.
const SENDERS: u8 = 4;

/// How many messages each of them sends.
const COUNT: u32 = 300;

/// How long all of it may take; a second is usual.
const PATIENCE: Duration = Duration::from_secs(60);

fn message(sender: u8, n: u32) -> Vec<u8> {
    [&[sender][..], &n.to_be_bytes(), &[0; 40]].concat()
}

/// Reads what all senders send, each in its order, and then waits for the end.
async fn read(mut client: Client) -> u16 {
    let mut next = [0; SENDERS as usize + 1];
    for _ in 0..(u32::from(SENDERS) + 1) * COUNT {
        let message = client.next().await.expect("a message").expect("no error");
        let (sender, n) = message.as_bytes().split_first().unwrap();
        let n = u32::from_be_bytes(*n.first_chunk().unwrap());
        let expected = &mut next[usize::from(*sender)];
        assert_eq!(n, *expected, "of sender {sender}");
        *expected += 1;
    }
    assert!(client.next().await.is_none());
    client.close_code().unwrap().as_u16()
}

async fn send(peer: Peer, sender: u8) {
    for n in 0..COUNT {
        peer.send(message(sender, n)).await.unwrap();
        if n % 50 == 0 {
            peer.drained().await.unwrap();
        }
    }
}

/// Waits in vain, again and again, and gives up each time.
async fn give_up(peer: Peer) {
    for _ in 0..COUNT {
        let _ = timeout(Duration::ZERO, peer.closed()).await;
        let _ = timeout(Duration::ZERO, peer.drained()).await;
        tokio::task::yield_now().await;
    }
}

/// Comes into a topic and goes out of it.
async fn come_and_go(peer: Peer) {
    for _ in 0..COUNT {
        assert!(peer.subscribe("other") && peer.unsubscribe("other"));
        tokio::task::yield_now().await;
    }
}

async fn conversation() {
    // Little room, so that everybody waits all the time.
    let channel = Options::new().write_buffer_size(500);
    let options =
        ServerOptions::new().queue_size(2000).slow_publishes(SlowPeer::Wait).channel(channel);
    let (came, mut coming) = unbounded_channel();
    let hooks = hooks().open(move |peer: Peer| {
        peer.subscribe("all");
        came.send(peer).expect("the test waits");
        async {}
    });
    let served = Served::new(Server::with_options(hooks, options));
    let (mut reading, mut peers) = (JoinSet::new(), Vec::new());
    for _ in 0..4 {
        let io = served.dial_from("192.0.2.7:1", 512);
        let client = WebSocketAdapter::client(io, "ws://localhost/").await.unwrap();
        reading.spawn(read(client));
        peers.push(coming.recv().await.unwrap());
    }

    let mut tasks = JoinSet::new();
    for peer in &peers {
        for sender in 0..SENDERS {
            tasks.spawn(send(peer.clone(), sender));
        }
        tasks.spawn(give_up(peer.clone()));
        tasks.spawn(come_and_go(peer.clone()));
    }
    let hub = served.hub.clone();
    tasks.spawn(async move {
        for n in 0..COUNT {
            assert_eq!(hub.publish("all", message(SENDERS, n)).await.queued, 4);
        }
    });
    tasks.join_all().await;

    let mut ends = JoinSet::new();
    for peer in peers {
        for _ in 0..3 {
            let peer = peer.clone();
            ends.spawn(async move { peer.close(4000, "").await.unwrap() });
            assert!(served.hub.subscribers("/", "other").is_empty());
        }
    }
    assert!(ends.join_all().await.iter().all(|event| event.code.as_u16() == 4000));
    assert_eq!(reading.join_all().await, [4000; 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_waits_for_a_peer_is_woken() {
    for _ in 0..10 {
        let done = timeout(PATIENCE, conversation());
        done.await.expect("nobody waits for ever");
    }
}
