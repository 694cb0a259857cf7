//! Bytes come out as they went in, however they are cut.

use futures::SinkExt;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_channel::{Message, Options, Role, WebSocketAdapter, WebSocketChannel};

/// How bytes are written: so many at a time, flushed behind them or not.
fn writes() -> impl Strategy<Value = Vec<(usize, bool)>> {
    vec((0..3000usize, any::<bool>()), 0..30)
}

/// The byte at a place of a stream: no shift of it looks the same.
fn byte(at: usize) -> u8 {
    u8::try_from((at * 31 + at / 251) % 251).unwrap()
}

fn channels(pipe: usize) -> [WebSocketAdapter<tokio::io::DuplexStream>; 2] {
    let (near, far) = tokio::io::duplex(pipe);
    let options = Options::new().write_buffer_size(4000);
    [(near, Role::Client), (far, Role::Server)].map(|(io, role)| {
        let handshake = ws_channel::Handshake::default();
        WebSocketAdapter::from_upgraded_with(io, role, handshake, &options, bytes::BytesMut::new())
    })
}

fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test)
}

async fn read_by<R: tokio::io::AsyncRead + Unpin>(mut io: R, sizes: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for size in sizes.iter().cycle() {
        let mut buffer = vec![0; *size];
        match io.read(&mut buffer).await.unwrap() {
            0 => break,
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read(
        writes in writes(),
        reads in vec(1..2000usize, 1..5),
        frame_size in 1..5000usize,
        pipe in 1..2000usize,
        turned in any::<bool>(),
    ) {
        run(async {
            let mut channels = channels(pipe);
            if turned {
                channels.reverse();
            }
            let [from, to] = channels;
            let total: usize = writes.iter().map(|(length, _)| length).sum();
            let sent: Vec<u8> = (0..total).map(byte).collect();
            let write = async {
                let mut io = from.into_io().frame_size(frame_size);
                let mut rest = &sent[..];
                for (length, flush) in &writes {
                    let (chunk, behind) = rest.split_at(*length);
                    io.write_all(chunk).await.unwrap();
                    rest = behind;
                    if *flush {
                        io.flush().await.unwrap();
                    }
                }
                io.shutdown().await.unwrap();
            };
            let (read, ()) = tokio::join!(read_by(to.into_io(), &reads), write);
            prop_assert_eq!(read, sent);
            Ok(())
        })?;
    }

    #[test]
    fn messages_of_any_size_are_one_stream(
        lengths in vec(0..3000usize, 0..20),
        reads in vec(1..2000usize, 1..5),
        pipe in 1..2000usize,
    ) {
        run(async {
            let [to, mut from] = channels(pipe);
            let send = async {
                let mut at = 0;
                for length in &lengths {
                    let payload: Vec<u8> = (at..at + length).map(byte).collect();
                    from.send(Message::from(payload)).await.unwrap();
                    at += length;
                }
                from.close(1000, "").await.unwrap();
                at
            };
            let (read, total) = tokio::join!(read_by(to.into_io(), &reads), send);
            prop_assert_eq!(read, (0..total).map(byte).collect::<Vec<u8>>());
            Ok(())
        })?;
    }
}
