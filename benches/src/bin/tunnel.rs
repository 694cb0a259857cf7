//! One GiB of TCP through a tunnel: plain, in a WebSocket of this crate, and in one of
//! `ws_stream_tungstenite`.
//!
//! A program writes to a relay, that to a second relay, and that to a service that checks every byte.
//! Between the relays the bytes go as the contender carries them; all else is the same. Each part
//! has a task of its own on a runtime with two threads, all over loopback. Nothing is compressed:
//! `ws_stream_tungstenite` cannot, and what goes through a tunnel mostly is already.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --features tunnel --bin tunnel [-- MIB [ROUNDS]]`

use std::env;
use std::future::Future;
use std::io;
use std::time::Instant;

use async_tungstenite::tokio::{accept_async, client_async};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional_with_sizes,
};
use tokio::net::{TcpListener, TcpStream};
use ws_channel::{WebSocketAdapter, WebSocketChannel};
use ws_stream_tungstenite::WsStream;

/// How many bytes are copied at a time.
const CHUNK: usize = 64 << 10;

/// How many bytes the program writes at a time, which no chunk divides.
const PIECE: usize = 1_000_003;

/// Who carries, from the first relay to the second.
#[derive(Clone, Copy)]
enum Contender {
    Tcp,
    WsChannel,
    WsStreamTungstenite,
}

impl Contender {
    const ALL: [(Self, &str); 3] = [
        (Self::Tcp, "plain TCP"),
        (Self::WsChannel, "ws_channel, `into_io`"),
        (Self::WsStreamTungstenite, "ws_stream_tungstenite"),
    ];
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1).map(|text| text.parse::<usize>().expect("a number"));
    let mebibytes = arguments.next().unwrap_or(1024);
    let rounds = arguments.next().unwrap_or(3);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!(
        "| {mebibytes} MiB, best of {rounds} | there, MiB/s | CPU, s | back, MiB/s | CPU, s |"
    );
    println!("|---|--:|--:|--:|--:|");
    let mut best = [[(f64::MAX, f64::MAX); 2]; Contender::ALL.len()];
    for _ in 0..rounds {
        for (row, (contender, _)) in best.iter_mut().zip(Contender::ALL) {
            for (cell, back) in row.iter_mut().zip([false, true]) {
                let (start, cpu) = (Instant::now(), cpu());
                runtime.block_on(pass(contender, mebibytes << 20, back))?;
                cell.0 = cell.0.min(start.elapsed().as_secs_f64());
                cell.1 = cell.1.min(self::cpu() - cpu);
            }
        }
    }
    for (row, (_, name)) in best.iter().zip(Contender::ALL) {
        let cells = row.map(|(time, cpu)| format!("{:.0} | {cpu:.2}", mebibytes as f64 / time));
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}

/// Sends `length` bytes from the program to the service, or back, and checks them.
async fn pass(contender: Contender, length: usize, back: bool) -> io::Result<()> {
    let [entry, exit, service] = [listen().await?, listen().await?, listen().await?];
    let (to_entry, to_exit, to_service) =
        (entry.local_addr()?, exit.local_addr()?, service.local_addr()?);
    let first = tokio::spawn(async move {
        let (program, _) = entry.accept().await?;
        let tcp = connect(to_exit).await?;
        let url = "ws://127.0.0.1/";
        match contender {
            Contender::Tcp => relay(program, tcp).await,
            Contender::WsChannel => {
                let channel = WebSocketAdapter::client(tcp, url).no_deflate().await?;
                relay(program, channel.into_io()).await
            }
            Contender::WsStreamTungstenite => {
                let (stream, _) = client_async(url, tcp).await.map_err(io::Error::other)?;
                relay(program, WsStream::new(stream)).await
            }
        }
    });
    let second = tokio::spawn(async move {
        let (tcp, _) = exit.accept().await?;
        tcp.set_nodelay(true)?;
        let service = connect(to_service).await?;
        match contender {
            Contender::Tcp => relay(tcp, service).await,
            Contender::WsChannel => {
                let channel = WebSocketAdapter::accept(tcp).no_deflate().await?;
                relay(channel.into_io(), service).await
            }
            Contender::WsStreamTungstenite => {
                let stream = accept_async(tcp).await.map_err(io::Error::other)?;
                relay(WsStream::new(stream), service).await
            }
        }
    });
    let served = tokio::spawn(async move {
        let (tcp, _) = service.accept().await?;
        if back { send(tcp, length).await } else { receive(tcp, length).await }
    });
    let program = connect(to_entry).await?;
    let asked = async move {
        if back { receive(program, length).await } else { send(program, length).await }
    };
    let (asked, served, first, second) = tokio::join!(asked, served, first, second);
    asked.and(served?)?;
    // How the relays end is not what is measured: what arrived has been checked.
    drop((first?, second?));
    Ok(())
}

async fn listen() -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).await
}

async fn connect(address: std::net::SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn relay<A, B>(mut from: A, mut to: B) -> impl Future<Output = io::Result<(u64, u64)>>
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    async move { copy_bidirectional_with_sizes(&mut from, &mut to, CHUNK, CHUNK).await }
}

/// Bytes of which no shift looks the same; each piece is the same.
fn piece() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..=PIECE / 8).flat_map(|_| next()).collect();
    bytes.truncate(PIECE);
    bytes
}

/// Sends, and waits until the other end has seen it all.
async fn send(mut tcp: TcpStream, length: usize) -> io::Result<()> {
    let piece = piece();
    let mut left = length;
    while left > 0 {
        let part = &piece[..left.min(PIECE)];
        tcp.write_all(part).await?;
        left -= part.len();
    }
    tcp.flush().await?;
    match tcp.read_u8().await? {
        b'!' => Ok(()),
        other => Err(io::Error::other(format!("{other} is no receipt"))),
    }
}

/// Receives, checks every byte, and says so.
async fn receive(mut tcp: TcpStream, length: usize) -> io::Result<()> {
    let expected = piece();
    let mut piece = vec![0; PIECE];
    let mut left = length;
    while left > 0 {
        let part = left.min(PIECE);
        tcp.read_exact(&mut piece[..part]).await?;
        if piece[..part] != expected[..part] {
            return Err(io::Error::other("what came is not what was sent"));
        }
        left -= part;
    }
    tcp.write_u8(b'!').await?;
    // The sender ends it, so that the receipt is not lost with the connection.
    let _ = tcp.read_u8().await;
    Ok(())
}

/// Seconds of CPU time of this process.
fn cpu() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec to write to.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "this system has no clock for CPU time");
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
