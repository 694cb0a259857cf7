//! One end of a conversation with another implementation, for `scripts/interop`.
//!
//! `interop listen ADDRESS` serves, `interop connect URL [PROTOCOL…]` connects once. Either echoes
//! messages, closes when it is told `close CODE REASON`, and prints how each connection began and
//! ended.

use std::env::args;

use futures::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use ws_channel::{Error, Initiator, WebSocketAdapter, WebSocketChannel};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["connect", url, protocols @ ..] => {
            let channel = ws_channel::connect(*url).protocols(protocols.iter().copied()).await?;
            converse(channel).await?;
        }
        ["listen", address] => listen(address).await?,
        _ => return Err("usage: interop listen ADDRESS | interop connect URL [PROTOCOL…]".into()),
    }
    Ok(())
}

async fn listen(address: &str) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (io, _) = listener.accept().await?;
        tokio::spawn(async move {
            let accepting = WebSocketAdapter::accept(io).protocols(["chat", "superchat", "echo"]);
            if let Err(error) = async { converse(accepting.await?).await }.await {
                println!("error {error}");
            }
        });
    }
}

async fn converse<C: WebSocketChannel + Unpin>(mut channel: C) -> Result<(), Error> {
    println!("open {}", channel.protocol().unwrap_or("-"));
    while let Some(message) = channel.next().await {
        let message = message?;
        let words = message.as_text().and_then(|text| text.strip_prefix("close ")?.split_once(' '));
        if let Some((code, reason)) = words {
            let code: u16 = code.parse().unwrap_or_default();
            channel.close(code, reason).await?;
        } else {
            channel.send(message).await?;
        }
    }
    if let Some(end) = channel.close_event() {
        let clean = if end.was_clean { "clean" } else { "not clean" };
        let by = if end.initiator == Initiator::Local { "us" } else { "the peer" };
        println!("closed {} {} | {clean}, by {by}", end.code.as_u16(), end.reason);
    }
    Ok(())
}
