//! One end of a conversation with another implementation, for `scripts/interop`.
//!
//! `interop listen ADDRESS` serves, `interop connect URL [PROTOCOL…]` connects once. Either echoes
//! messages, closes when it is told `close CODE REASON`, and prints how each connection began and
//! ended. `--deflate=takeover` and `--deflate=no-takeover` say what to agree on when messages are
//! compressed; without either they are not.

use futures::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use ws_channel::{Deflate, Error, Initiator, Options, WebSocketAdapter, WebSocketChannel};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, arguments): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let options = match flags.first().map(String::as_str) {
        Some("--deflate=takeover") => Options::new()
            .deflate(Deflate::new().server_context_takeover().client_context_takeover()),
        Some("--deflate=no-takeover") => Options::new()
            .deflate(Deflate::new().server_no_context_takeover().client_no_context_takeover()),
        _ => Options::new().no_deflate(),
    };
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["connect", url, protocols @ ..] => {
            let connecting = ws_channel::connect(*url).options(options);
            converse(connecting.protocols(protocols.iter().copied()).await?).await?;
        }
        ["listen", address] => listen(address, options).await?,
        _ => return Err("usage: interop listen ADDRESS | interop connect URL [PROTOCOL…]".into()),
    }
    Ok(())
}

async fn listen(address: &str, options: Options) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (io, _) = listener.accept().await?;
        let accepting = WebSocketAdapter::accept(io).options(options.clone());
        tokio::spawn(async move {
            let accepting = accepting.protocols(["chat", "superchat", "echo"]);
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
