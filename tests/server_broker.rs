//! Topics between servers: a broker of a program's own, in the place of none.
#![cfg(all(feature = "server", not(target_family = "wasm")))]

mod served;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use served::{Client, Served};
use tokio::time::sleep;
use ws_channel::Message;
use ws_channel::server::{
    Broker, HookResult, Peer, Publication, Remote, Server, ServerOptions, SlowPeer, hooks,
};

/// Joins servers of one process, as a network would those of several machines.
#[derive(Clone, Default)]
struct Network(Arc<Mutex<Vec<(&'static str, Remote)>>>);

/// One server's end of it.
struct End {
    network: Network,
    name: &'static str,
}

impl Broker for End {
    fn start(&self, remote: Remote) {
        self.network.0.lock().unwrap().push((self.name, remote));
    }

    fn publish(&self, publication: Publication) {
        for (name, remote) in &*self.network.0.lock().unwrap() {
            if *name != self.name {
                remote.deliver(publication.clone());
            }
        }
    }
}

/// Who comes joins the topic "news", and what it says is published there.
fn server(network: &Network, name: &'static str, options: ServerOptions) -> Served {
    let hooks = hooks()
        .open(async |peer: Peer| {
            peer.subscribe("news");
        })
        .message(async |peer: Peer, message| -> HookResult {
            peer.publish("news", message).await;
            Ok(())
        });
    let broker = End { network: network.clone(), name };
    Served::new(Server::with_options(hooks, options.broker(broker)))
}

async fn next(client: &mut Client) -> Message {
    client.next().await.expect("a message").expect("no error")
}

#[tokio::test(start_paused = true)]
async fn what_is_published_on_one_server_reaches_the_peers_of_all_once() {
    let network = Network::default();
    let servers = ["a", "b", "c"].map(|name| server(&network, name, ServerOptions::new()));
    let mut clients = Vec::new();
    for served in &servers {
        clients.push(served.connect("/").await);
    }
    sleep(Duration::from_secs(1)).await;
    clients[0].send("from a".into()).await.unwrap();
    for client in &mut clients[1..] {
        assert_eq!(next(client).await, "from a");
    }
    clients[2].send(vec![0, 255].into()).await.unwrap();
    for client in &mut clients[..2] {
        assert_eq!(next(client).await, Message::from(vec![0, 255]));
    }
    assert_eq!(servers[1].hub.publish("news", "from the server").await.queued, 1, "of its own");
    for client in &mut clients {
        assert_eq!(next(client).await, "from the server");
    }
    sleep(Duration::from_secs(1)).await;
    for client in &mut clients {
        assert!(client.next().now_or_never().is_none(), "once, and not back to who sent it");
    }
}

#[tokio::test(start_paused = true)]
async fn namespaces_hold_between_servers_and_publishing_to_all_is_of_one() {
    let network = Network::default();
    let servers = ["a", "b"].map(|name| server(&network, name, ServerOptions::new()));
    let mut near = servers[0].connect("/x").await;
    let (mut same, mut other) = (servers[1].connect("/x").await, servers[1].connect("/y").await);
    sleep(Duration::from_secs(1)).await;
    near.send("in x".into()).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    servers[0].hub.publish_to_all("all of a").await;
    servers[0].hub.publish_to("/y", "news", "in y").await;
    servers[0].hub.publish("news", "in both").await;
    for expected in ["in x", "in both"] {
        assert_eq!(next(&mut same).await, *expected);
    }
    for expected in ["in y", "in both"] {
        assert_eq!(next(&mut other).await, *expected);
    }
    for expected in ["all of a", "in both"] {
        assert_eq!(next(&mut near).await, *expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_holds_up_no_other_server() {
    let network = Network::default();
    let options = ServerOptions::new().queue_size(4096).slow_publishes(SlowPeer::Wait);
    let here = server(&network, "a", ServerOptions::new());
    let there = server(&network, "b", options);
    let _silent = there.connect("/").await;
    sleep(Duration::from_secs(1)).await;
    let peer = there.hub.peers().pop().unwrap();
    for _ in 0..1000 {
        here.hub.publish("news", vec![0; 1000]).now_or_never().expect("nobody waits");
    }
    assert!(peer.buffered_amount() <= 5000, "{}", peer.buffered_amount());
    assert!(there.hub.counters().messages_dropped > 900);
}

#[tokio::test(start_paused = true)]
async fn a_broker_does_not_keep_its_server() {
    let network = Network::default();
    let served = server(&network, "a", ServerOptions::new());
    let (_, remote) = network.0.lock().unwrap()[0].clone();
    let news = Publication { namespace: None, topic: "news".into(), message: "late".into() };
    assert!(remote.deliver(news.clone()));
    served.task.abort();
    let _ = served.task.await;
    drop(served.hub);
    assert!(!remote.deliver(news));
}
