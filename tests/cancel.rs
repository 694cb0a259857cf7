//! Every future of the crate can be dropped at any await, and the channel stays usable.
//!
//! The pipes hold so little that nearly every byte is an await. Each scenario is run with its
//! future dropped after one poll, after two, and so on, until it is through before it is dropped.

mod wire;

use std::future::Future;

use futures::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::task::yield_now;
use tokio_test::task;
use ws_channel::{
    CloseCode, CloseEvent, Handshake, Message, Options, Role, WebSocketAdapter, WebSocketChannel,
};

use wire::{Channel, PING, PONG, Peer, TEXT, channel};

/// Polls a future `polls` times at most, lets the other end act in between, and drops it.
async fn interrupted<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = task::spawn(future);
    for _ in 0..polls {
        if let std::task::Poll::Ready(output) = future.poll() {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

/// Runs a scenario for 0, 1, 2, … polls, until it says that its future was through.
async fn at_every_await(mut scenario: impl AsyncFnMut(usize) -> bool) {
    let mut polls = 0;
    while !scenario(polls).await {
        polls += 1;
        assert!(polls < 10_000, "the future never ends");
    }
    assert!(polls > 1, "there was no await to be interrupted at");
}

fn narrow(role: Role) -> (Channel, Peer<tokio::io::DuplexStream>) {
    channel(role, 3, &Options::new().write_buffer_size(8))
}

#[tokio::test(start_paused = true)]
async fn next_loses_nothing() {
    for role in [Role::Client, Role::Server] {
        at_every_await(async |polls| {
            let (mut channel, mut peer) = narrow(role);
            let far = tokio::spawn(async move {
                peer.send(0x01, b"a message ").await;
                peer.send(PING, b"with a ping inside").await;
                peer.send(0x80, b"in two frames").await;
                peer.send(TEXT, b"another").await;
                assert_eq!(peer.expect().await.first, PONG);
                peer
            });
            let first = interrupted(channel.next(), polls).await;
            let is_through = first.is_some();
            let first = match first {
                Some(first) => first,
                None => channel.next().await,
            };
            assert_eq!(first.unwrap().unwrap(), Message::from("a message in two frames"));
            assert_eq!(channel.next().await.unwrap().unwrap(), Message::from("another"));
            tokio::select! {
                _ = channel.next() => unreachable!("nothing more comes"),
                peer = far => { peer.unwrap(); }
            }
            is_through
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn recv_ref_loses_nothing() {
    at_every_await(async |polls| {
        let (mut channel, mut peer) = narrow(Role::Client);
        let _far = tokio::spawn(async move {
            peer.send(TEXT, b"first").await;
            peer.send(TEXT, b"second").await;
            peer
        });
        let is_through = match interrupted(channel.recv_ref(), polls).await {
            Some(first) => {
                assert_eq!(first.unwrap().unwrap().as_bytes(), b"first");
                true
            }
            None => false,
        };
        if !is_through {
            assert_eq!(channel.recv_ref().await.unwrap().unwrap().as_bytes(), b"first");
        }
        assert_eq!(channel.next().await.unwrap().unwrap(), Message::from("second"));
        is_through
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn send_accepts_a_message_whole_or_not_at_all() {
    for role in [Role::Client, Role::Server] {
        at_every_await(async |polls| {
            let (mut channel, mut peer) = narrow(role);
            let far = tokio::spawn(async move {
                let mut messages = Vec::new();
                while messages.last().is_none_or(|last| last != b"last") {
                    messages.push(peer.expect().await.payload);
                }
                messages
            });
            channel.feed("before the one in question".into()).await.unwrap();
            let sent = interrupted(channel.send("in question".into()), polls).await;
            channel.send("last".into()).await.unwrap();
            let messages = far.await.unwrap();
            let known: &[&[u8]] = &[b"before the one in question", b"in question", b"last"];
            let without: &[&[u8]] = &[b"before the one in question", b"last"];
            assert!(messages == known || (sent.is_none() && messages == without), "{messages:?}");
            sent.is_some()
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn flush_goes_on_where_it_was() {
    at_every_await(async |polls| {
        let (mut channel, mut peer) = narrow(Role::Server);
        let far = tokio::spawn(async move {
            assert_eq!(peer.expect().await.payload, b"fed");
            assert_eq!(peer.expect().await.payload, b"sent");
        });
        channel.feed("fed".into()).await.unwrap();
        let flushed = interrupted(channel.flush(), polls).await;
        channel.send("sent".into()).await.unwrap();
        far.await.unwrap();
        flushed.is_some()
    })
    .await;
}

async fn answer_close(mut peer: Peer<tokio::io::DuplexStream>) -> (u16, String) {
    let frame = peer.expect().await;
    let (code, reason) = frame.close();
    peer.close(4002, "answer").await;
    peer.shut_down().await;
    (code, reason.to_owned())
}

fn assert_answered(event: &CloseEvent) {
    assert_eq!((event.code, &*event.reason), (CloseCode::new(4002), "answer"));
    assert!(event.was_clean);
}

#[tokio::test(start_paused = true)]
async fn close_once_polled_goes_on_with_whatever_is_polled_next() {
    at_every_await(async |polls| {
        let (mut channel, peer) = narrow(Role::Client);
        let far = tokio::spawn(answer_close(peer));
        let closed = interrupted(channel.close(4000, "first"), polls).await;
        if polls == 0 {
            assert_answered(&channel.close(4001, "the first was never polled").await.unwrap());
            assert_eq!(far.await.unwrap().0, 4001);
        } else {
            assert!(channel.next().await.is_none());
            assert_answered(channel.close_event().unwrap());
            assert_answered(&channel.close(4001, "second").await.unwrap());
            assert_eq!(far.await.unwrap(), (4000, "first".to_owned()));
        }
        closed.is_some()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn close_of_the_sink_goes_on_when_the_stream_is_polled() {
    at_every_await(async |polls| {
        let (channel, peer) = narrow(Role::Client);
        let (mut sink, mut stream) = channel.split();
        let far = tokio::spawn(answer_close(peer));
        let closed = interrupted(sink.close(4000, "first"), polls + 1).await;
        assert!(stream.next().await.is_none());
        assert_answered(&stream.close_event().unwrap());
        assert_eq!(far.await.unwrap(), (4000, "first".to_owned()));
        closed.is_some()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn close_without_a_status_goes_on_as_well() {
    at_every_await(async |polls| {
        let (mut channel, peer) = narrow(Role::Client);
        let far = tokio::spawn(answer_close(peer));
        let closed = interrupted(SinkExt::close(&mut channel), polls + 1).await;
        SinkExt::close(&mut channel).await.unwrap();
        assert_answered(channel.close_event().unwrap());
        assert_eq!(far.await.unwrap(), (1005, String::new()));
        closed.is_some()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_halves_lose_nothing() {
    at_every_await(async |polls| {
        let (near, far) = tokio::io::duplex(3);
        let [client, server] = [(near, Role::Client), (far, Role::Server)].map(|(io, role)| {
            WebSocketAdapter::from_upgraded(io, role, Handshake::default()).split()
        });
        let ((mut sink, mut stream), (mut far_sink, mut far_stream)) = (client, server);
        let echo = tokio::spawn(async move {
            while let Some(Ok(message)) = far_stream.next().await {
                far_sink.send(message).await.unwrap();
            }
        });
        let sent = interrupted(sink.send("in question".into()), polls).await;
        let mut through = sent.is_some();
        sink.send("last".into()).await.unwrap();
        let mut messages = Vec::new();
        while messages.last() != Some(&Message::from("last")) {
            let message = interrupted(stream.next(), polls).await;
            through &= message.is_some();
            let message = if let Some(message) = message { message } else { stream.next().await };
            messages.push(message.unwrap().unwrap());
        }
        // Sent with its first poll, since the buffer has room.
        let expected: &[&str] = if polls == 0 { &["last"] } else { &["in question", "last"] };
        assert!(messages.iter().map(Message::as_text).eq(expected.iter().map(|text| Some(*text))));
        drop((sink, stream));
        echo.abort();
        through
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn ready_can_be_dropped() {
    let (mut channel, _peer) = narrow(Role::Client);
    assert!(interrupted(channel.ready(), 0).await.is_none());
    channel.ready().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dropped_client_handshake_frees_its_transport() {
    at_every_await(async |polls| {
        let (near, mut far) = tokio::io::duplex(3);
        let server = tokio::spawn(async move {
            let (io, mut end) = tokio::io::duplex(3);
            let accept = tokio::spawn(async move { WebSocketAdapter::accept(io).await.is_ok() });
            let _ = tokio::io::copy_bidirectional(&mut far, &mut end).await;
            drop(end);
            accept.await.unwrap()
        });
        let channel =
            interrupted(WebSocketAdapter::client(near, "ws://localhost/").into_future(), polls)
                .await;
        let is_through = channel.is_some();
        drop(channel);
        // The server's end sees the end of the transport, or it would wait for its timeout.
        let start = tokio::time::Instant::now();
        let accepted = server.await.unwrap();
        assert_eq!(start.elapsed(), std::time::Duration::ZERO);
        assert!(accepted || !is_through);
        is_through
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_accept_frees_its_transport() {
    at_every_await(async |polls| {
        let (near, far) = tokio::io::duplex(3);
        let client = tokio::spawn(WebSocketAdapter::client(near, "ws://localhost/").into_future());
        let channel = interrupted(WebSocketAdapter::accept(far).into_future(), polls).await;
        let is_through = channel.is_some();
        drop(channel);
        let start = tokio::time::Instant::now();
        let connected = client.await.unwrap();
        assert_eq!(start.elapsed(), std::time::Duration::ZERO);
        assert!(connected.is_ok() || !is_through);
        is_through
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_rejection_frees_its_transport() {
    at_every_await(async |polls| {
        let (near, mut far) = tokio::io::duplex(3);
        let client = tokio::spawn(async move {
            let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut far, request).await;
            let mut answer = Vec::new();
            let _ = far.read_to_end(&mut answer).await;
            answer
        });
        let refused = interrupted(WebSocketAdapter::accept(near).into_future(), polls).await;
        let is_through = refused.is_some();
        drop(refused);
        let answer = client.await.unwrap();
        assert!(!is_through || answer.starts_with(b"HTTP/1.1 4"));
        is_through
    })
    .await;
}
