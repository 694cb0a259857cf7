//! The halves: who wakes whom, who answers, and what dropping one means.

mod wire;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout};
use tokio_test::{assert_pending, assert_ready, task};
use ws_channel::{Error, Handshake, Initiator, Message, Options, Role, WebSocketAdapter, status};

use wire::{BINARY, CLOSE, PING, PONG, TEXT, channel, client, pair, server};

const SOON: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn both_halves_know_the_handshake_the_state_and_the_event() {
    let (client, mut peer) = client();
    let (mut sink, mut stream) = client.split();
    assert!(sink.is_pair_of(&stream));
    assert_eq!(sink.ready_state(), stream.ready_state());
    peer.close(4000, "bye").await;
    peer.shut_down().await;
    assert!(stream.next().await.is_none());
    assert_eq!(stream.close_code(), Some(4000u16.into()));
    assert_eq!(sink.close_event(), stream.close_event());
    assert!(sink.send("late".into()).await.unwrap_err().is_closed());
}

/// Never has anything to read, and fails each write: its read side does not tell of that.
#[derive(Debug)]
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_failed_write_of_the_sink_wakes_a_waiting_reader() {
    let channel = WebSocketAdapter::from_upgraded(Broken, Role::Client, Handshake::default());
    let (mut sink, mut stream) = channel.split();
    let mut reader = task::spawn(stream.next());
    assert_pending!(reader.poll());
    let sent = assert_ready!(task::spawn(sink.send("x".into())).poll());
    assert!(matches!(sent, Err(Error::Io(_))));
    assert!(reader.is_woken());
    assert!(matches!(assert_ready!(reader.poll()), Some(Err(Error::Io(_)))));
}

#[tokio::test(start_paused = true)]
async fn halves_become_the_channel_again() {
    let (client, mut server) = pair();
    let (sink, stream) = client.split();
    let (other, rest) = pair().0.split();
    let (sink, rest) = sink.reunite(rest).expect_err("they are not of one channel");
    drop((other, rest));
    let mut client = sink.reunite(stream).expect("they are of one channel");
    client.send("still open".into()).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), "still open");
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
async fn a_reader_that_comes_while_the_sink_closes_does_not_put_it_to_sleep() {
    let (client, mut peer) = client();
    let (mut sink, mut stream) = client.split();
    let mut close = task::spawn(sink.close(4000, ""));
    assert_pending!(close.poll());
    let mut next = task::spawn(stream.next());
    assert_pending!(next.poll());
    peer.close(4000, "").await;
    peer.shut_down().await;
    assert!(close.is_woken() && next.is_woken());
    assert!(assert_ready!(close.poll()).unwrap().was_clean);
    assert!(assert_ready!(next.poll()).is_none());
}

#[tokio::test(start_paused = true)]
async fn the_end_that_the_reader_finds_wakes_a_sender_that_waits_for_room() {
    let (client, mut peer) = channel(Role::Client, 16, &Options::new().write_buffer_size(1));
    let (mut sink, mut stream) = client.split();
    sink.feed("more than the pipe takes".into()).await.unwrap();
    let mut send = task::spawn(sink.send("waits".into()));
    assert_pending!(send.poll());
    peer.close(4000, "").await;
    let mut next = task::spawn(stream.next());
    assert_pending!(next.poll(), "the answer does not fit into the pipe");
    drop(peer);
    assert!(send.is_woken());
    assert!(assert_ready!(next.poll()).is_none());
    assert!(assert_ready!(send.poll()).unwrap_err().is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_reader_does_not_wait_for_a_writer_that_is_stuck() {
    let (client, mut peer) = channel(Role::Client, 16, &Options::new());
    let (mut sink, mut stream) = client.split();
    let mut send = task::spawn(sink.send(Message::from(vec![0; 1 << 20])));
    assert_pending!(send.poll());
    for text in ["1", "2", "3"] {
        peer.send(TEXT, text.as_bytes()).await;
        assert_eq!(stream.next().await.unwrap().unwrap(), Message::from(text));
        assert_pending!(send.poll());
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_sender_meets_is_not_lost_to_the_reader() {
    let (client, mut peer) = channel(Role::Client, 16, &Options::new());
    let (mut sink, mut stream) = client.split();
    let mut next = task::spawn(stream.next());
    assert_pending!(next.poll());
    peer.send(TEXT, b"1").await;
    let mut send = task::spawn(sink.send(Message::from(vec![0; 1 << 10])));
    assert_pending!(send.poll());
    assert!(next.is_woken());
    assert_eq!(assert_ready!(next.poll()).unwrap().unwrap(), Message::from("1"));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_sink_closes_without_a_status_and_the_stream_completes_it() {
    let (client, mut peer) = client();
    let (sink, mut stream) = client.split();
    let mut next = task::spawn(stream.next());
    assert_pending!(next.poll());
    drop(sink);
    assert!(next.is_woken(), "the waiting reader writes the Close frame");
    assert_pending!(next.poll());
    assert_eq!(peer.expect().await.close(), (1005, ""));
    peer.send(TEXT, b"dropped").await;
    peer.send(CLOSE, b"").await;
    peer.shut_down().await;
    assert!(assert_ready!(next.poll()).is_none());
    drop(next);
    let event = stream.close_event().unwrap();
    assert_eq!((event.code, event.initiator), (status::NO_STATUS_RECEIVED, Initiator::Local));
    assert!(event.was_clean);
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_sink_had_queued_still_goes_out() {
    let (client, mut peer) = client();
    let (mut sink, mut stream) = client.split();
    sink.feed("queued".into()).await.unwrap();
    drop(sink);
    assert!(stream.next().now_or_never().is_none());
    assert_eq!(peer.expect().await.payload, b"queued");
    assert_eq!(peer.expect().await.close(), (1005, ""));
}

#[tokio::test(start_paused = true)]
async fn without_a_stream_half_data_is_discarded_and_sending_goes_on() {
    let (client, mut peer) = channel(Role::Client, 64, &Options::new());
    let (mut sink, stream) = client.split();
    drop(stream);
    let far = async {
        for _ in 0..1000 {
            peer.send(TEXT, b"nobody wants this").await;
            assert_eq!(peer.expect().await.payload, b"x");
        }
        peer.send(PING, b"there?").await;
        let mut last = [peer.expect().await, peer.expect().await];
        last.sort_by_key(|frame| frame.first);
        assert_eq!(last[1], wire::Frame { first: PONG, payload: b"there?".to_vec() });
        assert_eq!(peer.expect().await.close(), (1000, "done"));
        peer.close(1000, "done").await;
        peer.shut_down().await;
    };
    let near = async {
        for _ in 0..1001 {
            sink.send("x".into()).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(sink.close(1000, "done").await.unwrap().was_clean);
    };
    timeout(Duration::from_secs(1), async { tokio::join!(far, near) }).await.unwrap();
}

/// Two ends that both write before they read would wait for each other.
#[tokio::test(start_paused = true)]
async fn without_a_stream_half_a_blocked_sink_goes_on_discarding() {
    let (client, mut peer) = channel(Role::Client, 256 << 10, &Options::new());
    let (mut sink, stream) = client.split();
    let send = tokio::spawn(async move { sink.send(vec![0; 1 << 20].into()).await });
    let mut many = peer.frame(TEXT, b"x").repeat(1100);
    many.extend(peer.frame(BINARY, &vec![0; 70_000]));
    peer.write(&many).await;
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    drop(stream);
    let more = peer.frame(BINARY, &vec![0; 600_000]);
    timeout(Duration::from_secs(1), peer.write(&more)).await.unwrap();
    assert_eq!(peer.expect().await.payload.len(), 1 << 20);
    send.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn dropping_both_halves_ends_the_transport_at_once() {
    for sink_first in [true, false] {
        let (client, mut peer) = client();
        let (sink, stream) = client.split();
        if sink_first {
            drop(sink);
            drop(stream);
        } else {
            drop(stream);
            drop(sink);
        }
        assert!(timeout(SOON, peer.is_over()).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_when_only_the_reader_is_polled() {
    let (client, mut peer) = client();
    let (_sink, mut stream) = client.split();
    peer.send(PING, b"p").await;
    assert!(stream.next().now_or_never().is_none());
    assert_eq!(timeout(SOON, peer.expect()).await.unwrap().first, PONG);
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_when_only_the_sender_is_polled() {
    let (client, mut peer) = client();
    let (mut sink, _stream) = client.split();
    peer.send(PING, b"p").await;
    sink.send("m".into()).await.unwrap();
    let (a, b) = timeout(SOON, async { (peer.expect().await, peer.expect().await) }).await.unwrap();
    let mut firsts = [a.first, b.first];
    firsts.sort_unstable();
    assert_eq!(firsts, [TEXT, PONG]);
}

#[tokio::test(start_paused = true)]
async fn pings_are_read_and_answered_while_the_sender_is_blocked() {
    let (server, mut peer) = channel(Role::Server, 64, &Options::new());
    let (mut sink, _stream) = server.split();
    let near = tokio::spawn(async move { sink.send(Message::from(vec![0; 1 << 12])).await });
    // More than the pipe holds: only a sender that reads lets these be written.
    for _ in 0..100 {
        timeout(SOON, peer.send(PING, b"are you there")).await.unwrap();
    }
    assert_eq!(peer.expect().await.payload.len(), 1 << 12);
    for _ in 0..100 {
        assert_eq!(timeout(SOON, peer.expect()).await.unwrap().first, PONG);
    }
    near.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_blocked_sender_keeps_messages_up_to_a_bound_and_then_stops_reading() {
    let (server, mut peer) = channel(Role::Server, 1 << 10, &Options::new().no_keepalive());
    let (mut sink, mut stream) = server.split();
    let near = tokio::spawn(async move { sink.send(Message::from(vec![0; 1 << 20])).await });
    let mut sent = 0;
    while timeout(SOON, peer.send(TEXT, &[b'm'; 500])).await.is_ok() {
        sent += 1;
        assert!(sent < 1000, "nobody receives, and still everything is read");
    }
    for _ in 0..sent {
        assert_eq!(stream.next().await.unwrap().unwrap().len(), 500);
    }
    near.abort();
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_by_a_sender_that_only_feeds_a_transport_that_takes_everything() {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let mut channel = WebSocketAdapter::from_upgraded(near, Role::Server, Handshake::default());
    far.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.unwrap();
    for _ in 0..200 {
        channel.feed(vec![0u8; 4000].into()).await.unwrap();
    }
    let mut sent = Vec::new();
    while far.read_buf(&mut sent).now_or_never().is_some() {}
    assert!(sent.windows(2).any(|bytes| bytes == [0x8A, 0]), "a pong is among the messages");
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_close_goes_out_when_only_the_sender_is_polled() {
    let (server, mut peer) = server();
    let (mut sink, stream) = server.split();
    peer.close(4000, "bye").await;
    let start = Instant::now();
    while sink.send("m".into()).await.is_ok() {}
    let mut frame = peer.expect().await;
    while frame.first != CLOSE {
        frame = peer.expect().await;
    }
    assert_eq!(frame.close(), (4000, "bye"));
    assert_eq!(start.elapsed(), Duration::ZERO);
    drop(stream);
}
