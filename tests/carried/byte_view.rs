//! The byte view, rule by rule.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;
use tokio_test::{assert_pending, assert_ready, task};
use ws_channel::{
    BoxWebSocketChannel, Error, Handshake, Message, Options, Role, WebSocketAdapter,
    WebSocketChannel, WebSocketIo,
};

use crate::wire::{BINARY, CLOSE, Channel, PING, PONG, TEXT, channel, client, pair, server};

/// The [`Error`] in an I/O error.
fn inner(error: &io::Error) -> &Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.unwrap_or_else(|| panic!("{error:?} is not of the channel"))
}

async fn read_to_end<C: WebSocketChannel + Unpin>(io: &mut WebSocketIo<C>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io.read_to_end(&mut bytes).await.map(|_| bytes)
}

#[tokio::test(start_paused = true)]
async fn messages_of_either_kind_are_read_as_one_stream() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    peer.send(BINARY, b"ab").await;
    peer.send(TEXT, "cü".as_bytes()).await;
    peer.send(BINARY, b"d").await;
    peer.close(1000, "").await;
    assert_eq!(read_to_end(&mut io).await.unwrap(), "abcüd".as_bytes());
    assert_eq!(peer.expect().await.close().0, 1000);
}

/// gloo-net reads one as the end.
#[tokio::test(start_paused = true)]
async fn an_empty_message_is_no_end_of_file() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    for _ in 0..1000 {
        peer.send(BINARY, b"").await;
        peer.send(TEXT, b"").await;
    }
    peer.send(BINARY, b"x").await;
    assert_eq!(io.read_u8().await.unwrap(), b'x');
}

#[tokio::test(start_paused = true)]
async fn a_read_takes_what_fits_and_leaves_the_rest() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    peer.send(BINARY, b"abcde").await;
    let mut two = [0; 2];
    assert_eq!(io.read(&mut []).await.unwrap(), 0);
    assert_eq!((io.read(&mut two).await.unwrap(), &two), (2, b"ab"));
    assert_eq!(io.fill_buf().await.unwrap(), b"cde");
    io.consume(1);
    assert_eq!(io.fill_buf().await.unwrap(), b"de");
    io.consume(usize::MAX);
    let mut next = task::spawn(io.fill_buf());
    assert_pending!(next.poll());
}

#[tokio::test(start_paused = true)]
async fn a_message_is_lent_without_a_copy() {
    let (client, mut server) = pair();
    let mut io = client.into_io();
    server.send(vec![7; 1000].into()).await.unwrap();
    let first = io.fill_buf().await.unwrap().as_ptr();
    io.consume(10);
    assert_eq!(io.fill_buf().await.unwrap().as_ptr(), first.wrapping_add(10));
}

/// Closes a client with `code`; returns how its reading ended.
async fn end_by(code: Option<u16>) -> (io::Result<Vec<u8>>, WebSocketIo<Channel>) {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    peer.send(BINARY, b"half of").await;
    match code {
        Some(code) => peer.close(code, "why").await,
        None => peer.send(CLOSE, b"").await,
    }
    (read_to_end(&mut io).await, io)
}

#[tokio::test(start_paused = true)]
async fn the_end_of_file_is_a_close_with_1000_or_without_a_code() {
    for (code, told) in [(Some(1000), 1000), (None, 1005)] {
        let (read, io) = end_by(code).await;
        assert_eq!(read.unwrap(), b"half of");
        assert_eq!(io.get_ref().close_code(), Some(told.into()));
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_close_is_an_error_that_stays() {
    for code in [1001, 1011, 4000] {
        let (read, mut io) = end_by(Some(code)).await;
        let again = io.read(&mut [0]).await;
        for error in [read.unwrap_err(), again.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
            let Error::Closed { event: Some(event), .. } = inner(&error) else {
                panic!("{error:?} tells how it ended");
            };
            assert_eq!((event.code, &*event.reason), (code.into(), "why"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_an_error_that_stays() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    peer.send(BINARY, b"half of").await;
    drop(peer);
    let error = read_to_end(&mut io).await.unwrap_err();
    assert!(matches!(inner(&error), Error::ConnectionLost), "{error:?}");
    for _ in 0..2 {
        let error = io.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    }
    let error = io.write(b"x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert!(inner(&error).is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_peer_is_invalid_data() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    peer.write(b"\x83\x00").await;
    peer.shut_down().await;
    let error = io.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(matches!(inner(&error), Error::Protocol(_)));
}

#[tokio::test(start_paused = true)]
async fn what_is_written_is_gathered_until_it_is_flushed() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    io.write_all(b"ab").await.unwrap();
    let slices = [IoSlice::new(b"c"), IoSlice::new(b""), IoSlice::new(b"de")];
    assert!(AsyncWrite::is_write_vectored(&io));
    assert_eq!(io.write_vectored(&slices).await.unwrap(), 3);
    io.flush().await.unwrap();
    io.write_all(b"f").await.unwrap();
    io.flush().await.unwrap();
    io.flush().await.unwrap();
    drop(io);
    for payload in ["abcde", "f"] {
        let frame = peer.expect().await;
        assert_eq!((frame.first, &*frame.payload), (BINARY, payload.as_bytes()));
    }
    assert!(peer.is_over().await, "nothing is sent that was not written");
}

#[tokio::test(start_paused = true)]
async fn no_message_is_larger_than_the_frame_size() {
    let (client, mut peer) = client();
    let mut io = client.into_io().frame_size(10);
    io.write_all(&[7; 25]).await.unwrap();
    io.flush().await.unwrap();
    for length in [10, 10, 5] {
        assert_eq!(peer.expect().await.payload, vec![7; length]);
    }
}

/// A request is written, and its answer read, without a flush in between.
#[tokio::test(start_paused = true)]
async fn what_was_written_goes_out_when_a_read_waits() {
    let (client, server) = pair();
    let (mut client, mut server) = (client.into_io(), server.into_io());
    let server = tokio::spawn(async move {
        let mut request = [0; 4];
        server.read_exact(&mut request).await?;
        server.write_all(b"pong").await?;
        server.read(&mut request).await
    });
    let mut answer = [0; 4];
    client.write_all(b"ping").await.unwrap();
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"pong");
    client.shutdown().await.unwrap();
    assert_eq!(server.await.unwrap().unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn writing_waits_while_the_peer_does_not_read() {
    let options = Options::new().write_buffer_size(1000).no_keepalive();
    let (client, mut peer) = channel(Role::Client, 100, &options);
    let mut io = client.into_io().frame_size(500);
    let mut written = 0;
    let mut writing = task::spawn(async {
        while written < 1_000_000 {
            written += io.write(&[7; 100]).await.unwrap();
        }
    });
    assert_pending!(writing.poll());
    assert_eq!(peer.io.read(&mut [0; 100]).await.unwrap(), 100);
    assert!(writing.is_woken());
    assert_pending!(writing.poll());
    drop(writing);
    assert!(written < 5000, "{written} bytes were taken");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_sends_what_is_left_closes_with_1000_and_waits() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    io.write_all(b"last words").await.unwrap();
    let mut shutdown = task::spawn(io.shutdown());
    assert_pending!(shutdown.poll());
    assert_eq!(peer.expect().await.payload, b"last words");
    assert_eq!(peer.expect().await.close(), (1000, ""));
    assert_pending!(shutdown.poll());
    peer.close(1000, "").await;
    peer.shut_down().await;
    shutdown.await.unwrap();
    assert!(io.get_ref().close_event().unwrap().was_clean);
    io.shutdown().await.unwrap();
    assert_eq!(io.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(io.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_nobody_answers_ends_in_time_with_an_error() {
    let (client, _peer) = client();
    let mut io = client.into_io();
    let start = Instant::now();
    let error = io.shutdown().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert!(io.read(&mut [0]).await.is_err(), "nobody knows what the peer had to say");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_after_the_peers_close_is_well() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    peer.close(1000, "").await;
    assert_eq!(io.read(&mut [0]).await.unwrap(), 0);
    io.shutdown().await.unwrap();
    assert_eq!(peer.expect().await.close().0, 1000);
    assert!(peer.is_over().await);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_tells_once_that_what_was_written_is_lost() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    io.write_all(b"too late").await.unwrap();
    peer.close(1000, "").await;
    peer.shut_down().await;
    while io.get_ref().close_event().is_none() {
        assert!(io.get_mut().next().await.is_none());
    }
    let error = io.shutdown().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    io.shutdown().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_dropped_goes_on_with_the_next() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    io.write_all(b"last words").await.unwrap();
    assert_pending!(task::spawn(io.shutdown()).poll());
    peer.close(1000, "").await;
    peer.shut_down().await;
    io.shutdown().await.unwrap();
    assert_eq!(peer.expect().await.payload, b"last words");
    assert_eq!(peer.expect().await.close(), (1000, ""));
    assert!(peer.is_over().await);
}

#[tokio::test(start_paused = true)]
async fn another_code_is_sent_by_closing_the_channel() {
    let (client, mut peer) = client();
    let mut io = client.into_io();
    io.write_all(b"x").await.unwrap();
    io.flush().await.unwrap();
    let mut close = task::spawn(io.get_mut().close(4000, "enough"));
    assert_pending!(close.poll());
    assert_eq!(peer.expect().await.payload, b"x");
    assert_eq!(peer.expect().await.close(), (4000, "enough"));
    peer.close(4000, "enough").await;
    peer.shut_down().await;
    assert!(close.await.unwrap().was_clean);
    assert_eq!(io.read(&mut [0]).await.unwrap(), 0, "this end closed, and the peer answered");
}

#[tokio::test(start_paused = true)]
async fn text_is_sent_in_whole_characters() {
    let (client, mut peer) = client();
    let mut io = client.into_io().text().frame_size(6);
    let text = "größer 🎈";
    for byte in text.bytes() {
        io.write_all(&[byte]).await.unwrap();
    }
    io.flush().await.unwrap();
    let mut received = String::new();
    while received != text {
        let frame = peer.expect().await;
        assert_eq!(frame.first, TEXT);
        assert!(frame.payload.len() <= 6);
        received += std::str::from_utf8(&frame.payload).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_text_are_an_error_that_stays_and_the_shutdowns() {
    let (client, mut server) = pair();
    let mut io = client.into_io().text();
    io.write_all(b"ok").await.unwrap();
    io.flush().await.unwrap();
    io.write_all(b"\xff").await.unwrap();
    for _ in 0..2 {
        assert_eq!(io.flush().await.unwrap_err().kind(), ErrorKind::InvalidData);
    }
    // A reader waits on, and does not spin.
    assert_pending!(task::spawn(io.read(&mut [0])).poll());
    let server = tokio::spawn(async move {
        assert_eq!(server.next().await.unwrap().unwrap(), "ok");
        server.next().await
    });
    assert_eq!(io.shutdown().await.unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(server.await.unwrap().is_none(), "the connection is closed all the same");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_the_midst_of_a_character_is_an_error() {
    let (client, server) = pair();
    let mut io = client.into_io().text();
    io.write_all(b"\xf0\x9f").await.unwrap();
    io.flush().await.unwrap();
    let server = tokio::spawn(async move { read_to_end(&mut server.into_io()).await });
    assert_eq!(io.shutdown().await.unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(server.await.unwrap().unwrap(), b"");
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_while_a_read_waits() {
    let (server, mut peer) = server();
    let mut io = server.into_io();
    peer.send(PING, b"1").await;
    assert_pending!(task::spawn(io.read(&mut [0])).poll());
    assert_eq!(peer.expect().await.first, PONG);
}

/// The transport knows one waker a direction; both halves of a byte stream need theirs.
#[tokio::test(start_paused = true)]
async fn a_reader_that_writes_does_not_take_the_writers_waker() {
    let options = Options::new().write_buffer_size(100).no_keepalive();
    let (client, mut peer) = channel(Role::Client, 64, &options);
    let (mut reader, mut writer) = tokio::io::split(client.into_io().frame_size(100));
    let mut writing = task::spawn(writer.write_all(&[7; 1000]));
    assert_pending!(writing.poll());
    let mut byte = [0];
    let mut reading = task::spawn(reader.read(&mut byte));
    assert_pending!(reading.poll());
    assert_eq!(peer.io.read(&mut [0; 64]).await.unwrap(), 64);
    assert!(writing.is_woken());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_wakes_a_reader_that_waits() {
    let (client, mut peer) = client();
    let (mut reader, mut writer) = tokio::io::split(client.into_io());
    let reading = tokio::spawn(async move { reader.read(&mut [0]).await });
    tokio::task::yield_now().await;
    peer.close(1000, "").await;
    peer.shut_down().await;
    writer.shutdown().await.unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn two_tasks_a_side_lose_nothing_and_nobody_hangs() {
    const LENGTH: usize = 1 << 20;

    async fn both_ways(channel: Channel) {
        let io = channel.into_io().frame_size(777);
        let (mut reader, mut writer) = tokio::io::split(io);
        let writing = tokio::spawn(async move {
            for chunk in vec![5; LENGTH].chunks(333) {
                writer.write_all(chunk).await.unwrap();
            }
            writer.flush().await.unwrap();
            writer
        });
        let mut read = vec![0; LENGTH];
        reader.read_exact(&mut read).await.unwrap();
        assert!(read.iter().all(|byte| *byte == 5));
        writing.await.unwrap().shutdown().await.unwrap();
    }

    let options = Options::new().write_buffer_size(2000);
    let (near, far) = tokio::io::duplex(1000);
    let [client, server] = [(near, Role::Client), (far, Role::Server)].map(|(io, role)| {
        let handshake = Handshake::default();
        Channel::from_upgraded_with(io, role, handshake, &options, bytes::BytesMut::new())
    });
    tokio::join!(both_ways(client), both_ways(server));
}

#[tokio::test(start_paused = true)]
async fn the_channel_comes_out_again() {
    let (client, mut server) = pair();
    let mut io = BoxWebSocketChannel::new(client).into_io();
    io.write_all(b"bytes").await.unwrap();
    io.flush().await.unwrap();
    let mut channel = io.into_inner();
    channel.send("a message".into()).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), Message::from(b"bytes"));
    assert_eq!(server.next().await.unwrap().unwrap(), "a message");
}

/// Never has anything to read, fails each write, and wakes nobody.
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
        Poll::Ready(Err(ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_wakes_a_reader_that_waits() {
    let channel = WebSocketAdapter::from_upgraded(Broken, Role::Client, Handshake::default());
    let (mut reader, mut writer) = tokio::io::split(channel.into_io());
    let mut byte = [0];
    let mut reading = task::spawn(reader.read(&mut byte));
    assert_pending!(reading.poll());
    writer.write_all(b"x").await.unwrap();
    assert_eq!(writer.flush().await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert!(reading.is_woken());
    assert_eq!(assert_ready!(reading.poll()).unwrap_err().kind(), ErrorKind::BrokenPipe);
}
