//! A page, an echo with the extractor, and a chat with hooks on one axum server; ctrl-C shuts all
//! of it down.
//!
//! ```console
//! $ cargo run --features axum --example axum 127.0.0.1:9001
//! ```

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures::{FutureExt, SinkExt, StreamExt};
use http::Uri;
use tokio::net::TcpListener;
use ws_channel::server::{HookResult, Server, hooks};
use ws_channel::{Error, Upgrade, Upgraded, WebSocketAdapter, WebSocketChannel};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    let chat = Server::new(
        hooks()
            .open(async |peer| -> HookResult {
                peer.subscribe("chat");
                peer.send("welcome").await?;
                Ok(())
            })
            .message(async |peer, message| {
                peer.publish("chat", message).await;
            }),
    );
    let hub = chat.hub().clone();
    let app = Router::new()
        .route("/", any(echo))
        .route("/chat", any(chat))
        .fallback(|| async { "connect to / or /chat with a WebSocket client\n" });
    let stop = tokio::signal::ctrl_c().map(|_| ());
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    // axum does not know of connections that were upgraded.
    let ended = hub.shutdown().await;
    println!("{} peers closed, {} cut off", ended.closed, ended.cut_off);
    Ok(())
}

/// The other extractors of a handler stand beside the upgrade.
async fn echo(upgrade: Option<Upgrade>, uri: Uri) -> Response {
    let Some(upgrade) = upgrade else {
        return format!("connect to {uri} with a WebSocket client\n").into_response();
    };
    upgrade
        .protocols(["chat.v2", "chat"])
        .max_message_size(1 << 20)
        .on_upgrade(|channel| async {
            if let Err(error) = send_back(channel).await {
                eprintln!("{error}");
            }
        })
        .into_response()
}

/// Sends every message back until the client closes.
async fn send_back(mut channel: WebSocketAdapter<Upgraded>) -> Result<(), Error> {
    while let Some(message) = channel.next().await {
        channel.send(message?).await?;
    }
    if let Some(end) = channel.close_event() {
        println!("{} closed: {end}", channel.url());
    }
    Ok(())
}
