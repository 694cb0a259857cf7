//! Hooks, and a topic that every peer joins.

use tokio::net::TcpListener;
use ws_channel::Message;
use ws_channel::server::{Peer, ServerOptions, SlowPeer, hooks};

use crate::servers::Order;

pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
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
    ws_channel::server::serve(listener, ws_channel::server::Server::with_options(hooks, options))
        .await
}
