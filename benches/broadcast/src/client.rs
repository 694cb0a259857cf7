//! All connections of one process: raw sockets that count bytes, and note when each has them all.

mod leaving;

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long connecting, or one round, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connects, and then does a round for each line `count size` of the standard input. Prints `ready`,
/// and for each round the microseconds until the first, the middle, the 99th of a hundred and the
/// last connection had everything. `leave count size` publishes as well, and then has every
/// connection wait for its end: it prints how many were told 1001, and the microseconds.
pub fn run(address: &str, connections: usize) -> std::io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (arrived, mut arrivals) = mpsc::unbounded_channel();
        let (expect, expected) = watch::channel(Some(0));
        let mut writers = Vec::new();
        let mut readers = JoinSet::new();
        for _ in 0..connections {
            let stream = timeout(PATIENCE, open(address)).await.expect("in time")?;
            let (reader, writer) = stream.into_split();
            let number = writers.len();
            writers.push(writer);
            let counted = count(reader, arrived.clone(), expected.clone());
            readers.spawn(async move { (number, counted.await) });
        }
        println!("ready");
        std::io::stdout().flush()?;
        let mut total = 0;
        for line in std::io::stdin().lock().lines() {
            let order = line?;
            if let Some(order) = order.strip_prefix("leave ") {
                expect.send(None).expect("the connections wait");
                let mut streams = Vec::with_capacity(connections);
                while let Some(ended) = readers.join_next().await {
                    let (number, reader) = ended.expect("it counted");
                    streams.push((number, reader));
                }
                streams.sort_unstable_by_key(|(number, _)| *number);
                let readers = streams.into_iter().map(|(_, reader)| reader);
                let order = masked(format!("publish {order}").as_bytes());
                leaving::leave(readers.zip(writers).collect(), &order).await?;
                return Ok(());
            }
            let (count, size) = order.split_once(' ').expect("a count and a size");
            let (count, size): (usize, usize) = (number(count), number(size));
            total += count * (size + header(size));
            expect.send(Some(total)).expect("the connections wait");
            // They wait for bytes before there are any.
            tokio::task::yield_now().await;
            let start = Instant::now();
            writers[0].write_all(&masked(format!("publish {order}").as_bytes())).await?;
            let mut took = Vec::with_capacity(connections);
            while took.len() < connections {
                let at = timeout(PATIENCE, arrivals.recv()).await.expect("in time");
                took.push(at.expect("the connections live").duration_since(start).as_micros());
            }
            took.sort_unstable();
            let at = |percent: usize| took[(took.len() - 1) * percent / 100];
            println!("{} {} {} {}", at(0), at(50), at(99), at(100));
            std::io::stdout().flush()?;
        }
        Ok(())
    })
}

/// Counts the bytes of one connection up to what is expected, until nothing is any more.
async fn count(
    mut reader: OwnedReadHalf,
    arrived: mpsc::UnboundedSender<Instant>,
    mut expected: watch::Receiver<Option<usize>>,
) -> OwnedReadHalf {
    let mut buffer = [0; 16 << 10];
    let mut read = 0;
    loop {
        let Some(want) = *expected.borrow_and_update() else { return reader };
        if read == want {
            let _ = expected.changed().await;
            continue;
        }
        let n = reader.read(&mut buffer).await.expect("the server is there");
        assert!(n > 0, "the server is there");
        read += n;
        assert!(read <= want, "no more than was published");
        if read == want {
            let _ = arrived.send(Instant::now());
        }
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

/// The length of a server's header.
fn header(size: usize) -> usize {
    match size {
        0..126 => 2,
        126..0x1_0000 => 4,
        _ => 10,
    }
}

/// A short text as a client sends it.
fn masked(text: &[u8]) -> Vec<u8> {
    masked_as(0x81, text)
}

/// A short frame as a client sends it, with a key of zeros.
fn masked_as(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("is short");
    assert!(length < 126);
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

async fn open(address: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    Ok(stream)
}
