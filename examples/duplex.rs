//! A channel over a byte stream that is there already: here a pipe in memory.

use futures::{SinkExt, StreamExt};
use tokio::io::duplex;
use ws_channel::{Error, WebSocketAdapter, WebSocketChannel, status};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let (near, far) = duplex(64 * 1024);
    // Each end waits for the other in the opening handshake.
    let (mut client, mut server) = tokio::try_join!(
        WebSocketAdapter::client(near, "ws://example.com/numbers").protocols(["sum"]),
        WebSocketAdapter::accept(far).protocols(["sum"]),
    )?;
    println!("the client asked for {:?}, and both speak {:?}", server.url(), client.protocol());

    client.send(vec![1, 2, 3].into()).await?;
    if let Some(numbers) = server.next().await.transpose()? {
        let sum: u32 = numbers.as_bytes().iter().copied().map(u32::from).sum();
        server.send(format!("the sum is {sum}").into()).await?;
    }
    if let Some(answer) = client.next().await.transpose()? {
        println!("the server says: {:?}", answer.as_text());
    }

    // The client waits for the server's Close frame, which goes out while the server receives.
    let (end, _) = tokio::join!(client.close(status::NORMAL_CLOSURE, "done"), server.next());
    println!("closed: {}", end?);
    Ok(())
}
