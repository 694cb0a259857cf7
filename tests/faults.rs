//! Connections that fail or are left, over TCP: resets, ends of input, slow peers, what is left.
#![cfg(not(target_family = "wasm"))]

mod wire;

use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::yield_now;
use ws_channel::{
    AcceptError, CloseEvent, ConnectErrorKind, Error, Message, ReadyState, Role, WebSocketAdapter,
    WebSocketChannel, accept_key, status,
};

use wire::{BINARY, CLOSE, Peer, TEXT, closing, frame};

type Channel = WebSocketAdapter<TcpStream>;

const URL: &str = "ws://localhost/";
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What nothing here takes unless it hangs.
const LIMIT: Duration = Duration::from_secs(20);

async fn in_time<F: Future>(work: F) -> F::Output {
    tokio::time::timeout(LIMIT, work).await.expect("nothing hangs")
}

/// Both in time, at once; what they return lives until both are done.
async fn both<A: Future, B: Future>(one: A, other: B) -> (A::Output, B::Output) {
    in_time(async { tokio::join!(one, other) }).await
}

/// Two ends of a connection: who connected, who accepted.
async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = both(TcpStream::connect(address), listener.accept()).await;
    (near.unwrap(), far.unwrap().0)
}

/// Reads up to and with the empty line.
async fn head(io: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A client that has done the handshake, and from here on does what it is told.
async fn raw_client(mut io: TcpStream) -> Peer<TcpStream> {
    io.write_all(REQUEST.as_bytes()).await.unwrap();
    assert!(head(&mut io).await.starts_with("HTTP/1.1 101 "));
    Peer::new(io, Role::Client)
}

/// A server that has done the handshake, and from here on does what it is told.
async fn raw_server(mut io: TcpStream) -> Peer<TcpStream> {
    let request = head(&mut io).await;
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(key)
    );
    io.write_all(answer.as_bytes()).await.unwrap();
    Peer::new(io, Role::Server)
}

/// Leaves with an RST instead of a FIN.
fn reset(io: TcpStream) {
    #[allow(deprecated, reason = "the method for zero alone is younger than the oldest tokio")]
    io.set_linger(Some(Duration::ZERO)).unwrap();
    drop(io);
}

/// That the other end has sent a FIN, behind all that was read.
async fn at_eof(io: &mut TcpStream) {
    assert_eq!(io.read(&mut [0]).await.expect("no reset"), 0, "nothing but the end comes");
}

/// How a channel was until its end.
struct Run {
    // Kept, so that what its peer sees is not the work of a drop.
    _channel: Channel,
    messages: Vec<Message>,
    error: Option<Error>,
    event: CloseEvent,
}

impl Run {
    /// Receives to the end, and sends back if `echoes`; one error at most, and nothing behind it.
    async fn of(mut channel: Channel, echoes: bool) -> Self {
        let mut messages = Vec::new();
        let mut error = None;
        while let Some(next) = channel.next().await {
            assert!(error.is_none(), "{next:?} behind {error:?}");
            match next {
                Ok(message) => {
                    if echoes {
                        channel.send(message.clone()).await.expect("the peer reads");
                    }
                    messages.push(message);
                }
                Err(found) => error = Some(found),
            }
        }
        assert!(channel.next().await.is_none());
        assert_eq!(channel.ready_state(), ReadyState::Closed);
        let event = channel.close_event().cloned().expect("what ended has an event");
        Self { _channel: channel, messages, error, event }
    }

    async fn of_server(io: TcpStream) -> Self {
        Self::of(WebSocketAdapter::accept(io).await.unwrap(), true).await
    }

    async fn of_client(io: TcpStream) -> Self {
        Self::of(WebSocketAdapter::client(io, URL).await.unwrap(), false).await
    }

    fn assert_abnormal(&self) {
        assert_eq!(self.event.code, status::ABNORMAL_CLOSURE);
        assert!(!self.event.was_clean);
    }

    fn assert_reset(&self) {
        match &self.error {
            Some(Error::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
            other => panic!("{other:?}"),
        }
        self.assert_abnormal();
    }

    fn assert_lost(&self) {
        assert!(matches!(self.error, Some(Error::ConnectionLost)), "{:?}", self.error);
        self.assert_abnormal();
    }
}

/// ST-01.
#[tokio::test]
async fn a_server_takes_a_reset_after_the_handshake_as_one_error_and_1006() {
    let (near, far) = sockets().await;
    let peer = async { reset(raw_client(near).await.io) };
    let (run, ()) = both(Run::of_server(far), peer).await;
    run.assert_reset();
    assert!(run.messages.is_empty());
}

/// CT-01.
#[tokio::test]
async fn a_client_takes_a_reset_after_the_handshake_as_one_error_and_1006() {
    let (near, far) = sockets().await;
    let client = async {
        let mut channel = WebSocketAdapter::client(near, URL).await.unwrap();
        // Only now, since a reset takes away what has not been read.
        channel.send("go".into()).await.unwrap();
        Run::of(channel, false).await
    };
    let peer = async {
        let mut peer = raw_server(far).await;
        assert_eq!(peer.expect().await.payload, b"go");
        reset(peer.io);
    };
    let (run, ()) = both(client, peer).await;
    run.assert_reset();
    assert!(run.messages.is_empty());
}

/// ST-02.
#[tokio::test]
async fn a_reset_inside_the_handshake_fails_the_accept() {
    for part in [0, 1, REQUEST.len() / 2, REQUEST.len() - 1] {
        let (mut near, far) = sockets().await;
        let peer = async {
            near.write_all(&REQUEST.as_bytes()[..part]).await.unwrap();
            reset(near);
        };
        let accept = async { WebSocketAdapter::accept(far).await.unwrap_err() };
        match both(accept, peer).await.0 {
            Error::Accept(error) => match *error {
                AcceptError::Io(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
                other => panic!("{other:?} after {part} bytes"),
            },
            other => panic!("{other:?} after {part} bytes"),
        }
    }
}

/// CT-01, before there is a channel.
#[tokio::test]
async fn a_reset_inside_the_handshake_fails_the_attempt_to_connect() {
    let (near, mut far) = sockets().await;
    let peer = async {
        head(&mut far).await;
        reset(far);
    };
    let client = async { WebSocketAdapter::client(near, URL).await.unwrap_err() };
    match both(client, peer).await.0 {
        Error::Connect(error) => {
            assert!(matches!(error.kind(), ConnectErrorKind::Io(_)), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// ST-07.
#[tokio::test]
async fn an_end_inside_the_handshake_fails_the_accept_and_is_answered_by_an_end() {
    for part in [0, 1, REQUEST.len() - 1] {
        let (mut near, far) = sockets().await;
        let peer = async {
            near.write_all(&REQUEST.as_bytes()[..part]).await.unwrap();
            near.shutdown().await.unwrap();
            at_eof(&mut near).await;
        };
        let accept = async { WebSocketAdapter::accept(far).await.unwrap_err() };
        match both(accept, peer).await.0 {
            Error::Accept(error) => {
                assert!(matches!(*error, AcceptError::EndOfStream), "{error:?}");
            }
            other => panic!("{other:?} after {part} bytes"),
        }
    }
}

/// ST-03: what was whole has been delivered, what was not is no message.
#[tokio::test]
async fn a_reset_inside_a_frame_is_one_error_and_1006() {
    let text = frame(Role::Client, TEXT, b"not all of it");
    for part in [1, 2, 6, text.len() - 1] {
        let (near, far) = sockets().await;
        let peer = async {
            let mut peer = raw_client(near).await;
            peer.send(TEXT, b"whole").await;
            assert_eq!(peer.expect().await.payload, b"whole");
            peer.write(&text[..part]).await;
            reset(peer.io);
        };
        let (run, ()) = both(Run::of_server(far), peer).await;
        run.assert_reset();
        assert_eq!(run.messages, [Message::from("whole")]);
    }
}

/// ST-04.
#[tokio::test]
async fn an_end_inside_a_frame_is_one_error_and_1006_and_answered_by_an_end() {
    let text = frame(Role::Client, TEXT, b"not all of it");
    for part in [1, 2, 6, text.len() - 1] {
        let (near, far) = sockets().await;
        let peer = async {
            let mut peer = raw_client(near).await;
            peer.write(&text[..part]).await;
            peer.shut_down().await;
            at_eof(&mut peer.io).await;
        };
        let (run, ()) = both(Run::of_server(far), peer).await;
        run.assert_lost();
        assert!(run.messages.is_empty());
    }
}

/// ST-06.
#[tokio::test]
async fn a_server_whose_idle_peer_ends_without_a_close_ends_too() {
    let (near, far) = sockets().await;
    let peer = async {
        let mut peer = raw_client(near).await;
        peer.shut_down().await;
        at_eof(&mut peer.io).await;
    };
    let (run, ()) = both(Run::of_server(far), peer).await;
    run.assert_lost();
}

/// ST-05.
#[tokio::test]
async fn a_half_close_behind_a_message_lets_its_echo_through() {
    let (near, far) = sockets().await;
    let peer = async {
        let mut peer = raw_client(near).await;
        peer.send(TEXT, b"last").await;
        peer.shut_down().await;
        let echo = peer.expect().await;
        assert_eq!((echo.first, &echo.payload[..]), (TEXT, &b"last"[..]));
        at_eof(&mut peer.io).await;
    };
    let (run, ()) = both(Run::of_server(far), peer).await;
    run.assert_lost();
    assert_eq!(run.messages, [Message::from("last")]);
}

/// ST-08.
#[tokio::test]
async fn a_close_and_a_half_close_are_answered_by_a_close_and_an_end() {
    let (near, far) = sockets().await;
    let peer = async {
        let mut peer = raw_client(near).await;
        peer.close(1000, "bye").await;
        peer.shut_down().await;
        assert_eq!(peer.expect().await.close().0, 1000);
        at_eof(&mut peer.io).await;
    };
    let (run, ()) = both(Run::of_server(far), peer).await;
    assert!(run.error.is_none());
    assert_eq!((run.event.code.as_u16(), &*run.event.reason), (1000, "bye"));
    assert!(run.event.was_clean);
}

/// ST-13.
#[tokio::test]
async fn a_server_that_answered_a_close_ends_although_the_peer_does_not() {
    let (near, far) = sockets().await;
    let peer = async {
        let mut peer = raw_client(near).await;
        peer.close(4000, "").await;
        assert_eq!(peer.expect().await.close().0, 4000);
        at_eof(&mut peer.io).await;
        peer
    };
    let start = Instant::now();
    let (run, peer) = both(Run::of_server(far), peer).await;
    assert!(run.error.is_none());
    assert_eq!(run.event.code.as_u16(), 4000);
    assert!(run.event.was_clean);
    assert!(start.elapsed() < Duration::from_secs(6), "the close timeout and a second more");
    drop(peer);
}

/// nobody polls the channel on, and still the peer is not left behind.
#[tokio::test]
async fn a_channel_that_is_dropped_while_it_closes_ends_the_connection() {
    let (near, far) = sockets().await;
    let client = async {
        let mut channel = WebSocketAdapter::client(near, URL).await.unwrap();
        assert!(channel.close(4000, "").now_or_never().is_none(), "nobody has answered");
    };
    let peer = async {
        let mut peer = raw_server(far).await;
        if let Some(close) = peer.next().await {
            assert_eq!((close.first, close.payload), (CLOSE, closing(4000, "")));
            assert!(peer.is_over().await);
        }
    };
    both(client, peer).await;
}

/// CT-02 and CT-05.
#[tokio::test]
async fn a_client_delivers_what_came_before_an_end_without_a_close() {
    let (near, far) = sockets().await;
    let peer = async {
        let mut peer = raw_server(far).await;
        let messages = [&b"one"[..], b"two", b"three"];
        let bytes: Vec<u8> = messages.iter().flat_map(|text| peer.frame(TEXT, text)).collect();
        peer.write(&bytes).await;
        peer.shut_down().await;
        at_eof(&mut peer.io).await;
    };
    let (run, ()) = both(Run::of_client(near), peer).await;
    assert_eq!(run.messages, ["one", "two", "three"].map(Message::from));
    run.assert_lost();
}

/// ST-12. The buffers are so small, and the peer is so slow, that the server has to wait for it.
#[tokio::test]
async fn a_slow_reader_gets_4_mib_of_echoes_complete_and_in_order() {
    const COUNT: u8 = 64;
    const SIZE: usize = 64 << 10;

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(64 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    let (near, far) = both(socket.connect(address), listener.accept()).await;
    let (near, far) = (near.unwrap(), far.unwrap().0);

    let server = async {
        let mut channel = WebSocketAdapter::accept(far).await.unwrap();
        let mut waits = 0;
        while let Some(message) = channel.next().await {
            let mut sending = pin!(channel.send(message.unwrap()));
            let sent = match poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await {
                Poll::Ready(sent) => sent,
                Poll::Pending => {
                    waits += 1;
                    sending.await
                }
            };
            sent.unwrap();
        }
        assert_eq!(channel.close_code(), Some(status::NORMAL_CLOSURE));
        waits
    };
    let peer = async {
        let (mut reader, mut writer) = raw_client(near).await.io.into_split();
        let write = async {
            for n in 0..COUNT {
                let message = frame(Role::Client, BINARY, &vec![n; SIZE]);
                writer.write_all(&message).await.unwrap();
            }
            writer.write_all(&frame(Role::Client, CLOSE, &closing(1000, ""))).await.unwrap();
        };
        let read = async {
            let mut echoes = Vec::new();
            let mut piece = [0; 1 << 10];
            loop {
                match reader.read(&mut piece).await.unwrap() {
                    0 => break,
                    length => echoes.extend_from_slice(&piece[..length]),
                }
                yield_now().await;
            }
            echoes
        };
        let ((), echoes) = tokio::join!(write, read);
        let mut expected: Vec<u8> =
            (0..COUNT).flat_map(|n| frame(Role::Server, BINARY, &vec![n; SIZE])).collect();
        expected.extend(frame(Role::Server, CLOSE, &closing(1000, "")));
        assert_eq!(echoes.len(), expected.len());
        assert!(echoes == expected);
    };
    let (waits, ()) = both(server, peer).await;
    assert!(waits > 0, "the reader was not slow");
}

/// A-14 and ST-01 to ST-04: closed, dropped and reset in turn.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_that_ended_leave_no_descriptors() {
    fn descriptors() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }

    async fn connection(n: usize) {
        let (near, far) = sockets().await;
        let server = tokio::spawn(Run::of_server(far));
        let client = async {
            let mut channel = WebSocketAdapter::client(near, URL).await.unwrap();
            channel.send("hello".into()).await.unwrap();
            assert_eq!(channel.next().await.unwrap().unwrap(), Message::from("hello"));
            match n % 3 {
                0 => assert!(channel.close(1000, "").await.unwrap().was_clean),
                1 => drop(channel),
                _ => reset(channel.into_inner()),
            }
        };
        let (run, ()) = both(server, client).await;
        assert_eq!(run.unwrap().event.was_clean, n % 3 == 0);
    }

    connection(0).await;
    let before = descriptors();
    for n in 0..600 {
        connection(n).await;
    }
    let after = descriptors();
    // Other tests of this process have some, too; one end that leaks has 200, of each way to end.
    assert!(after < before + 180, "{before} descriptors before, {after} after");
}

///
#[test]
fn a_runtime_with_open_connections_shuts_down_at_once_and_without_a_panic() {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap();
    let (opened, mut open) = unbounded_channel();
    let mut tasks = Vec::new();
    let mut peers = Vec::new();
    for n in 0..12 {
        let (near, far) = runtime.block_on(sockets());
        let opened = opened.clone();
        let server = async move {
            let mut channel = WebSocketAdapter::accept(far).await.unwrap();
            opened.send(()).unwrap();
            match n % 3 {
                // Idle, closing, and waiting for the peer to read.
                0 => drop(channel.next().await),
                1 => drop(channel.close(4000, "").await),
                _ => while channel.send(vec![0; 1 << 20].into()).await.is_ok() {},
            }
        };
        tasks.push(runtime.spawn(server));
        let mut peer = near.into_std().unwrap();
        peer.set_nonblocking(false).unwrap();
        peer.set_read_timeout(Some(LIMIT)).unwrap();
        peer.write_all(REQUEST.as_bytes()).unwrap();
        peers.push(peer);
    }
    runtime.block_on(in_time(async {
        for _ in &peers {
            open.recv().await.unwrap();
        }
    }));

    let start = Instant::now();
    runtime.shutdown_timeout(LIMIT);
    assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}", start.elapsed());

    for task in tasks {
        let end = task.now_or_never().expect("the runtime has ended").unwrap_err();
        assert!(end.is_cancelled(), "{end:?}");
    }
    for mut peer in peers {
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).expect("the connection has ended");
        assert!(rest.starts_with(b"HTTP/1.1 101 "));
    }
}
