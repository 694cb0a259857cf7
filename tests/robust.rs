//! Transports that behave badly, and futures that are dropped: nothing is lost, doubled or hung.

mod scripted;

use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use futures::future::{Either, select};
use futures::{FutureExt, SinkExt, StreamExt};
use scripted::{Read, Scripted, State, Write, frame, header};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use ws_channel::{
    Error, Handshake, Message, Options, ReadyState, Role, WebSocketAdapter, WebSocketChannel,
    status,
};

const FIN_TEXT: u8 = 0x81;
const FIN_BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

fn channel<S: AsyncRead + AsyncWrite + Unpin>(io: S, role: Role) -> WebSocketAdapter<S> {
    WebSocketAdapter::from_upgraded(io, role, Handshake::default())
}

fn with<S: AsyncRead + AsyncWrite + Unpin>(io: S, options: &Options) -> WebSocketAdapter<S> {
    let handshake = Handshake::default();
    WebSocketAdapter::from_upgraded_with(io, Role::Client, handshake, options, BytesMut::new())
}

/// Numbers that look random and are the same every time (splitmix64).
#[derive(Clone, Debug)]
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> usize {
        usize::try_from(self.next() % n).expect("small")
    }

    /// Text or bytes; mostly short, now and then of several reads.
    fn message(&mut self) -> Message {
        let length = match self.below(20) {
            0 => self.below(3000),
            1 => 0,
            _ => self.below(200),
        };
        if self.below(2) == 0 {
            let letters = ['a', 'é', '日', '😀'];
            Message::from((0..length / 4).map(|_| letters[self.below(4)]).collect::<String>())
        } else {
            Message::from((0..length).map(|_| self.next().to_le_bytes()[0]).collect::<Vec<u8>>())
        }
    }

    fn messages(&mut self, n: usize) -> Vec<Message> {
        (0..n).map(|_| self.message()).collect()
    }
}

/// Reads and writes 1 to 7 bytes at a time, and is pending whenever it likes.
struct Fitful<S> {
    io: S,
    random: Seeded,
}

impl<S> Fitful<S> {
    fn new(io: S, seed: u64) -> Self {
        Self { io, random: Seeded(seed) }
    }

    /// Whether this poll is pending for no reason.
    fn balks(&mut self, cx: &Context<'_>) -> bool {
        let balks = self.random.below(3) == 0;
        if balks {
            cx.waker().wake_by_ref();
        }
        balks
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Fitful<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.balks(cx) {
            return Poll::Pending;
        }
        let most = 1 + self.random.below(7);
        let mut few = [0; 7];
        let mut few = ReadBuf::new(&mut few[..most.min(buffer.remaining())]);
        let read = Pin::new(&mut self.io).poll_read(cx, &mut few);
        buffer.put_slice(few.filled());
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Fitful<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.balks(cx) {
            return Poll::Pending;
        }
        let most = 1 + self.random.below(7);
        Pin::new(&mut self.io).poll_write(cx, &bytes[..bytes.len().min(most)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.balks(cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.balks(cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Sends `messages` both ways at once over a pipe of `room` bytes, and closes.
async fn converse(seed: u64, count: usize, room: usize) {
    let mut random = Seeded(seed);
    let there = random.messages(count);
    let back = random.messages(count);
    let (near, far) = tokio::io::duplex(room);
    let client = channel(Fitful::new(near, random.next()), Role::Client);
    let server = channel(Fitful::new(far, random.next()), Role::Server);
    let (mut client_sink, mut client_stream) = client.split();
    let (mut server_sink, mut server_stream) = server.split();
    let sender = async {
        for message in &there {
            client_sink.send(message.clone()).await.unwrap();
        }
    };
    let answerer = async {
        for message in &back {
            server_sink.feed(message.clone()).await.unwrap();
        }
        server_sink.flush().await.unwrap();
    };
    let at_client = async {
        for message in &back {
            assert_eq!(client_stream.next().await.unwrap().unwrap(), *message, "seed {seed}");
        }
    };
    let at_server = async {
        for message in &there {
            assert_eq!(server_stream.next().await.unwrap().unwrap(), *message, "seed {seed}");
        }
    };
    tokio::join!(sender, answerer, at_client, at_server);
    let ended = async { assert!(server_stream.next().await.is_none()) };
    let (event, ()) = tokio::join!(client_sink.close(4321, "done"), ended);
    let event = event.unwrap();
    assert_eq!((event.code.as_u16(), event.was_clean), (4321, true), "seed {seed}");
}

///
#[tokio::test(start_paused = true)]
async fn messages_keep_their_order_over_fitful_transports() {
    for seed in 0..150 {
        converse(seed, 20, 1 + usize::try_from(seed).unwrap() % 100).await;
    }
}

///
#[tokio::test(start_paused = true)]
async fn a_thousand_messages_pass_a_pipe_of_one_byte() {
    let (near, far) = tokio::io::duplex(1);
    let mut client = channel(near, Role::Client);
    let mut server = channel(far, Role::Server);
    let messages = Seeded(1).messages(1000);
    let sender = async {
        for message in &messages {
            client.send(message.clone()).await.unwrap();
        }
        client.close(status::NORMAL_CLOSURE, "").await.unwrap()
    };
    let receiver = async {
        for message in &messages {
            assert_eq!(server.next().await.unwrap().unwrap(), *message);
        }
        assert!(server.next().await.is_none());
    };
    let (event, ()) = tokio::join!(sender, receiver);
    assert!(event.was_clean);
}

/// Polls `future` once and drops it.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    future.now_or_never()
}

///
#[tokio::test(start_paused = true)]
async fn a_receive_that_is_dropped_at_any_poll_loses_nothing() {
    let (near, far) = tokio::io::duplex(16);
    let mut client = channel(near, Role::Client);
    let mut server = channel(Fitful::new(far, 7), Role::Server);
    let messages = Seeded(2).messages(3000);
    let sender = async {
        for message in &messages {
            client.feed(message.clone()).await.unwrap();
        }
        client.flush().await.unwrap();
    };
    let receiver = async {
        let mut random = Seeded(3);
        let mut received = Vec::new();
        while received.len() < messages.len() {
            // The two ways to receive can be mixed.
            let found = if random.below(2) == 0 {
                poll_once(server.next()).map(Option::unwrap).map(Result::unwrap)
            } else {
                poll_once(server.recv_ref()).map(|found| found.unwrap().unwrap().to_message())
            };
            match found {
                Some(message) => received.push(message),
                None => tokio::task::yield_now().await,
            }
        }
        received
    };
    let ((), arrived) = tokio::join!(sender, receiver);
    assert!(arrived == messages);
}

///
#[tokio::test(start_paused = true)]
async fn a_send_that_is_dropped_at_any_poll_is_whole_or_absent() {
    let (near, far) = tokio::io::duplex(64);
    let options = Options::new().write_buffer_size(256);
    let mut client = with(Fitful::new(near, 9), &options);
    let mut server = channel(far, Role::Server);
    let sender = async {
        let mut random = Seeded(4);
        let mut completed = Vec::new();
        for n in 0..2000_u32 {
            let text = format!("{n}:{}", "x".repeat(random.below(300)));
            let patience = random.below(400);
            let mut sending = pin!(client.send(text.into()));
            for _ in 0..patience {
                if poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await.is_ready() {
                    completed.push(n);
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        client.send("last".into()).await.unwrap();
        client.close(4000, "").await.unwrap();
        completed
    };
    let receiver = async {
        let mut received = Vec::new();
        while let Some(message) = server.next().await {
            received.push(message.unwrap().as_text().unwrap().to_owned());
        }
        received
    };
    let (completed, arrived) = tokio::join!(sender, receiver);
    assert_eq!(arrived.last().map(String::as_str), Some("last"));
    let numbers: Vec<u32> = arrived[..arrived.len() - 1]
        .iter()
        .map(|text| text.split(':').next().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "in order, none twice");
    assert!(completed.iter().all(|n| numbers.binary_search(n).is_ok()), "what was sent arrived");
    assert!(!completed.is_empty() && completed.len() < 2000, "some were dropped, some not");
}

///
#[tokio::test(start_paused = true)]
async fn a_close_that_is_dropped_goes_on_when_the_channel_is_polled() {
    let (near, far) = tokio::io::duplex(4);
    let mut client = channel(Fitful::new(near, 5), Role::Client);
    let mut server = channel(far, Role::Server);
    let closer = async {
        for _ in 0..10 {
            assert!(poll_once(client.close(4000, "once")).is_none_or(|event| event.is_ok()));
        }
        assert!(client.next().await.is_none());
        client.close_event().cloned().unwrap()
    };
    let peer = async { assert!(server.next().await.is_none()) };
    let (event, ()) = tokio::join!(closer, peer);
    assert_eq!((event.code.as_u16(), event.reason.as_str()), (4000, "once"));
    assert!(event.was_clean);
}

///
#[tokio::test(start_paused = true)]
async fn messages_that_arrived_are_delivered_before_a_write_error() {
    for kept_by_sink in [false, true] {
        let waiting: Vec<u8> = (0..100).flat_map(|n: u8| frame(FIN_BINARY, &[n], false)).collect();
        let io = Scripted::new([Read::Bytes(waiting)]);
        let mut client = channel(io.clone(), Role::Client);
        if kept_by_sink {
            // A send that nobody receives beside reads ahead.
            client.send("first".into()).await.unwrap();
        }
        io.state().write = Write::Fail(io::ErrorKind::BrokenPipe);
        assert!(matches!(client.send("lost".into()).await, Err(Error::Io(_))));
        assert!(matches!(client.send("late".into()).await, Err(Error::Closed { .. })));
        for n in 0..100 {
            assert_eq!(client.next().await.unwrap().unwrap(), Message::from(&[n]));
        }
        match client.next().await {
            Some(Err(Error::Io(error))) => assert_eq!(error.kind(), io::ErrorKind::BrokenPipe),
            other => panic!("{other:?}"),
        }
        assert!(client.next().await.is_none());
        assert_eq!(client.close_code(), Some(status::ABNORMAL_CLOSURE));
    }
}

/// one error, then the end; and no poll after that does anything.
#[tokio::test(start_paused = true)]
async fn a_transport_that_fails_is_one_error() {
    let kinds = [io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted];
    let mut scripts: Vec<(Scripted, io::ErrorKind)> =
        vec![(Scripted::writing(Write::Nothing), io::ErrorKind::WriteZero)];
    for kind in kinds {
        scripts.push((Scripted::writing(Write::Fail(kind)), kind));
        scripts.push((Scripted::new([Read::Fail(kind), Read::Panic]), kind));
    }
    for (io, kind) in scripts {
        let mut client = channel(io.clone(), Role::Client);
        let sent = client.send("x".into()).await;
        match client.next().await {
            Some(Err(Error::Io(error))) => assert_eq!(error.kind(), kind),
            other => panic!("{kind}: {other:?} after {sent:?}"),
        }
        for _ in 0..10 {
            assert!(client.next().await.is_none());
        }
        assert_eq!(client.close_code(), Some(status::ABNORMAL_CLOSURE));
        assert_eq!(client.ready_state(), ReadyState::Closed);
        let State { read_polls, write_polls, .. } = *io.state();
        let polls = read_polls + write_polls;
        assert!(polls < 20, "{polls} polls of a dead transport");
        assert!(!client.close(1000, "").await.unwrap().was_clean);
        assert!(matches!(client.send("y".into()).await, Err(Error::Closed { .. })));
    }
}

/// a panic in one half leaves the other half usable, and does not panic again on drop.
#[tokio::test(start_paused = true)]
async fn a_panic_in_the_transport_takes_one_half_down() {
    let hello = frame(FIN_TEXT, b"hello", false);
    let io = Scripted::new([Read::Bytes(hello), Read::End]);
    io.state().write = Write::Panic;
    let (mut sink, mut stream) = channel(io.clone(), Role::Client).split();
    let panicked = catch_unwind(AssertUnwindSafe(|| poll_once(sink.send("x".into()))));
    assert!(panicked.is_err());
    io.state().write = Write::Take(usize::MAX);
    assert_eq!(stream.next().await.unwrap().unwrap(), Message::from("hello"));
    assert!(matches!(stream.next().await, Some(Err(Error::ConnectionLost))));
    drop(sink);
    drop(stream);
}

///
#[tokio::test(start_paused = true)]
async fn a_send_waits_when_the_peer_does_not_read() {
    let io = Scripted::writing(Write::Stuck);
    let mut client = channel(io.clone(), Role::Client);
    let message = Message::from(vec![0; 64 << 10]);
    let mut accepted = 0;
    for _ in 0..65 {
        let mut cx = Context::from_waker(Waker::noop());
        if client.poll_ready_unpin(&mut cx).is_pending() {
            break;
        }
        client.start_send_unpin(message.clone()).unwrap();
        accepted += 1;
    }
    assert_eq!(accepted, 2, "128 KiB wait, and no more is accepted");
    assert!(poll_once(client.send(message.clone())).is_none());
    assert!(client.buffered_amount() < 129 << 10);
    io.state().write = Write::Take(usize::MAX);
    client.send(message).await.unwrap();
    assert_eq!(client.buffered_amount(), 0);
}

/// A-11, with messages that have no payload: they take memory, too.
#[tokio::test(start_paused = true)]
async fn empty_messages_are_not_accepted_without_end() {
    for payload in [0, 20 << 10] {
        let mut server = channel(Scripted::writing(Write::Stuck), Role::Server);
        server.start_send_unpin(Message::from(vec![0; payload])).unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let mut accepted = 0;
        while server.poll_ready_unpin(&mut cx).is_ready() {
            server.start_send_unpin("".into()).unwrap();
            accepted += 1;
            assert!(accepted < 100_000, "accepted without end");
        }
    }
}

/// Runs `work` while the clock ticks: a busy task keeps tokio's paused clock from moving by itself.
async fn while_it_ticks<T>(work: impl Future<Output = T>) -> T {
    let tick = async {
        loop {
            tokio::time::advance(Duration::from_millis(100)).await;
        }
    };
    match select(pin!(work), pin!(tick)).await {
        Either::Left((done, _)) => done,
        Either::Right((never, _)) => never,
    }
}

/// Endless input that is always there: it must not keep anybody else from being polled.
#[derive(Debug)]
struct Flood {
    frame: Vec<u8>,
    at: usize,
}

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Short reads: the test is about how many there are.
        for _ in 0..64 {
            let rest = &self.frame[self.at..];
            let taken = rest.len().min(buffer.remaining());
            buffer.put_slice(&rest[..taken]);
            self.at = (self.at + taken) % self.frame.len();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let _ = cx;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

///
#[tokio::test(start_paused = true)]
async fn a_flood_does_not_keep_a_send_or_a_close_from_completing() {
    for first in [PING, 0x8A, FIN_TEXT, 0x01] {
        let payload: &[u8] = if first == FIN_TEXT { b"" } else { b"flood" };
        let mut bytes = frame(first, payload, false);
        if first == 0x01 {
            // One message of empty fragments that never ends.
            bytes = frame(0x00, b"", false);
        }
        let io = Flood { frame: bytes, at: 0 };
        let read = if first == 0x01 { frame(0x01, b"", false) } else { Vec::new() };
        let mut client = WebSocketAdapter::from_upgraded_with(
            io,
            Role::Client,
            Handshake::default(),
            &Options::new(),
            BytesMut::from(&read[..]),
        );
        let talk = async {
            for _ in 0..100 {
                client.send("through".into()).await.unwrap();
            }
            client.close(1000, "").await.unwrap()
        };
        // A poll that never returns would hang the test; a close that never ends, too.
        assert!(!while_it_ticks(talk).await.was_clean);
    }
}

/// The sink side keeps messages that nobody receives up to a bound, however small they are.
#[tokio::test(start_paused = true)]
async fn a_sender_that_does_not_receive_keeps_a_bounded_number_of_messages() {
    for payload in [&b""[..], b"x", &[b'y'; 1000]] {
        let io = Flood { frame: frame(FIN_TEXT, payload, false), at: 0 };
        let mut client = channel(io, Role::Client);
        for _ in 0..1000 {
            client.send("only sending".into()).await.unwrap();
        }
        let mut kept = 0_usize;
        // A close would drop what was kept, so the input is made to end.
        let Flood { frame, at } = client.get_mut();
        *frame = frame.split_off(*at);
        frame.extend(scripted::frame(0x83, b"", false));
        *at = 0;
        let drain = async {
            while let Some(Ok(message)) = client.next().await {
                kept += size_of::<Message>() + message.len();
            }
        };
        while_it_ticks(drain).await;
        assert!(kept < 2 << 20, "{kept} bytes were kept");
    }
}

/// A-15; the wire lengths are in the engine's own tests.
#[tokio::test(start_paused = true)]
async fn messages_up_to_the_limit_pass_and_one_byte_more_is_1009() {
    let limit = 1 << 20;
    let options = Options::new().max_message_size(limit);
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut client = channel(near, Role::Client);
    let handshake = Handshake::default();
    let mut server = WebSocketAdapter::from_upgraded_with(
        far,
        Role::Server,
        handshake,
        &options,
        BytesMut::new(),
    );
    let sizes = [0, 1, 125, 126, 127, 65_535, 65_536, limit];
    let sender = async {
        for size in sizes {
            client.send(vec![1; size].into()).await.unwrap();
        }
        // The peer stops reading messages on the header; the rest is discarded.
        let _ = client.send(vec![1; limit + 1].into()).await;
        assert!(client.next().await.is_none());
        client.close_code().unwrap()
    };
    let receiver = async {
        for size in sizes {
            assert_eq!(server.next().await.unwrap().unwrap(), Message::from(vec![1; size]));
        }
        match server.next().await {
            Some(Err(Error::MessageTooBig { size, limit: told, .. })) => {
                assert_eq!((size, told), (limit as u64 + 1, limit));
            }
            other => panic!("{other:?}"),
        }
        assert!(server.next().await.is_none());
    };
    let (code, ()) = tokio::join!(sender, receiver);
    assert_eq!(code, status::MESSAGE_TOO_BIG);
}

/// the default limit.
#[tokio::test(start_paused = true)]
async fn sixteen_mebibytes_are_the_default_limit() {
    let limit = 16 << 20;
    let (near, far) = tokio::io::duplex(1 << 20);
    let mut client = channel(near, Role::Client);
    let mut server = channel(far, Role::Server);
    let payload = vec![1; limit];
    let (sent, received) = tokio::join!(client.send(payload.into()), server.next());
    sent.unwrap();
    assert_eq!(received.unwrap().unwrap().len(), limit);
    let io = Scripted::new([Read::Bytes(header(FIN_BINARY, limit as u64 + 1, false))]);
    let refused = channel(io, Role::Client).next().await;
    assert!(matches!(refused, Some(Err(Error::MessageTooBig { .. }))));
}

/// A write that stalls before closing begins must not spin while the close deadline is waited for.
#[tokio::test(start_paused = true)]
async fn a_close_behind_a_stalled_write_ends_with_the_close_timeout() {
    let io = Scripted::writing(Write::Stuck);
    let options = Options::new()
        .keepalive(Duration::from_secs(60), Duration::from_secs(10))
        .close_timeout(Duration::from_secs(5));
    let mut client = with(io, &options);
    let start = Instant::now();
    let sending = client.send("stuck".into());
    assert!(tokio::time::timeout(Duration::from_secs(8), sending).await.is_err());
    let event = client.close(1000, "").await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(13));
    assert!(!event.was_clean);
}

/// Promise 6: a transport that buffers takes every write, and may get nothing through.
#[tokio::test(start_paused = true)]
async fn a_flush_without_progress_is_given_up_as_a_write_is() {
    let io = Scripted::new([]);
    io.state().flush = false;
    let mut client = with(io.clone(), &stalls_after(10));
    let start = Instant::now();
    assert!(client.send("stuck".into()).await.is_err());
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    assert!(matches!(client.next().await, Some(Err(Error::Timeout { .. }))));
    assert!(client.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_gets_through_in_time_begins_the_wait_anew() {
    let io = Scripted::new([]);
    io.state().flush = false;
    let mut client = with(io.clone(), &stalls_after(10));
    for _ in 0..3 {
        let sending = client.send("slow".into());
        assert!(tokio::time::timeout(Duration::from_secs(9), sending).await.is_err());
        io.state().flush = true;
        client.flush().await.unwrap();
        io.state().flush = false;
    }
    assert_eq!(client.ready_state(), ReadyState::Open);
}

#[tokio::test(start_paused = true)]
async fn giving_up_on_a_write_shuts_the_transport_down() {
    let io = Scripted::writing(Write::Stuck);
    let mut client = with(io.clone(), &stalls_after(10));
    assert!(client.send("stuck".into()).await.is_err());
    assert_eq!(io.state().shutdowns, 1);
}

/// To some transports a second shutdown is a misuse.
#[tokio::test(start_paused = true)]
async fn a_transport_that_was_shut_down_is_not_shut_down_again_when_time_is_over() {
    let io = Scripted::new([Read::Bytes(vec![0x83, 0])]);
    let mut client = channel(io.clone(), Role::Client);
    assert!(matches!(client.next().await, Some(Err(Error::Protocol(_)))));
    assert!(client.next().await.is_none());
    assert_eq!(io.state().shutdowns, 1);
}

fn stalls_after(secs: u64) -> Options {
    Options::new().keepalive(Duration::from_secs(60), Duration::from_secs(secs))
}

/// A ping that cannot be written ends the connection then, not at the next deadline.
#[tokio::test(start_paused = true)]
async fn a_write_error_of_keepalive_is_told_at_once() {
    let io = Scripted::writing(Write::Fail(io::ErrorKind::BrokenPipe));
    let mut client = channel(io, Role::Client);
    let start = Instant::now();
    assert!(matches!(client.next().await, Some(Err(Error::Io(_)))));
    assert_eq!(start.elapsed().as_secs(), 20);
    assert!(client.next().await.is_none());
}

/// Promise 9: what was accepted and not written is not passed over in silence.
#[tokio::test(start_paused = true)]
async fn a_send_that_the_end_cut_off_is_an_error() {
    let io = Scripted::writing(Write::Stuck);
    io.state().reads.push_back(Read::Fail(io::ErrorKind::ConnectionReset));
    let mut client = channel(io, Role::Client);
    assert!(client.send("cut off".into()).await.is_err());
    assert!(matches!(client.next().await, Some(Err(Error::Io(_)))));
    assert!(client.next().await.is_none());
}

/// A flush after the end has nothing to wait for, even if the transport never flushes.
#[tokio::test(start_paused = true)]
async fn a_flush_after_the_end_returns() {
    let io = Scripted::new([]);
    io.state().flush = false;
    let mut client = channel(io.clone(), Role::Client);
    assert!(poll_once(client.send("never flushed".into())).is_none());
    io.state().reads.push_back(Read::End);
    assert!(client.next().await.unwrap().is_err());
    assert!(client.next().await.is_none());
    let _ = client.flush().await;
    let _ = SinkExt::close(&mut client).await;
    assert_eq!(client.ready_state(), ReadyState::Closed);
}

/// SF-42: the peer is listened to while the Close frame cannot be written yet.
#[tokio::test(start_paused = true)]
async fn the_close_frame_reaches_a_peer_with_data_in_flight() {
    for seed in 0..20 {
        let (near, far) = tokio::io::duplex(4096);
        let mut client = channel(near, Role::Client);
        let server = Fitful::new(far, seed);
        let peer = async {
            let mut server = server;
            let mut bytes = frame(0x83, b"", false);
            bytes.extend(frame(FIN_BINARY, &vec![0; 256 << 10], false));
            tokio::io::AsyncWriteExt::write_all(&mut server, &bytes).await.unwrap();
            let mut answer = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut server, &mut answer).await.unwrap();
            answer
        };
        let reader = async {
            assert!(matches!(client.next().await, Some(Err(Error::Protocol(_)))));
            assert!(client.next().await.is_none());
        };
        let (answer, ()) = tokio::join!(peer, reader);
        assert_eq!(answer[0], CLOSE, "seed {seed}");
        let key = &answer[2..6];
        assert_eq!([answer[6] ^ key[0], answer[7] ^ key[1]], 1002_u16.to_be_bytes());
    }
}
