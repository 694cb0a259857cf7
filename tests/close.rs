//! How a connection ends, over an in-memory pipe.

use futures::{SinkExt, StreamExt};
use tokio::io::DuplexStream;
use ws_channel::{
    Error, Handshake, Initiator, Message, ReadyState, Role, WebSocketAdapter, WebSocketChannel,
    status,
};

type Channel = WebSocketAdapter<DuplexStream>;

fn pair() -> (Channel, Channel) {
    let (near, far) = tokio::io::duplex(1 << 16);
    (
        WebSocketAdapter::from_upgraded(near, Role::Client, Handshake::default()),
        WebSocketAdapter::from_upgraded(far, Role::Server, Handshake::default()),
    )
}

#[tokio::test(start_paused = true)]
async fn a_close_goes_both_ways_with_code_and_reason() {
    let (mut client, mut server) = pair();
    client.send("hello".into()).await.unwrap();
    let peer = async {
        assert_eq!(server.next().await.unwrap().unwrap(), Message::from("hello"));
        assert!(server.next().await.is_none());
        server.close_event().cloned().unwrap()
    };
    let (near, far) = tokio::join!(client.close(status::GOING_AWAY, "bye"), peer);
    let near = near.unwrap();
    assert_eq!((near.code, near.reason.as_str()), (status::GOING_AWAY, "bye"));
    assert!(near.was_clean && far.was_clean);
    assert_eq!((far.code, far.reason.as_str()), (status::GOING_AWAY, "bye"));
    assert_eq!((near.initiator, far.initiator), (Initiator::Local, Initiator::Peer));
    assert_eq!(client.ready_state(), ReadyState::Closed);
    assert_eq!(client.close(4000, "again").await.unwrap(), near);
    assert!(matches!(client.send("late".into()).await, Err(Error::Closed { .. })));
    assert!(client.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_waited_for_as_long_as_the_close_timeout() {
    let (mut client, _server) = pair();
    let start = tokio::time::Instant::now();
    let event = client.close(4000, "x").await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 5000);
    assert_eq!(event.code, status::ABNORMAL_CLOSURE);
    assert!(!event.was_clean);
}

#[tokio::test(start_paused = true)]
async fn both_sides_may_close_at_once() {
    let (mut client, mut server) = pair();
    let start = tokio::time::Instant::now();
    let (near, far) = tokio::join!(client.close(4001, "c"), server.close(4002, "s"));
    assert_eq!(near.unwrap().code.as_u16(), 4002);
    assert_eq!(far.unwrap().code.as_u16(), 4001);
    assert!(start.elapsed().as_millis() < 10);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_peer_is_an_error_and_then_the_end() {
    let (mut client, server) = pair();
    drop(server);
    assert!(matches!(client.next().await, Some(Err(Error::ConnectionLost | Error::Io(_)))));
    assert!(client.next().await.is_none());
    assert_eq!(client.close_code(), Some(status::ABNORMAL_CLOSURE));
}

#[tokio::test(start_paused = true)]
async fn closing_the_sink_wakes_a_waiting_reader() {
    let (client, mut server) = pair();
    let (mut sink, mut stream) = client.split();
    let reader = tokio::spawn(async move {
        assert!(stream.next().await.is_none());
        stream.close_event()
    });
    tokio::task::yield_now().await;
    let peer = tokio::spawn(async move { server.next().await.is_none() });
    let event = sink.close(status::NORMAL_CLOSURE, "done").await.unwrap();
    assert_eq!(event.code, status::NORMAL_CLOSURE);
    assert_eq!(reader.await.unwrap(), Some(event));
    assert!(peer.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_asked_and_given_up() {
    let (mut client, _server) = pair();
    let start = tokio::time::Instant::now();
    assert!(matches!(client.next().await, Some(Err(Error::Timeout { .. }))));
    assert_eq!(start.elapsed().as_millis() / 10, 4000);
    assert!(client.next().await.is_none());
}
