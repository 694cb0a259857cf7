//! A server that sends every message back, until it is ended.
//!
//! `echo_server ADDRESS [--split]`, such as `echo_server 127.0.0.1:9001`. Port 0 takes a free one.

use std::error::Error as _;
use std::io::Write;
use std::time::Duration;
use std::{env, io};

use futures::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use ws_channel::{Error, WebSocketAdapter};

#[tokio::main]
async fn main() -> io::Result<()> {
    let (flags, addresses): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let (split, address) = match (&flags[..], &addresses[..]) {
        ([], [address]) => (false, address),
        ([flag], [address]) if flag == "--split" => (true, address),
        _ => return Err(io::Error::other("usage: echo_server ADDRESS [--split]")),
    };
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    io::stdout().flush()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => drop(tokio::spawn(async move {
                if let Err(error) = echo(stream, split).await {
                    let cause = error.source().map(|cause| format!(": {cause}"));
                    eprintln!("{peer}: {error}{}", cause.unwrap_or_default());
                }
            })),
            Err(error) => {
                // Such as too many open files: others have to end first.
                eprintln!("accepting failed: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn echo(stream: TcpStream, split: bool) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let mut channel =
        WebSocketAdapter::accept(stream).protocols(["chat", "superchat", "echo"]).await?;
    if split {
        let (sink, stream) = channel.split();
        return stream.forward(sink).await;
    }
    while let Some(message) = channel.next().await {
        // Not `send`, which would flush each: what is fed goes out when input runs dry.
        channel.feed(message?).await?;
    }
    Ok(())
}
