//! Documents, lines and frames over a WebSocket, which keep its `close`, event and state.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_util::codec::LengthDelimitedCodec;
use ws_channel::stream_channel::{CodecChannel, JsonChannel, JsonError, LinesChannel};
use ws_channel::{BoxWebSocketChannel, Error, ReadyState, WebSocketChannel, status};

use crate::wire::{BINARY, TEXT, client, pair};

#[tokio::test(start_paused = true)]
async fn documents_go_as_text_and_come_as_either() {
    let (client, mut peer) = client();
    let mut channel = client.json::<Value>();
    channel.send(json!([1, "two"])).await.unwrap();
    let frame = peer.expect().await;
    assert_eq!((frame.first, &*frame.payload), (TEXT, &b"[1,\"two\"]"[..]));
    peer.send(TEXT, b"{}").await;
    peer.send(BINARY, b"[]").await;
    assert_eq!(channel.next().await.unwrap().unwrap(), json!({}));
    assert_eq!(channel.next().await.unwrap().unwrap(), json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_bad_document_does_not_end_the_connection() {
    let (client, mut peer) = client();
    let mut channel = client.json::<u8>();
    peer.send(TEXT, b"nonsense").await;
    peer.send(TEXT, b"256").await;
    peer.send(TEXT, b"255").await;
    for _ in 0..2 {
        assert!(matches!(channel.next().await, Some(Err(JsonError::Decode(_)))));
    }
    assert_eq!(channel.next().await.unwrap().unwrap(), 255);
    assert_eq!(channel.ready_state(), ReadyState::Open);
}

#[tokio::test(start_paused = true)]
async fn close_sends_code_and_reason_and_the_event_is_kept() -> Result<(), JsonError<Error>> {
    let (client, mut server) = pair();
    let mut channel = BoxWebSocketChannel::new(client).json::<Value>();
    channel.ready().await?;
    assert_eq!((channel.handshake().url(), channel.protocol()), ("", None));
    let server = tokio::spawn(async move {
        assert!(server.next().await.is_none());
        server.close_event().cloned()
    });
    let event = channel.close(4000, "enough").await?;
    assert_eq!(channel.close_event(), Some(&event));
    assert_eq!(
        (channel.close_code(), channel.close_reason()),
        (Some(4000u16.into()), Some("enough"))
    );
    assert_eq!(server.await.unwrap().unwrap().reason, "enough");
    assert!(matches!(channel.send(json!(1)).await, Err(JsonError::Channel(Error::Closed { .. }))));
    assert!(channel.next().await.is_none());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_breaks_the_connection_is_the_websockets_error() {
    let (client, peer) = client();
    let mut channel = client.json::<u8>();
    drop(peer);
    let item = channel.next().await;
    assert!(matches!(item, Some(Err(JsonError::Channel(Error::ConnectionLost)))), "{item:?}");
    assert!(channel.next().await.is_none());
    assert_eq!(channel.close_code(), Some(status::ABNORMAL_CLOSURE));
}

#[tokio::test(start_paused = true)]
async fn two_tasks_own_the_directions() {
    let (client, server) = pair();
    let mut server = JsonChannel::<_, String, usize>::new(server);
    let (mut sink, mut stream) = JsonChannel::<_, usize, String>::new(client).split();
    let reading = tokio::spawn(async move {
        let answer = stream.next().await.unwrap().unwrap();
        assert!(matches!(stream.next().await, Some(Err(JsonError::Decode(_)))));
        assert!(stream.next().await.is_none());
        (answer, stream.get_ref().close_code())
    });
    tokio::task::yield_now().await;
    sink.send("three".into()).await.unwrap();
    let asked = server.next().await.unwrap().unwrap();
    server.send(asked.len()).await.unwrap();
    server.get_mut().send("no number".into()).await.unwrap();
    tokio::task::yield_now().await;
    let server = tokio::spawn(async move { server.next().await.is_none() });
    let event = sink.close(4000, "that was all").await.unwrap();
    assert_eq!(sink.get_ref().close_event().unwrap(), event);
    assert!(sink.send("late".into()).await.is_err());
    assert_eq!(reading.await.unwrap(), (5, Some(4000u16.into())));
    assert!(server.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn lines_and_frames_keep_the_websocket_too() {
    let (near, far) = pair();
    let (mut near, mut far) = (LinesChannel::new(near), LinesChannel::new(far));
    near.send("hello".into()).await.unwrap();
    assert_eq!(far.next().await.unwrap().unwrap(), "hello");
    let far = tokio::spawn(async move { far.next().await.is_none() && far.close_code().is_some() });
    assert!(near.close(4001, "").await.unwrap().was_clean);
    assert!(far.await.unwrap());

    let (near, far) = pair();
    let mut near = CodecChannel::new(near, LengthDelimitedCodec::new());
    let mut far = CodecChannel::new(far, LengthDelimitedCodec::new());
    near.send(Bytes::from(vec![7; 10_000])).await.unwrap();
    assert_eq!(far.next().await.unwrap().unwrap(), vec![7; 10_000]);
    let far = tokio::spawn(async move { far.next().await.is_none() && far.close_code().is_some() });
    assert!(near.close(4002, "").await.unwrap().was_clean);
    assert!(far.await.unwrap());
}
