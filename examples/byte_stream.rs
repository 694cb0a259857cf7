//! A channel over a `Stream` and a `Sink` of `Bytes`, as many libraries have them: tokio-util makes
//! them a byte stream.

use std::io;

use bytes::Bytes;
use futures::channel::mpsc;
use futures::{Sink, SinkExt, Stream, StreamExt, TryStreamExt};
use tokio::io::{AsyncRead, AsyncWrite, join};
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};
use ws_channel::{WebSocketAdapter, status};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Bytes go in chunks, one way in each of these.
    let (to_server, from_client) = mpsc::channel::<Bytes>(8);
    let (to_client, from_server) = mpsc::channel::<Bytes>(8);
    let near = byte_stream(from_server.map(Ok), to_server);
    let far = byte_stream(from_client.map(Ok), to_client);

    let server = tokio::spawn(async move {
        let channel = WebSocketAdapter::accept(far).await?;
        let (sink, stream) = channel.split();
        let upper = stream.map_ok(|message| match message.as_text() {
            Some(text) => text.to_uppercase().into(),
            None => message,
        });
        upper.forward(sink).await
    });

    let mut client = WebSocketAdapter::client(near, "ws://example.com/").await?;
    client.send("hello".into()).await?;
    println!("received {:?}", client.next().await.transpose()?);
    println!("closed: {}", client.close(status::NORMAL_CLOSURE, "done").await?);
    server.await??;
    Ok(())
}

/// Joins a stream and a sink of bytes into what a channel can run over.
fn byte_stream<R, W>(stream: R, sink: W) -> impl AsyncRead + AsyncWrite + Unpin
where
    R: Stream<Item = io::Result<Bytes>> + Unpin,
    W: Sink<Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
{
    let sink = sink.sink_map_err(io::Error::other);
    join(StreamReader::new(stream), SinkWriter::new(CopyToBytes::new(sink)))
}
