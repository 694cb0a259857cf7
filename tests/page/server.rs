//! The server of `tests/browser.rs`, a process beside the browser.
//!
//! `page_server ADDRESS`; what it does with a connection, its path says.

#[path = "../conformance/mod.rs"]
mod conformance;
#[path = "../conformance/listener.rs"]
mod listener;
#[path = "../conformance/server.rs"]
mod server;
#[path = "../wire/mod.rs"]
mod wire;

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::sleep;
use ws_channel::{Error, Message, WebSocketAdapter, WebSocketChannel};

/// How many connections of `/held` and `/late` are open.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// How many bytes the last `/slow` has received.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// How many messages `/flood` has handed to its transport.
static FLOODED: AtomicUsize = AtomicUsize::new(0);

/// The size of each of them.
const FLOOD: usize = 64 << 10;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).ok_or_else(|| io::Error::other("page_server ADDRESS"))?;
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // A page that goes away is no news.
            let _ = serve(stream).await;
        });
    }
}

async fn serve(stream: TcpStream) -> Result<(), Error> {
    let request = WebSocketAdapter::accept(stream).protocols(["echo", "chat"]).request().await?;
    if request.target() == "/silent" {
        // The opening handshake stays open.
        sleep(Duration::from_secs(60)).await;
    }
    let mut channel = request.accept().await?;
    let target = channel.url().to_owned();
    let (path, argument) = target.split_once('?').unwrap_or((&target, ""));
    match path {
        // Closes with the code that is asked for.
        "/close" => {
            let code: u16 = argument.parse().unwrap_or(1000);
            channel.close(code, "as you wish").await?;
        }
        // Sends, and is gone without a word.
        "/gone" => return channel.send("before".into()).await,
        // Reads, and does not answer a close.
        "/mute" => {
            let mut stream = channel.into_inner();
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
            return Ok(());
        }
        // Does not read for a while, then counts the bytes, and tells the sum when a message is empty.
        "/slow" => {
            TAKEN.store(0, Ordering::SeqCst);
            sleep(Duration::from_millis(500)).await;
            while let Some(message) = channel.next().await {
                let size = message?.len();
                let total = TAKEN.fetch_add(size, Ordering::SeqCst);
                if size == 0 {
                    channel.send(total.to_string().into()).await?;
                }
            }
        }
        "/taken" => channel.send(TAKEN.load(Ordering::SeqCst).to_string().into()).await?,
        // Reads nothing for long, and is counted meanwhile and until the client closes.
        "/late" => {
            HELD.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_secs(3)).await;
            let end = drain(&mut channel).await;
            HELD.fetch_sub(1, Ordering::SeqCst);
            return end;
        }
        // Sends that many messages, numbered, as fast as they are taken.
        "/flood" => {
            FLOODED.store(0, Ordering::SeqCst);
            for number in 0..argument.parse().unwrap_or(0u32) {
                let mut bytes = vec![0; FLOOD];
                bytes[..4].copy_from_slice(&number.to_be_bytes());
                channel.send(Message::from(bytes)).await?;
                FLOODED.fetch_add(1, Ordering::SeqCst);
            }
            drain(&mut channel).await?;
        }
        "/flooded" => channel.send(FLOODED.load(Ordering::SeqCst).to_string().into()).await?,
        // Starts the suite's servers, tells their port, and hands on what they report.
        "/conformance" => {
            let (reporter, mut reports) = unbounded_channel();
            let port = listener::listen(reporter).await;
            channel.send(port.to_string().into()).await?;
            loop {
                tokio::select! {
                    Some(report) = reports.recv() => channel.send(report.into()).await?,
                    _ = channel.next() => return Ok(()),
                }
            }
        }
        // Echoes, and is counted.
        "/held" => {
            HELD.fetch_add(1, Ordering::SeqCst);
            let end = echo(&mut channel).await;
            HELD.fetch_sub(1, Ordering::SeqCst);
            return end;
        }
        "/holding" => channel.send(HELD.load(Ordering::SeqCst).to_string().into()).await?,
        _ => return echo(&mut channel).await,
    }
    drain(&mut channel).await
}

async fn echo(channel: &mut WebSocketAdapter<TcpStream>) -> Result<(), Error> {
    while let Some(message) = channel.next().await {
        channel.feed(message?).await?;
    }
    Ok(())
}

async fn drain(channel: &mut WebSocketAdapter<TcpStream>) -> Result<(), Error> {
    while let Some(message) = channel.next().await {
        message?;
    }
    Ok(())
}
