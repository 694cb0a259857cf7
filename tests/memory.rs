//! What a connection costs: bytes of heap and allocations, counted by the allocator.

#![allow(unsafe_code, reason = "an allocator is unsafe by its trait")]

mod scripted;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use futures::{FutureExt, SinkExt, StreamExt};
use scripted::{Read, Scripted, Write, frame, header};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use ws_channel::{Error, Handshake, Message, Options, Role, WebSocketAdapter, WebSocketChannel};

const FIN_TEXT: u8 = 0x81;
const FIN_BINARY: u8 = 0x82;
const BINARY: u8 = 0x02;
const CONTINUATION: u8 = 0x00;
const PING: u8 = 0x89;

/// Counts a thread's allocations: each test has a thread of its own.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    LIVE.set(LIVE.get() + bytes);
    PEAK.set(PEAK.get().max(LIVE.get()));
    if bytes > 0 {
        CALLS.set(CALLS.get() + 1);
    }
}

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

// SAFETY: everything is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-signed(layout.size()));
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(signed(size) - signed(layout.size()));
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn live() -> isize {
    LIVE.get()
}

/// The most that was live at once during `work`, above what was live before it.
async fn peak<T>(work: impl Future<Output = T>) -> (T, isize) {
    let before = live();
    PEAK.set(before);
    let done = work.await;
    (done, PEAK.get() - before)
}

/// How many allocations `work` made.
async fn calls(work: impl Future<Output = ()>) -> usize {
    let before = CALLS.get();
    work.await;
    CALLS.get() - before
}

fn channel<S: AsyncRead + AsyncWrite + Unpin>(io: S, role: Role) -> WebSocketAdapter<S> {
    WebSocketAdapter::from_upgraded(io, role, Handshake::default())
}

/// Gives `frame` again and again, `times` times, at most `step` bytes a read; then is pending.
/// What is written is taken, counted, and gone.
struct Repeating {
    frame: Vec<u8>,
    at: usize,
    times: usize,
    step: usize,
    write: Write,
}

impl Repeating {
    fn new(frame: Vec<u8>, times: usize) -> Self {
        Self { frame, at: 0, times, step: usize::MAX, write: Write::Take(usize::MAX) }
    }
}

impl AsyncRead for Repeating {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let budget = std::task::ready!(tokio::task::coop::poll_proceed(cx));
        budget.made_progress();
        let mut left = self.step.min(buffer.remaining());
        if self.times == 0 {
            return Poll::Pending;
        }
        while left > 0 && self.times > 0 {
            let rest = &self.frame[self.at..];
            let taken = rest.len().min(left);
            buffer.put_slice(&rest[..taken]);
            left -= taken;
            self.at += taken;
            if self.at == self.frame.len() {
                self.at = 0;
                self.times -= 1;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Repeating {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.write {
            Write::Take(most) => Poll::Ready(Ok(bytes.len().min(most))),
            _ => Poll::Pending,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// SL-07, in heap: what an idle connection holds.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_holds_next_to_nothing() {
    let before = live();
    let mut server = channel(Repeating::new(Vec::new(), 0), Role::Server);
    assert!(server.next().now_or_never().is_none());
    let idle = live() - before;
    println!("idle: {idle} bytes of heap, {} of the channel itself", size_of_val(&server));
    assert!(idle <= 1024, "{idle}");
}

/// SL-05, RUSTSEC-2022-0035.
#[tokio::test(start_paused = true)]
async fn a_header_that_announces_16_mebibytes_costs_no_memory() {
    for first in [FIN_BINARY, BINARY, FIN_TEXT] {
        let before = live();
        let io = Repeating::new(header(first, 16 << 20, false), 1);
        let mut client = channel(io, Role::Client);
        let (found, peak) = peak(async { client.next().now_or_never() }).await;
        assert!(found.is_none());
        assert!(peak <= 32 << 10, "{peak} bytes at most");
        let held = live() - before;
        assert!(held <= 18 << 10, "{held} bytes held");
    }
}

/// SL-05: incomplete frames hold in proportion to what came of them.
#[tokio::test(start_paused = true)]
async fn a_part_of_a_large_frame_holds_in_proportion_to_what_came() {
    for (part, bound) in [(1 << 10, 32 << 10), (64 << 10, 2 << 20), (4 << 20, 17 << 20)] {
        let mut bytes = header(FIN_BINARY, 16 << 20, false);
        bytes.resize(bytes.len() + part, 7);
        let io = Repeating::new(bytes, 1);
        let before = live();
        let mut client = channel(io, Role::Client);
        assert!(client.next().now_or_never().is_none());
        let held = live() - before;
        assert!(held <= bound, "{held} bytes held for {part}");
    }
}

/// Promise 5: buffers shrink after a big message, however many reads it took.
#[tokio::test(start_paused = true)]
async fn after_a_large_message_the_connection_is_idle_again() {
    for step in [16 << 10, 64 << 10, 4 << 20, usize::MAX] {
        for fragmented in [false, true] {
            for behind in [&b""[..], b"\x82", b"\x82\x05par"] {
                let mut bytes = Vec::new();
                if fragmented {
                    bytes.extend(frame(BINARY, &vec![1; 4 << 20], false));
                    bytes.extend(frame(0x80, &vec![1; 4 << 20], false));
                } else {
                    bytes.extend(frame(FIN_BINARY, &vec![1; 8 << 20], false));
                }
                bytes.extend_from_slice(behind);
                let mut io = Repeating::new(bytes, 1);
                io.step = step;
                let before = live();
                let mut client = channel(io, Role::Client);
                let message = client.next().await.unwrap().unwrap();
                assert_eq!(message.len(), 8 << 20);
                drop(message);
                let silence = Duration::from_secs(1);
                assert!(tokio::time::timeout(silence, client.next()).await.is_err());
                let held = live() - before;
                assert!(held <= 2 << 10, "{held} bytes: {step} {fragmented} {}", behind.len());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_large_send_the_connection_is_idle_again() {
    for role in [Role::Client, Role::Server] {
        for message in [1 << 10, 100 << 10, 8 << 20] {
            let mut io = Repeating::new(Vec::new(), 0);
            io.write = Write::Take(16 << 10);
            let before = live();
            let mut sender = channel(io, role);
            for _ in 0..20 {
                sender.send(vec![1; message].into()).await.unwrap();
            }
            let silence = Duration::from_secs(1);
            assert!(tokio::time::timeout(silence, sender.next()).await.is_err());
            let held = live() - before;
            assert!(held <= 2 << 10, "{held} bytes held after {message}");
        }
    }
}

/// Small messages behind a large one are not read into buffers of its size.
#[tokio::test(start_paused = true)]
async fn a_large_message_does_not_raise_what_later_ones_cost() {
    let mut bytes = frame(FIN_BINARY, &vec![1; 8 << 20], false);
    for _ in 0..100_000 {
        bytes.extend(frame(FIN_BINARY, &[2; 20], false));
    }
    let mut io = Repeating::new(bytes, 1);
    io.step = 64 << 10;
    let mut client = channel(io, Role::Client);
    drop(client.next().await);
    for _ in 0..5000 {
        drop(client.next().await);
    }
    let ((), peak) = peak(async {
        for _ in 0..90_000 {
            drop(client.next().await);
        }
    })
    .await;
    assert!(peak <= 256 << 10, "{peak}");
}

/// SL-01, SL-06, CL-01.
#[tokio::test(start_paused = true)]
async fn a_million_empty_fragments_take_no_memory() {
    let io = Repeating::new(frame(CONTINUATION, b"", false), 1_000_000);
    let mut client = WebSocketAdapter::from_upgraded_with(
        io,
        Role::Client,
        Handshake::default(),
        &Options::new(),
        BytesMut::from(&frame(BINARY, b"x", false)[..]),
    );
    let waiting = tokio::time::timeout(Duration::from_secs(1), client.next());
    let (waited, peak) = peak(waiting).await;
    assert!(waited.is_err());
    assert!(peak <= 256 << 10, "{peak}");
}

/// SL-08, CL-03.
#[tokio::test(start_paused = true)]
async fn fragments_without_end_stop_at_the_limit() {
    for size in [1, 100, 4096, 100_000] {
        let io = Repeating::new(frame(CONTINUATION, &vec![1; size], false), usize::MAX);
        let options = Options::new().max_message_size(1 << 20);
        let mut client = WebSocketAdapter::from_upgraded_with(
            io,
            Role::Client,
            Handshake::default(),
            &options,
            BytesMut::from(&frame(BINARY, b"x", false)[..]),
        );
        let answer = async {
            // It never ends and the clock only moves by hand: look at each poll.
            loop {
                tokio::time::advance(Duration::from_millis(100)).await;
                if let Some(found) = client.next().now_or_never() {
                    return found;
                }
            }
        };
        let (found, peak) = peak(answer).await;
        assert!(matches!(found, Some(Err(Error::MessageTooBig { .. }))), "{found:?}");
        assert!(peak <= 3 << 20, "{peak} with fragments of {size}");
    }
}

/// SL-03, CL-02.
#[tokio::test(start_paused = true)]
async fn a_ping_flood_with_unread_pongs_is_bounded_and_ends_with_1008() {
    let payload: &[u8] = &[0; 125];
    for payload in [payload, b""] {
        let mut io = Repeating::new(frame(PING, payload, true), 1 << 20);
        io.write = Write::Stuck;
        let mut server = channel(io, Role::Server);
        let (found, peak) = peak(async {
            loop {
                tokio::time::advance(Duration::from_millis(100)).await;
                if let Some(found) = server.next().now_or_never() {
                    return found;
                }
            }
        })
        .await;
        assert!(matches!(found, Some(Err(Error::PingFlood))), "{found:?}");
        assert!(peak <= 2 << 20, "{peak}");
    }
}

/// A connection that is never quite flushed sends its pongs nevertheless.
#[tokio::test(start_paused = true)]
async fn pongs_that_go_out_between_data_are_no_flood() {
    const QUEUE: usize = 512 << 10;
    let options = Options::new().write_buffer_size(2 * QUEUE);
    let (near, mut far) = tokio::io::duplex(64 << 10);
    let mut server = WebSocketAdapter::from_upgraded_with(
        near,
        Role::Server,
        Handshake::default(),
        &options,
        BytesMut::new(),
    );
    let pings = frame(PING, &[0; 125], true).repeat(10);
    for _ in 0..300 {
        while server.buffered_amount() < QUEUE {
            server.feed(vec![0; 4096].into()).await.unwrap();
        }
        far.write_all(&pings).await.unwrap();
        let found = server.next().now_or_never();
        assert!(found.is_none(), "{found:?}");
        far.read_exact(&mut vec![0; 60 << 10]).await.unwrap();
    }
}

/// SL-03: what the peer of a flood reads in the end.
#[tokio::test(start_paused = true)]
async fn a_flooder_is_told_1008() {
    let flood = frame(PING, &[0; 125], true).repeat(4000);
    let io = Scripted::new([Read::Bytes(flood)]);
    io.state().write = Write::Stuck;
    let mut server = channel(io.clone(), Role::Server);
    assert!(server.next().now_or_never().is_none());
    io.state().write = Write::Take(usize::MAX);
    io.state().reads.push_back(Read::End);
    assert!(matches!(server.next().await, Some(Err(Error::PingFlood))));
    let written = &io.state().written;
    let reason = b"too many pings with unread pongs";
    assert!(written.ends_with(reason));
    assert_eq!(written[written.len() - reason.len() - 4..][..2], [0x88, 34]);
    assert_eq!(written[written.len() - reason.len() - 2..][..2], 1008_u16.to_be_bytes());
}

/// SL-04, A-11.
#[tokio::test(start_paused = true)]
async fn what_is_accepted_for_a_peer_that_does_not_read_is_bounded() {
    for role in [Role::Client, Role::Server] {
        for size in [0, 10, 1000, 20_000, 64 << 10] {
            let mut io = Repeating::new(Vec::new(), 0);
            io.write = Write::Stuck;
            let mut sender = channel(io, role);
            let message = Message::from(vec![1; size]);
            let mut cx = Context::from_waker(Waker::noop());
            let (accepted, peak) = peak(async {
                let mut accepted = 0_usize;
                while sender.poll_ready_unpin(&mut cx).is_ready() {
                    sender.start_send_unpin(message.clone()).unwrap();
                    accepted += size;
                }
                accepted
            })
            .await;
            assert!(accepted < (128 << 10) + size.max(1));
            assert!(sender.buffered_amount() < (128 << 10) + size + 16);
            assert!(peak <= 1 << 20, "{peak} for {accepted} bytes in messages of {size}");
        }
    }
}

/// The steady state: buffers are there, and are used again.
#[tokio::test(start_paused = true)]
async fn sending_allocates_nothing_per_message() {
    for role in [Role::Client, Role::Server] {
        for size in [0, 16, 125, 1000, 15_000] {
            let mut sender = channel(Repeating::new(Vec::new(), 0), role);
            let message = Message::from(vec![1; size]);
            for _ in 0..100 {
                sender.send(message.clone()).await.unwrap();
            }
            let calls = calls(async {
                for _ in 0..10_000 {
                    sender.send(message.clone()).await.unwrap();
                }
            })
            .await;
            assert!(calls <= 10, "{calls} allocations for 10 000 messages of {size} by a {role:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn receiving_small_messages_allocates_at_most_once_per_message() {
    for role in [Role::Client, Role::Server] {
        for first in [FIN_TEXT, FIN_BINARY] {
            for size in [0, 16, 125, 1000] {
                let bytes = frame(first, &vec![b'a'; size], role == Role::Server);
                let mut receiver = channel(Repeating::new(bytes, 30_000), role);
                for _ in 0..5000 {
                    receiver.next().await.unwrap().unwrap();
                }
                let counted = calls(async {
                    for _ in 0..10_000 {
                        receiver.next().await.unwrap().unwrap();
                    }
                })
                .await;
                println!("next: {counted} for 10 000 of {size}");
                assert!(counted <= 10_000, "{counted} allocations, messages of {size}");
                let counted = calls(async {
                    for _ in 0..10_000 {
                        receiver.recv_ref().await.unwrap().unwrap();
                    }
                })
                .await;
                assert!(counted <= 10, "{counted} allocations, lent messages of {size}");
            }
        }
    }
}

/// One message at a time, each answered: the case in which no buffer is ever full.
#[tokio::test(start_paused = true)]
async fn an_echo_of_small_messages_allocates_at_most_once_per_message() {
    let bytes = frame(FIN_TEXT, &[b'a'; 100], true);
    let mut io = Repeating::new(bytes.clone(), 30_000);
    io.step = bytes.len();
    let mut server = channel(io, Role::Server);
    let mut echo = async |times: usize| {
        for _ in 0..times {
            let message = server.next().await.unwrap().unwrap();
            server.send(message).await.unwrap();
        }
    };
    echo(1000).await;
    let counted = calls(echo(10_000)).await;
    println!("echo: {counted} for 10 000");
    assert!(counted <= 10_000, "{counted}");
}
