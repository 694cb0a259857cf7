//! What compression costs in heap: while idle, after idling, and against a bomb.

#![allow(unsafe_code, reason = "an allocator is unsafe by its trait")]

mod scripted;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use bytes::BytesMut;
use futures::{FutureExt, SinkExt, StreamExt};
use scripted::{Read, Scripted, frame};
use tokio::sync::Mutex;
use ws_channel::{Deflate, Error, Handshake, Message, Options, Role, WebSocketAdapter};

const FIN_BINARY: u8 = 0x82;
const RSV1: u8 = 0x40;

const TAKEOVER: &str = "permessage-deflate";
const NO_TAKEOVER: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// Counts a thread's allocations: each test has a thread of its own.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    LIVE.set(LIVE.get() + bytes);
    PEAK.set(PEAK.get().max(LIVE.get()));
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

/// The pool is everybody's: what one test takes from it, another would miss.
static ALONE: Mutex<()> = Mutex::const_new(());

fn channel(
    io: Scripted,
    role: Role,
    extensions: &str,
    options: &Options,
) -> WebSocketAdapter<Scripted> {
    let handshake = Handshake::new("/").with_extensions(extensions).unwrap();
    WebSocketAdapter::from_upgraded_with(io, role, handshake, options, BytesMut::new())
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut state = flate2::Compress::new(flate2::Compression::best(), false);
    let mut output = Vec::with_capacity(bytes.len() + 1000);
    state.compress_vec(bytes, &mut output, flate2::FlushCompress::Sync).unwrap();
    output.truncate(output.len() - 4);
    output
}

/// A transport that keeps nothing of what is written.
fn sink(reads: Vec<Read>) -> Scripted {
    let io = Scripted::new(reads);
    io.state().keep = false;
    io
}

/// A connection that has sent and received compressed messages, if that was agreed on, and is
/// idle.
async fn idle(extensions: &str, deflate: Deflate) -> WebSocketAdapter<Scripted> {
    let text: Message = "{\"some\": \"text\"}".repeat(1000).into();
    let frame = frame(FIN_BINARY | RSV1, &deflated(text.as_bytes()), true);
    let io = sink(Vec::new());
    let options = Options::new().deflate(deflate);
    let mut server = channel(io.clone(), Role::Server, extensions, &options);
    if !extensions.is_empty() {
        for _ in 0..3 {
            io.state().reads.push_back(Read::Bytes(frame.clone()));
            assert_eq!(server.next().await.unwrap().unwrap().into_bytes(), text.as_bytes());
            server.send(text.clone()).await.unwrap();
        }
    }
    let silence = Duration::from_secs(1);
    assert!(tokio::time::timeout(silence, server.next()).await.is_err());
    io.state().reads.shrink_to_fit();
    server
}

/// How many bytes each of some connections holds, all there at once.
async fn held(extensions: &str, deflate: Deflate) -> isize {
    let mut connections = Vec::with_capacity(4);
    let before = LIVE.get();
    for _ in 0..4 {
        connections.push(idle(extensions, deflate).await);
    }
    (LIVE.get() - before) / 4
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_that_compressed_without_takeover_holds_next_to_nothing() {
    let _alone = ALONE.lock().await;
    // What the pool and this thread keep is everybody's.
    drop(idle(NO_TAKEOVER, Deflate::new()).await);
    let never = held("", Deflate::new()).await;
    let used = held(NO_TAKEOVER, Deflate::new()).await;
    println!("idle: {never} bytes without, {used} after compressing");
    assert!(used - never <= 256, "{used} bytes, {never} without");
}

#[tokio::test(start_paused = true)]
async fn with_takeover_an_idle_connection_keeps_its_states_until_told_to_forget() {
    let _alone = ALONE.lock().await;
    let takeover = Deflate::new().server_context_takeover().client_context_takeover();
    let never = held("", takeover).await;
    // Levels of their own, which no state in the pool has.
    let kept = held(TAKEOVER, takeover.level(8)).await - never;
    let forget_after = Duration::from_millis(400);
    let forgot = held(TAKEOVER, takeover.level(7).forget_after(forget_after)).await - never;
    println!("idle with takeover: {kept} bytes more; {forgot} when it forgot");
    // One compressor is left, in the pool, of those of four.
    assert!((371 << 10..430 << 10).contains(&kept), "{kept}");
    assert!(forgot <= kept - 200_000, "{forgot} of {kept}");
}

/// The peer reads on, though what it could be referred to was forgotten.
#[tokio::test(start_paused = true)]
async fn a_sender_that_forgot_is_understood() {
    let _alone = ALONE.lock().await;
    let deflate = Deflate::new().server_context_takeover().forget_after(Duration::from_secs(1));
    for options in [Options::new(), Options::new().no_keepalive()] {
        let io = Scripted::new([]);
        let options = options.deflate(deflate);
        let mut server = channel(io.clone(), Role::Server, TAKEOVER, &options);
        let text: Message = "what is said again and again ".repeat(30).into();
        let mut lengths = Vec::new();
        for silence in [0, 900, 900, 2100, 0] {
            let silence = Duration::from_millis(silence);
            assert!(tokio::time::timeout(silence, server.next()).await.is_err());
            let before = io.state().written.len();
            server.send(text.clone()).await.unwrap();
            lengths.push(io.state().written.len() - before);
        }
        let (whole, again) = (lengths[0], lengths[1]);
        assert!(again < whole / 2);
        assert_eq!(lengths, [whole, again, again, whole, again]);

        let written = io.state().written.clone();
        let io = Scripted::new([Read::Bytes(written)]);
        let mut client = channel(io, Role::Client, TAKEOVER, &Options::new());
        for _ in 0..5 {
            assert_eq!(client.next().await.unwrap().unwrap(), text);
        }
    }
}

/// SD-13, CD-02: a mebibyte that would become a gibibyte.
#[tokio::test(start_paused = true)]
async fn a_bomb_is_stopped_within_the_limit() {
    let _alone = ALONE.lock().await;
    let zeros = vec![0; 64 << 20];
    // The end of one flush is the start of the next: what stands for 64 MiB, again and again.
    let piece = [&deflated(&zeros)[..], &[0, 0, 0xFF, 0xFF]].concat();
    drop(zeros);
    let bomb = piece.repeat(16);
    assert!(bomb.len() <= (1 << 20) + (1 << 16), "{}", bomb.len());
    for limit in [100, 1 << 20, 10_000_000, 16 << 20] {
        for extensions in [TAKEOVER, NO_TAKEOVER] {
            for fragment in [4096, bomb.len()] {
                let mut bytes = Vec::new();
                for (at, part) in bomb.chunks(fragment).enumerate() {
                    let first = if at == 0 { 0x02 | RSV1 } else { 0x00 };
                    bytes.extend(frame(first, part, false));
                }
                let io = sink(vec![Read::Bytes(bytes)]);
                let options = Options::new().max_message_size(limit);
                let mut client = channel(io, Role::Client, extensions, &options);
                let before = LIVE.get();
                PEAK.set(before);
                // It may be that the peer still has to read why.
                let first = client.next().now_or_never();
                let peak = PEAK.get() - before;
                let found = match first {
                    Some(found) => found,
                    None => client.next().await,
                };
                let is_too_big = matches!(found, Some(Err(Error::MessageTooBig { .. })));
                assert!(is_too_big, "{found:?}");
                assert!(peak <= signed(limit + limit / 100 + (160 << 10)), "{peak} of {limit}");
            }
        }
    }
}

/// Few bytes of a peer that then says no more hold few bytes of memory.
#[tokio::test(start_paused = true)]
async fn a_frame_that_is_not_whole_holds_no_state() {
    let _alone = ALONE.lock().await;
    let whole = frame(FIN_BINARY | RSV1, &deflated(&vec![7; 10_000_000]), true);
    assert!(whole.len() > 9000);
    let begun = frame(0x02 | RSV1, b"", true);
    for bytes in [&whole[..1], &whole[..20], &whole[..9000], &begun] {
        let io = sink(vec![Read::Bytes(bytes.to_vec())]);
        let mut server = channel(io, Role::Server, NO_TAKEOVER, &Options::new());
        let before = LIVE.get();
        assert!(server.next().now_or_never().is_none());
        let held = LIVE.get() - before;
        assert!(held <= 34 << 10, "{held} for {}", bytes.len());
    }
}

/// SD-18.
#[tokio::test(start_paused = true)]
async fn empty_blocks_without_end_take_no_memory() {
    let _alone = ALONE.lock().await;
    let blocks = [0, 0, 0, 0xFF, 0xFF].repeat(200_000);
    let payload = [&blocks[..], &[0]].concat();
    let io = sink(vec![Read::Bytes(frame(FIN_BINARY | RSV1, &payload, false))]);
    let mut client = channel(io, Role::Client, NO_TAKEOVER, &Options::new());
    let before = LIVE.get();
    PEAK.set(before);
    assert!(client.next().await.unwrap().unwrap().is_empty());
    assert!(PEAK.get() - before <= 200 << 10);
}

/// What is accepted for a peer that does not read is bounded as it is without compression.
#[tokio::test(start_paused = true)]
async fn a_large_message_is_compressed_as_it_is_written() {
    let _alone = ALONE.lock().await;
    let io = sink(Vec::new());
    io.state().write = scripted::Write::Stuck;
    let mut server = channel(io.clone(), Role::Server, NO_TAKEOVER, &Options::new());
    // Noise would go out as it is.
    let message: Message = (0..16_u32 << 20)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 27) as u8)
        .collect::<Vec<u8>>()
        .into();
    let before = LIVE.get();
    PEAK.set(before);
    assert!(server.send(message.clone()).now_or_never().is_none());
    assert!(PEAK.get() - before <= 800 << 10, "{}", PEAK.get() - before);
    io.state().write = scripted::Write::Take(10_000);
    server.flush().await.unwrap();
    assert!(io.state().bytes_written < 12 << 20);
    assert!(PEAK.get() - before <= 800 << 10, "{}", PEAK.get() - before);
}
