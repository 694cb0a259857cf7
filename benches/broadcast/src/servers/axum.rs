//! axum's own WebSockets, and one `tokio::sync::broadcast`, as in axum's example of a chat.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use axum::serve::ListenerExt;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use crate::servers::Order;

type All = Arc<broadcast::Sender<Bytes>>;

pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let all: All = Arc::new(broadcast::channel(1024).0);
    let upgrade = async |upgrade: WebSocketUpgrade, State(all): State<All>| {
        upgrade.on_upgrade(|socket| talk(socket, all))
    };
    let app = Router::new().route("/", any(upgrade)).with_state(all);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await
}

async fn talk(socket: WebSocket, all: All) {
    let mut published = all.subscribe();
    let (mut sink, mut stream) = socket.split();
    let sender = tokio::spawn(async move {
        while let Ok(payload) = published.recv().await {
            if sink.send(Message::Binary(payload)).await.is_err() {
                break;
            }
        }
    });
    while let Some(Ok(message)) = stream.next().await {
        if let Some(order) = message.to_text().ok().and_then(Order::parse) {
            for _ in 0..order.count {
                let _ = all.send(order.payload.clone());
            }
        }
    }
    sender.abort();
}
