//! A server and a client in one process: a conversation, and how it ends.

use futures::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use ws_channel::{Error, WebSocketAdapter, WebSocketChannel, status};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let server = tokio::spawn(async move {
        let (stream, _address) = listener.accept().await?;
        serve(stream).await
    });

    let mut channel = WebSocketChannel::connect(&url).await?;
    println!("client: connected to {url}");
    for question in ["hello", "how are you?", "grüße 🎈"] {
        channel.send(question.into()).await?;
        if let Some(answer) = channel.next().await {
            println!("client: sent {question:?}, received {:?}", answer?.as_text());
        }
    }
    let end = channel.close(status::NORMAL_CLOSURE, "that was all").await?;
    println!("client: closed, and the server answered {end}");

    server.await??;
    Ok(())
}

/// Sends every message back until the client closes.
async fn serve(stream: TcpStream) -> Result<(), Error> {
    let mut channel = WebSocketAdapter::accept(stream).await?;
    while let Some(message) = channel.next().await {
        channel.send(message?).await?;
    }
    if let Some(end) = channel.close_event() {
        println!("server: the client closed with {end}");
    }
    Ok(())
}
