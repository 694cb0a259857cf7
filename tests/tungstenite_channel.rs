//! `TungsteniteChannel`: what the wrapper adds to tokio-tungstenite's stream.
#![cfg(not(target_family = "wasm"))]

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, timeout};
use tokio_test::{assert_pending, task};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use ws_channel::{
    CloseCode, Error, Initiator, Message, ProtocolError, ReadyState, TungsteniteChannel,
    WebSocketChannel, status,
};

type Channel = TungsteniteChannel<DuplexStream>;

/// A client, and the transport of its server.
async fn client() -> (Channel, Peer) {
    let (near, far) = duplex(1 << 16);
    let config = WebSocketConfig::default().max_message_size(Some(1000)).write_buffer_size(1000);
    let stream = WebSocketStream::from_raw_socket(near, Role::Client, Some(config)).await;
    (stream.into(), Peer(far))
}

/// The other end, frame by frame.
struct Peer(DuplexStream);

impl Peer {
    async fn send(&mut self, opcode: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).expect("a short payload");
        assert!(length < 126);
        self.0.write_all(&[0x80 | opcode, length]).await.expect("the client reads");
        self.0.write_all(payload).await.expect("the client reads");
    }

    async fn close(&mut self, code: u16, reason: &str) {
        self.send(8, &[&code.to_be_bytes(), reason.as_bytes()].concat()).await;
    }

    /// The next frame's opcode and payload.
    async fn receive(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).await.expect("a frame");
        let length = match head[1] & 0x7f {
            126 => self.0.read_u16().await.expect("a length").into(),
            length => usize::from(length),
        };
        let mut mask = [0; 4];
        self.0.read_exact(&mut mask).await.expect("a mask");
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.expect("a payload");
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        (head[0] & 0x0f, payload)
    }

    async fn expect_close(&mut self, code: u16) {
        let (opcode, payload) = self.receive().await;
        assert_eq!((opcode, payload.get(..2)), (8, Some(code.to_be_bytes().as_slice())));
    }

    async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).await.expect("an end of file");
        assert!(rest.is_empty());
    }
}

#[tokio::test]
async fn messages_go_both_ways() {
    let (mut channel, mut peer) = client().await;
    channel.send("hé".into()).await.expect("sent");
    channel.send(Message::from(b"")).await.expect("sent");
    assert_eq!(peer.receive().await, (1, "hé".into()));
    assert_eq!(peer.receive().await, (2, vec![]));

    peer.send(1, b"text").await;
    peer.send(2, &[0xff]).await;
    assert_eq!(channel.next().await.expect("one").expect("whole"), Message::from("text"));
    assert_eq!(channel.next().await.expect("two").expect("whole"), Message::from(&[0xff]));
    assert_eq!(channel.ready_state(), ReadyState::Open);
    assert_eq!(channel.close_event(), None);
}

#[tokio::test]
async fn close_sends_what_is_queued_and_awaits_the_answer() {
    let (mut channel, mut peer) = client().await;
    channel.feed("queued".into()).await.expect("accepted");
    let closing = async { channel.close(4001, "bye").await.expect("a legal code") };
    let answering = async {
        assert_eq!(peer.receive().await, (1, b"queued".to_vec()));
        assert_eq!(peer.receive().await, (8, b"\x0f\xa1bye".to_vec()));
        peer.send(1, b"late").await;
        peer.close(4002, "see you").await;
        peer.expect_end().await;
    };
    let (event, ()) = tokio::join!(closing, answering);
    assert_eq!((event.code.as_u16(), &*event.reason), (4002, "see you"));
    assert!(event.was_clean);
    assert_eq!(event.initiator, Initiator::Local);
    assert!(channel.next().await.is_none(), "data after a local close is dropped");
    assert_eq!(channel.ready_state(), ReadyState::Closed);
    assert_eq!(channel.close(4003, "again").await.expect("a legal code"), event);
}

#[tokio::test(start_paused = true)]
async fn closing_ends_within_the_timeout_when_the_peer_is_silent() {
    let (channel, mut peer) = client().await;
    let mut channel = channel.with_close_timeout(Duration::from_secs(2));
    let began = Instant::now();
    let event = channel.close(status::NORMAL_CLOSURE, "").await.expect("a legal code");
    assert_eq!(began.elapsed().as_secs(), 2);
    assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false));
    assert!(channel.next().await.is_none());
    peer.expect_close(1000).await;
    peer.expect_end().await;
}

#[tokio::test]
async fn a_code_that_may_not_be_sent_leaves_the_channel_open() {
    let (mut channel, mut peer) = client().await;
    let refused = channel.close(status::ABNORMAL_CLOSURE, "").await;
    assert!(matches!(refused, Err(Error::CloseFrame(_))));
    assert_eq!(channel.ready_state(), ReadyState::Open);
    channel.send("still here".into()).await.expect("sent");
    assert_eq!(peer.receive().await, (1, b"still here".to_vec()));
}

#[tokio::test]
async fn the_peers_close_is_answered_and_ends_the_stream() {
    let (mut channel, mut peer) = client().await;
    peer.close(1001, "moving").await;
    assert!(channel.next().await.is_none());
    let event = channel.close_event().expect("set with the end").clone();
    assert_eq!((event.code, &*event.reason), (status::GOING_AWAY, "moving"));
    assert!(event.was_clean);
    assert_eq!(event.initiator, Initiator::Peer);
    peer.expect_close(1001).await;
    peer.expect_end().await;

    match channel.send("too late".into()).await {
        Err(Error::Closed { event: Some(known), .. }) => assert_eq!(*known, event),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_empty_close_is_1005() {
    let (mut channel, mut peer) = client().await;
    peer.send(8, b"").await;
    assert!(channel.next().await.is_none());
    assert_eq!(channel.close_code(), Some(status::NO_STATUS_RECEIVED));
    assert_eq!(peer.receive().await, (8, vec![]));
}

#[tokio::test]
async fn a_lost_transport_is_an_error_and_1006() {
    let (mut channel, peer) = client().await;
    drop(peer);
    assert!(matches!(channel.next().await, Some(Err(Error::ConnectionLost))));
    assert!(channel.next().await.is_none());
    let event = channel.close_event().expect("set with the end");
    assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false));
    assert_eq!(event.initiator, Initiator::Peer);
}

#[tokio::test]
async fn faults_are_answered_before_the_connection_ends() {
    let oversize: Vec<u8> = [&[0x82, 126, 0x03, 0xe9][..], &[0; 1001]].concat();
    for (bytes, code) in
        [(b"\xc1\x00".to_vec(), 1002), (b"\x81\x01\xff".to_vec(), 1007), (oversize, 1009)]
    {
        let (mut channel, mut peer) = client().await;
        peer.0.write_all(&bytes).await.expect("the client reads");
        peer.0.write_all(&[0; 5000]).await.expect("data in flight is read");
        let reading = async { channel.next().await.expect("an error").expect_err("a fault") };
        let answered = async {
            peer.expect_close(code).await;
            peer.expect_end().await;
            drop(peer);
        };
        let (error, ()) = tokio::join!(reading, answered);
        match code {
            1002 => assert!(matches!(error, Error::Protocol(ProtocolError::ReservedBits))),
            1007 => assert!(matches!(error, Error::NotUtf8)),
            _ => assert!(matches!(error, Error::MessageTooBig { size: 1001, limit: 1000, .. })),
        }
        assert!(channel.next().await.is_none());
        let event = channel.close_event().expect("set with the end");
        assert_eq!(event.code, status::ABNORMAL_CLOSURE);
        assert_eq!(event.initiator, Initiator::Local);
    }
}

#[tokio::test]
async fn pongs_go_out_while_the_application_only_reads() {
    let (mut channel, mut peer) = client().await;
    peer.send(9, b"are you there").await;
    let mut reading = task::spawn(channel.next());
    assert_pending!(reading.poll());
    assert_eq!(peer.receive().await, (10, b"are you there".to_vec()));
}

#[tokio::test]
async fn sending_waits_for_a_slow_transport() {
    let (near, far) = duplex(64);
    let config = WebSocketConfig::default().write_buffer_size(1000);
    let stream = WebSocketStream::from_raw_socket(near, Role::Client, Some(config)).await;
    let mut channel = TungsteniteChannel::from(stream);
    let mut peer = Peer(far);

    channel.feed(vec![0; 5000].into()).await.expect("one message may exceed the mark");
    assert_eq!(channel.buffered_amount(), 5000);
    let mut sending = task::spawn(channel.feed("next".into()));
    assert_pending!(sending.poll());
    let (sent, received) = tokio::join!(sending, peer.receive());
    sent.expect("there is room again");
    assert_eq!(received.1.len(), 5000);
    assert_eq!(channel.buffered_amount(), 4);
}

#[tokio::test]
async fn halves_close_while_the_reader_waits() {
    let (channel, mut peer) = client().await;
    let (mut sink, mut stream) = channel.split();
    let reading = tokio::spawn(async move { stream.next().await.is_none() });
    let closing = tokio::spawn(async move { sink.close(4000, "").await.expect("a legal code") });
    peer.expect_close(4000).await;
    peer.close(4000, "").await;
    assert!(closing.await.expect("no panic").was_clean);
    assert!(reading.await.expect("no panic"));
    peer.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_close_that_begins_outside_of_a_runtime_ends_in_time() {
    let (channel, _silent) = client().await;
    let (sink, mut stream) = channel.split();
    std::thread::spawn(move || drop(sink)).join().expect("it is dropped");
    let end = timeout(Duration::from_secs(60), stream.next()).await.expect("there is a deadline");
    assert!(end.is_none());
    assert_eq!(stream.close_code(), Some(status::ABNORMAL_CLOSURE));
}

#[tokio::test]
async fn a_failed_write_leaves_what_has_arrived_to_be_read() {
    let (near, far) = duplex(1 << 16);
    let stream = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
    let mut channel = TungsteniteChannel::from(stream);
    let mut peer = Peer(far);
    peer.send(1, b"last words").await;
    peer.close(1001, "").await;
    drop(peer);

    assert!(matches!(channel.send("anybody?".into()).await, Err(Error::Io(_))));
    assert!(matches!(channel.send("hello?".into()).await, Err(Error::Closed { .. })));
    assert_eq!(channel.ready_state(), ReadyState::Closing);
    assert_eq!(channel.next().await.expect("one").expect("whole"), Message::from("last words"));
    assert!(channel.next().await.is_none());
    assert_eq!(channel.close_code(), Some(status::GOING_AWAY));
}

#[tokio::test]
async fn two_channels_talk_and_the_server_ends_the_transport() {
    let (near, far) = duplex(1 << 16);
    let mut client: Channel =
        WebSocketStream::from_raw_socket(near, Role::Client, None).await.into();
    let mut server: Channel =
        WebSocketStream::from_raw_socket(far, Role::Server, None).await.into();
    client.send("ping?".into()).await.expect("sent");
    assert_eq!(server.next().await.expect("one").expect("whole"), Message::from("ping?"));
    let (event, ended) = tokio::join!(server.close(1001, "restart"), client.next());
    assert!(event.expect("a legal code").was_clean);
    assert!(ended.is_none());
    assert_eq!(client.close_reason(), Some("restart"));

    let late = client.send("late".into()).await;
    assert!(matches!(late, Err(Error::Closed { event: Some(_), .. })));
}

#[tokio::test]
async fn a_close_code_that_tungstenite_does_not_know_is_reported_as_1002() {
    for lost in [1014, 2999] {
        let (mut channel, mut peer) = client().await;
        peer.close(lost, "").await;
        assert!(channel.next().await.is_none());
        assert_eq!(channel.close_code(), Some(status::PROTOCOL_ERROR));
        assert_ne!(channel.close_code(), Some(CloseCode::from(lost)));
    }
}
