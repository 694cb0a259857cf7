//! The end of all connections, while the server is publishing.

use std::io::Write;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{PATIENCE, masked_as};

/// Has the server publish, says so with a line, and waits for every connection's end. Prints how
/// many of them were told 1001, and how many microseconds it took.
pub async fn leave(
    mut streams: Vec<(OwnedReadHalf, OwnedWriteHalf)>,
    order: &[u8],
) -> std::io::Result<()> {
    let start = Instant::now();
    streams[0].1.write_all(order).await?;
    println!("publishing");
    std::io::stdout().flush()?;
    let mut ends = JoinSet::new();
    for (reader, writer) in streams {
        ends.spawn(timeout(PATIENCE, end(reader, writer)));
    }
    let mut told = 0;
    while let Some(ended) = ends.join_next().await {
        told += usize::from(ended?.is_ok_and(|code| code.is_ok_and(|code| code == 1001)));
    }
    println!("{told} {}", start.elapsed().as_micros());
    std::io::stdout().flush()
}

/// Reads messages, answers the Close frame behind them, and waits for the end of TCP. The code.
async fn end(reader: OwnedReadHalf, mut writer: OwnedWriteHalf) -> std::io::Result<u16> {
    let mut reader = BufReader::new(reader);
    loop {
        let first = reader.read_u8().await?;
        let length = match reader.read_u8().await? {
            126 => usize::from(reader.read_u16().await?),
            length => usize::from(length),
        };
        let mut payload = vec![0; length];
        reader.read_exact(&mut payload).await?;
        if first == 0x88 {
            writer.write_all(&masked_as(0x88, &payload)).await?;
            let end = reader.read(&mut [0]).await?;
            assert_eq!(end, 0, "nothing comes behind a Close frame");
            return Ok(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code)));
        }
    }
}
