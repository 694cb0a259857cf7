//! Two halves in two tasks: one sends when it likes, the other receives when something comes.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::duplex;
use tokio::time::{interval, sleep};
use ws_channel::{Error, WebSocketAdapter, status};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (near, far) = duplex(64 * 1024);
    let server = tokio::spawn(serve_ticks(far));
    let channel = WebSocketAdapter::client(near, "ws://example.com/ticks").await?;
    let (mut sink, mut stream) = channel.split();

    let reader = tokio::spawn(async move {
        while let Some(message) = stream.next().await {
            println!("received {:?}", message?.as_text());
        }
        Ok::<_, Error>(stream.close_event())
    });
    let writer = tokio::spawn(async move {
        sink.send("faster, please".into()).await?;
        sleep(Duration::from_millis(100)).await;
        // Also ends the reader's stream.
        sink.close(status::NORMAL_CLOSURE, "enough").await
    });

    println!("the writer closed: {}", writer.await??);
    println!("the reader saw it: {:?}", reader.await??.map(|end| end.code));
    server.await??;
    Ok(())
}

/// Sends ticks, at the speed that the client asks for, until it closes.
async fn serve_ticks(io: tokio::io::DuplexStream) -> Result<(), Error> {
    let mut channel = WebSocketAdapter::accept(io).await?;
    let mut ticks = interval(Duration::from_millis(40));
    loop {
        tokio::select! {
            message = channel.next() => match message.transpose()? {
                Some(_faster) => ticks = interval(Duration::from_millis(20)),
                None => return Ok(()),
            },
            _ = ticks.tick() => channel.send("tick".into()).await?,
        }
    }
}
