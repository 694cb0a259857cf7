//! Hooks, and a topic that every peer joins.

use std::future::IntoFuture;
use std::io::Write;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use ws_channel::Message;
use ws_channel::server::{Peer, Server, ServerOptions, SlowPeer, hooks};

use crate::servers::Order;

pub async fn serve(listener: TcpListener, shutdown: oneshot::Receiver<()>) -> std::io::Result<()> {
    let hooks = hooks()
        .open(async |peer: Peer| {
            peer.subscribe("all");
        })
        .message(async |peer: Peer, message: Message| {
            if let Some(order) = message.as_text().and_then(Order::parse) {
                for _ in 0..order.count {
                    peer.hub().publish("all", order.payload.clone()).await;
                }
            }
        });
    let options = ServerOptions::new().max_peers(usize::MAX).slow_publishes(SlowPeer::Wait);
    let serve = ws_channel::server::serve(listener, Server::with_options(hooks, options));
    let hub = serve.hub().clone();
    let serving = tokio::spawn(serve.into_future());
    let _ = shutdown.await;
    let ended = hub.shutdown().await;
    serving.await??;
    // The runtime counts a task until its last poll has returned: a little longer than until it has
    // told whoever waits for it.
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let returned = async {
        while tasks() > 0 {
            tokio::task::yield_now().await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), returned).await;
    let told = hub.counters().closes.into_iter().find(|(code, _)| code.as_u16() == 1001);
    println!(
        "closed {}, cut off {}, told 1001 {}, peers {}, tasks {}, sockets {}",
        ended.closed,
        ended.cut_off,
        told.map_or(0, |(_, count)| count),
        hub.peers().len(),
        tasks(),
        sockets()?,
    );
    std::io::stdout().flush()?;
    std::future::pending().await
}

/// How many sockets this process has.
fn sockets() -> std::io::Result<usize> {
    let descriptors = std::fs::read_dir("/proc/self/fd")?;
    let targets = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    // Those of TCP: the runtime has a pair of its own for signals.
    let table = std::fs::read_to_string("/proc/self/net/tcp")?;
    let inodes: Vec<&str> =
        table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(9)).collect();
    let is_tcp = |name: &str| {
        let inode = name.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        inode.is_some_and(|inode| inodes.contains(&inode))
    };
    Ok(targets.filter(|target| target.to_str().is_some_and(is_tcp)).count())
}
