//! A page and a WebSocket echo on one axum server.
//!
//! ```console
//! $ cargo run --features axum --example axum 127.0.0.1:9001
//! ```

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures::{SinkExt, StreamExt};
use http::Uri;
use tokio::net::TcpListener;
use ws_channel::{Error, Upgrade, Upgraded, WebSocketAdapter, WebSocketChannel};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    let app = Router::new()
        .route("/", any(chat))
        .fallback(|| async { "connect to / with a WebSocket client\n" });
    axum::serve(listener, app).await
}

/// The other extractors of a handler stand beside the upgrade.
async fn chat(upgrade: Option<Upgrade>, uri: Uri) -> Response {
    let Some(upgrade) = upgrade else {
        return format!("connect to {uri} with a WebSocket client\n").into_response();
    };
    upgrade
        .protocols(["chat.v2", "chat"])
        .max_message_size(1 << 20)
        .on_upgrade(|channel| async {
            if let Err(error) = echo(channel).await {
                eprintln!("{error}");
            }
        })
        .into_response()
}

/// Sends every message back until the client closes.
async fn echo(mut channel: WebSocketAdapter<Upgraded>) -> Result<(), Error> {
    while let Some(message) = channel.next().await {
        channel.send(message?).await?;
    }
    if let Some(end) = channel.close_event() {
        println!("{} closed: {end}", channel.url());
    }
    Ok(())
}
