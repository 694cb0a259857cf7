//! What single polls do, on a transport whose every step the test decides.

mod wire;

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{FutureExt, Sink, SinkExt, StreamExt};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use ws_channel::{
    Error, Handshake, Message, Options, ReadyState, Role, WebSocketAdapter, WebSocketChannel,
};

use wire::scripted::{Script, Scripted, scripted};
use wire::{BINARY, CLOSE, PING, PONG, TEXT, closing, frame};

/// A server, so that what it writes is not masked.
fn server(options: &Options) -> (task::Spawn<WebSocketAdapter<Scripted>>, Script) {
    let (io, script) = scripted();
    let channel = WebSocketAdapter::from_upgraded_with(
        io,
        Role::Server,
        Handshake::default(),
        options,
        bytes::BytesMut::new(),
    );
    (task::spawn(channel), script)
}

fn ask(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(Role::Client, first, payload)
}

fn answer(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(Role::Server, first, payload)
}

fn poll_ready<C: Sink<Message, Error = Error>>(
    channel: &mut task::Spawn<C>,
) -> Poll<Result<(), Error>> {
    channel.enter(|cx: &mut Context<'_>, channel: Pin<&mut C>| channel.poll_ready(cx))
}

fn poll_flush<C: Sink<Message, Error = Error>>(
    channel: &mut task::Spawn<C>,
) -> Poll<Result<(), Error>> {
    channel.enter(|cx, channel| channel.poll_flush(cx))
}

fn poll_close<C: Sink<Message, Error = Error>>(
    channel: &mut task::Spawn<C>,
) -> Poll<Result<(), Error>> {
    channel.enter(|cx, channel| channel.poll_close(cx))
}

fn start_send<C: Sink<Message, Error = Error>>(channel: &mut task::Spawn<C>, message: Message) {
    channel.enter(|_, channel| channel.start_send(message)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn ready_waits_at_the_mark_and_not_below() {
    let (mut server, script) = server(&Options::new().write_buffer_size(10));
    script.set_room(0);
    assert_ready_ok!(poll_ready(&mut server));
    start_send(&mut server, "1234567".into());
    assert_eq!(server.buffered_amount(), 9);
    assert_ready_ok!(poll_ready(&mut server));
    start_send(&mut server, Message::from(vec![0; 100]));
    assert_eq!(server.buffered_amount(), 9 + 102, "one message may exceed it");
    assert_pending!(poll_ready(&mut server));
    script.set_room(101);
    assert!(server.is_woken());
    assert_pending!(poll_ready(&mut server));
    assert_eq!(server.buffered_amount(), 10);
    script.set_room(1);
    assert!(server.is_woken());
    assert_ready_ok!(poll_ready(&mut server));
    assert_eq!(server.buffered_amount(), 9);
}

#[tokio::test(start_paused = true)]
async fn the_mark_is_128_kib_unless_set() {
    let (mut server, script) = server(&Options::new());
    script.set_room(0);
    start_send(&mut server, Message::from(vec![0; (128 << 10) - 11]));
    assert_ready_ok!(poll_ready(&mut server));
    start_send(&mut server, Message::from(vec![]));
    assert_pending!(poll_ready(&mut server));
}

#[tokio::test(start_paused = true)]
async fn flush_waits_until_the_transport_has_everything() {
    let (mut server, script) = server(&Options::new());
    script.set_room(3);
    start_send(&mut server, "1234".into());
    assert_pending!(poll_flush(&mut server));
    assert_eq!(script.state().flushes, 0);
    script.set_room(100);
    assert!(server.is_woken());
    assert_ready_ok!(poll_flush(&mut server));
    assert_eq!(script.take_writes().concat(), answer(TEXT, b"1234"));
    assert_eq!(script.state().flushes, 1);
    assert_ready_ok!(poll_flush(&mut server));
    assert_eq!(script.state().flushes, 1, "there was nothing to flush");
}

#[tokio::test(start_paused = true)]
async fn fed_messages_leave_with_one_write() {
    let (mut server, script) = server(&Options::new());
    for text in ["1", "22", "333"] {
        assert_ready_ok!(poll_ready(&mut server));
        start_send(&mut server, text.into());
    }
    assert!(script.take_writes().is_empty(), "nothing leaves before the flush");
    assert_ready_ok!(poll_flush(&mut server));
    assert_eq!(script.take_writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_pings_are_answered_with_one_write() {
    let (mut server, script) = server(&Options::new());
    let questions: Vec<u8> = (0..100).flat_map(|n| ask(PING, &[n])).collect();
    let pongs: Vec<u8> = (0..100).flat_map(|n| answer(PONG, &[n])).collect();
    script.give(questions);
    assert_pending!(server.poll_next());
    assert_eq!(script.take_writes(), [pongs]);
}

#[tokio::test(start_paused = true)]
async fn answers_wait_until_the_messages_that_were_read_are_taken() {
    let (mut server, script) = server(&Options::new());
    script.give([ask(PING, b""), ask(TEXT, b"1"), ask(PING, b""), ask(TEXT, b"2")].concat());
    assert_eq!(assert_ready!(server.poll_next()).unwrap().unwrap(), Message::from("1"));
    assert_eq!(assert_ready!(server.poll_next()).unwrap().unwrap(), Message::from("2"));
    assert!(script.take_writes().is_empty());
    assert_pending!(server.poll_next());
    assert_eq!(script.take_writes(), [[answer(PONG, b""), answer(PONG, b"")].concat()]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_begins_to_wait_flushes_what_was_fed() {
    let (mut server, script) = server(&Options::new());
    start_send(&mut server, "fed".into());
    assert_pending!(server.poll_next());
    assert_eq!(script.take_writes(), [answer(TEXT, b"fed")]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_woken_when_its_answers_can_go_on() {
    let (mut server, script) = server(&Options::new());
    script.set_room(1);
    script.give(ask(PING, b"p"));
    assert_pending!(server.poll_next());
    script.set_room(usize::MAX);
    assert!(server.is_woken());
    assert_pending!(server.poll_next());
    assert_eq!(script.take_writes().concat(), answer(PONG, b"p"));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_byte_by_byte_wakes_and_is_one() {
    let (mut server, script) = server(&Options::new());
    let bytes = ask(BINARY, &[7; 300]);
    let (last, head) = bytes.split_last().unwrap();
    for byte in head {
        assert_pending!(server.poll_next());
        script.give([*byte]);
        assert!(server.is_woken());
    }
    assert_pending!(server.poll_next());
    script.give([*last]);
    assert_eq!(assert_ready!(server.poll_next()).unwrap().unwrap(), Message::from(vec![7; 300]));
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_there_come_without_a_wait() {
    let (mut server, script) = server(&Options::new());
    script.give((0..100).flat_map(|n| ask(BINARY, &[n])).collect::<Vec<_>>());
    for n in 0..100 {
        assert_eq!(assert_ready!(server.poll_next()).unwrap().unwrap().as_bytes(), [n]);
    }
    assert_pending!(server.poll_next());
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_the_answer_and_shuts_down() {
    let (mut server, script) = server(&Options::new());
    assert_pending!(poll_close(&mut server));
    assert_eq!(script.take_writes(), [answer(CLOSE, b"")]);
    assert_eq!(server.ready_state(), ReadyState::Closing);
    assert!(!script.state().shut_down);
    script.give(ask(CLOSE, &closing(1000, "")));
    assert!(server.is_woken());
    assert_ready_ok!(poll_close(&mut server));
    assert!(script.state().shut_down);
    assert_eq!(server.ready_state(), ReadyState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_is_told_to_the_sink_and_what_arrived_is_still_delivered() {
    let (io, script) = scripted();
    let mut server = WebSocketAdapter::from_upgraded(Torn(io), Role::Server, Handshake::default());
    script.give([ask(TEXT, b"1"), ask(TEXT, b"2")].concat());
    assert!(matches!(server.send("x".into()).now_or_never(), Some(Err(Error::Io(_)))));
    assert!(server.send("x".into()).await.unwrap_err().is_closed());
    assert_eq!(server.next().await.unwrap().unwrap(), Message::from("1"));
    assert_eq!(server.next().await.unwrap().unwrap(), Message::from("2"));
    assert!(matches!(server.next().await, Some(Err(Error::Io(_)))));
    assert!(server.next().await.is_none());
    assert_eq!(server.close_code().map(ws_channel::CloseCode::as_u16), Some(1006));
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_writes_nothing_is_an_error() {
    let (io, _script) = scripted();
    let mut server = WebSocketAdapter::from_upgraded(Full(io), Role::Server, Handshake::default());
    match server.send("x".into()).now_or_never() {
        Some(Err(Error::Io(error))) => assert_eq!(error.kind(), std::io::ErrorKind::WriteZero),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_for_the_reader_does_not_wake_a_sink_that_does_not_wait() {
    let (server, script) = server(&Options::new());
    let (sink, stream) = server.into_inner().split();
    let (mut sink, mut stream) = (task::spawn(sink), task::spawn(stream));
    assert_ready_ok!(poll_flush(&mut sink));
    assert_pending!(stream.poll_next());
    script.give(ask(TEXT, b"1"));
    assert!(stream.is_woken());
    assert!(!sink.is_woken());
}

#[tokio::test(start_paused = true)]
async fn room_wakes_the_sink_and_input_the_stream() {
    let (server, script) = server(&Options::new());
    let (sink, stream) = server.into_inner().split();
    let (mut sink, mut stream) = (task::spawn(sink), task::spawn(stream));
    script.set_room(0);
    assert_pending!(stream.poll_next());
    start_send(&mut sink, "x".into());
    assert_pending!(poll_flush(&mut sink));
    script.set_room(usize::MAX);
    assert!(sink.is_woken());
    assert_ready_ok!(poll_flush(&mut sink));
    script.give(ask(TEXT, b"1"));
    assert!(stream.is_woken());
    assert_eq!(assert_ready!(stream.poll_next()).unwrap().unwrap(), Message::from("1"));
}

/// Nothing else might: a transport that cannot write may have nothing to read either.
#[tokio::test(start_paused = true)]
async fn a_write_that_fails_wakes_the_reader() {
    let (io, _script) = scripted();
    let server = WebSocketAdapter::from_upgraded(Torn(io), Role::Server, Handshake::default());
    let (sink, stream) = server.split();
    let (mut sink, mut stream) = (task::spawn(sink), task::spawn(stream));
    assert_pending!(stream.poll_next());
    start_send(&mut sink, "x".into());
    assert!(matches!(poll_flush(&mut sink), Poll::Ready(Err(Error::Io(_)))));
    assert!(stream.is_woken());
    assert!(matches!(stream.poll_next(), Poll::Ready(Some(Err(Error::Io(_))))));
    assert!(assert_ready!(stream.poll_next()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_flushes_reads_no_more_while_somebody_receives() {
    let (server, script) = server(&Options::new());
    let (sink, stream) = server.into_inner().split();
    let (mut sink, mut stream) = (task::spawn(sink), task::spawn(stream));
    assert_pending!(stream.poll_next());
    script.give(ask(TEXT, b"1"));
    start_send(&mut sink, "x".into());
    assert_ready_ok!(poll_flush(&mut sink));
    assert_eq!(script.state().input.len(), 1, "the reader reads it");
    assert!(stream.is_woken());
}

/// A transport that fails to write.
struct Torn(Scripted);

/// A transport that accepts nothing.
struct Full(Scripted);

macro_rules! broken_writer {
    ($name:ident, $written:expr) => {
        impl tokio::io::AsyncRead for $name {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut tokio::io::ReadBuf<'_>,
            ) -> Poll<std::io::Result<()>> {
                Pin::new(&mut self.0).poll_read(cx, buffer)
            }
        }

        impl tokio::io::AsyncWrite for $name {
            fn poll_write(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
                _: &[u8],
            ) -> Poll<std::io::Result<usize>> {
                Poll::Ready($written)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<std::io::Result<()>> {
                Poll::Ready(Ok(()))
            }
        }
    };
}

broken_writer!(Torn, Err(std::io::ErrorKind::BrokenPipe.into()));
broken_writer!(Full, Ok(0));
