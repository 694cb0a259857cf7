//! A server with hooks, which answers "ping" and prints what happens to its peers.
//!
//! `hooks [ADDRESS]`, such as `hooks 127.0.0.1:9001`; the default is a free port. Ctrl-C shuts it down.

use std::env;
use std::io::{self, Write};

use http::StatusCode;
use tokio::net::TcpListener;
use ws_channel::server::{HookResult, hooks, serve};

#[tokio::main]
async fn main() -> io::Result<()> {
    let hooks = hooks()
        .upgrade(async |request| {
            println!("[WS] upgrading {}", request.uri());
            if request.path() == "/chat" { Ok(()) } else { Err(StatusCode::NOT_FOUND) }
        })
        .open(async |peer| match peer.remote_addr() {
            Some(address) => println!("[WS] open: {address}"),
            None => println!("[WS] open"),
        })
        .message(async |peer, message| -> HookResult {
            let text = message.as_text().unwrap_or("(binary)");
            println!("[WS] message: {text}");
            if text == "ping" {
                peer.send("pong").await?;
            }
            Ok(())
        })
        .close(async |_peer, event| println!("[WS] close({}) - {}", event.code, event.reason))
        .error(async |_peer, error| println!("[WS] error: {error}"));

    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0")).await?;
    println!("listening on ws://{}/chat", listener.local_addr()?);
    io::stdout().flush()?;

    let serve = serve(listener, hooks);
    let hub = serve.hub().clone();
    let serving = tokio::spawn(serve.into_future());
    tokio::signal::ctrl_c().await?;
    let ended = hub.shutdown().await;
    println!("{} peers closed, {} cut off", ended.closed, ended.cut_off);
    serving.await?
}
