//! A library that knows futures' traits only, inside a WebSocket.

use futures::future::{self, Either};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures::join;
use tokio::sync::oneshot;
use ws_channel::WebSocketChannel;
use yamux::{Config, Connection, Mode};

use crate::wire::pair;

#[tokio::test]
async fn yamux_runs_inside_a_websocket() {
    const STREAMS: usize = 20;

    let (near, far) = pair();
    let mut server = Connection::new(far.into_io(), Config::default(), Mode::Server);
    let server = tokio::spawn(async move {
        let mut streams = Vec::new();
        while let Some(Ok(stream)) = future::poll_fn(|cx| server.poll_next_inbound(cx)).await {
            let (mut read, mut write) = stream.split();
            streams.push(tokio::spawn(async move {
                futures::io::copy(&mut read, &mut write).await.unwrap();
                write.close().await.unwrap();
            }));
        }
        streams.len()
    });

    let mut client = Connection::new(near.into_io(), Config::default(), Mode::Client);
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        streams.push(future::poll_fn(|cx| client.poll_new_outbound(cx)).await.unwrap());
    }
    let (ended, end) = oneshot::channel::<()>();
    let driver = tokio::spawn(async move {
        let inbound = future::poll_fn(|cx| client.poll_next_inbound(cx));
        assert!(matches!(future::select(inbound, end).await, Either::Right(_)));
    });
    let echoes = streams.into_iter().enumerate().map(|(number, stream)| async move {
        let sent = vec![u8::try_from(number).unwrap(); 100_000];
        let (mut read, mut write) = stream.split();
        let write = async {
            write.write_all(&sent).await.unwrap();
            write.close().await.unwrap();
        };
        let mut received = Vec::new();
        let ((), read) = join!(write, read.read_to_end(&mut received));
        read.unwrap();
        assert!(received == sent);
    });
    future::join_all(echoes).await;
    ended.send(()).unwrap();
    driver.await.unwrap();
    assert_eq!(server.await.unwrap(), STREAMS);
}
