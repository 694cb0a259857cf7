//! The start of the body of an answer that refused: kept for the error, bounded.

use bytes::{Buf, Bytes, BytesMut};
use httparse::Status;

use crate::protocol::handshake::head::Fields;

/// How much of a body is kept, in bytes.
pub(crate) const BODY_LIMIT: usize = 8 << 10;

/// The longest line that announces a chunk, in bytes.
const CHUNK_LINE_LIMIT: usize = 1 << 10;

/// A body as it arrives.
#[derive(Debug)]
pub(crate) struct Body {
    bytes: BytesMut,
    framing: Framing,
}

/// What ends the body (RFC 9112 §6.3), apart from the limit and the end of the connection.
#[derive(Debug)]
enum Framing {
    Length(u64),
    /// At the line that announces a chunk.
    ChunkLine,
    /// Inside a chunk, with so much to come.
    Chunk(u64),
    /// At the line break behind a chunk.
    ChunkEnd,
    EndOfConnection,
    Done,
}

impl Body {
    pub(crate) fn new(status: u16, fields: &Fields) -> Self {
        let framing = match status {
            100..=199 | 204 | 304 => Framing::Done,
            _ if fields.list_has("transfer-encoding", "chunked") => Framing::ChunkLine,
            _ => match fields.first("content-length").map(parse_length) {
                Some(Some(length)) => Framing::Length(length),
                _ => Framing::EndOfConnection,
            },
        };
        Self { bytes: BytesMut::new(), framing }
    }

    /// Takes what has arrived; tells whether that is all that is wanted.
    pub(crate) fn take(&mut self, input: &mut BytesMut) -> bool {
        loop {
            if self.bytes.len() >= BODY_LIMIT {
                return true;
            }
            match self.framing {
                Framing::Length(0) => self.framing = Framing::Done,
                Framing::Chunk(0) => self.framing = Framing::ChunkEnd,
                Framing::Done => return true,
                _ if input.is_empty() => return false,
                Framing::Length(left) => self.framing = Framing::Length(self.keep(input, left)),
                Framing::Chunk(left) => self.framing = Framing::Chunk(self.keep(input, left)),
                Framing::EndOfConnection => {
                    self.keep(input, u64::MAX);
                }
                Framing::ChunkEnd => match &input[..] {
                    [b'\r'] => return false,
                    [b'\r', b'\n', ..] => {
                        input.advance(2);
                        self.framing = Framing::ChunkLine;
                    }
                    _ => self.framing = Framing::Done,
                },
                Framing::ChunkLine => match httparse::parse_chunk_size(input) {
                    Ok(Status::Complete((line, size))) if size > 0 => {
                        input.advance(line);
                        self.framing = Framing::Chunk(size);
                    }
                    Ok(Status::Partial) if input.len() < CHUNK_LINE_LIMIT => return false,
                    // The last chunk, or not one.
                    _ => self.framing = Framing::Done,
                },
            }
        }
    }

    /// What there is of it.
    pub(crate) fn split(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }

    /// Keeps at most `left` bytes of the input, within the limit; returns how many are then left.
    fn keep(&mut self, input: &mut BytesMut, left: u64) -> u64 {
        let room = BODY_LIMIT.saturating_sub(self.bytes.len()).min(input.len());
        let n = usize::try_from(left).map_or(room, |left| left.min(room));
        self.bytes.extend_from_slice(&input.split_to(n));
        left.saturating_sub(n as u64)
    }
}

fn parse_length(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(framing: Framing, input: &[u8]) -> (bool, Bytes) {
        let mut whole = Body { bytes: BytesMut::new(), framing };
        let done = whole.take(&mut BytesMut::from(input));
        (done, whole.split())
    }

    #[test]
    fn a_body_ends_with_its_length() {
        assert_eq!(body(Framing::Length(3), b"abcd"), (true, Bytes::from("abc")));
        assert_eq!(body(Framing::Length(3), b"ab"), (false, Bytes::from("ab")));
        assert_eq!(body(Framing::Length(0), b""), (true, Bytes::new()));
    }

    #[test]
    fn a_chunked_body_is_joined_in_any_segmentation() {
        let chunked = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(body(Framing::ChunkLine, chunked), (true, Bytes::from("abcde")));
        let mut slow = Body { bytes: BytesMut::new(), framing: Framing::ChunkLine };
        let mut input = BytesMut::new();
        let mut done = false;
        for byte in chunked {
            input.extend_from_slice(&[*byte]);
            done = slow.take(&mut input);
        }
        assert!(done);
        assert_eq!(slow.split(), "abcde");
    }

    #[test]
    fn a_body_is_cut_at_the_limit() {
        let long = vec![b'a'; BODY_LIMIT + 10];
        for framing in
            [Framing::Length(u64::MAX), Framing::EndOfConnection, Framing::Chunk(u64::MAX)]
        {
            let (done, kept) = body(framing, &long);
            assert!(done && kept.len() == BODY_LIMIT);
        }
    }

    #[test]
    fn broken_chunks_end_the_body() {
        for broken in ["xyz", "3\r\nabcde", "ffffffffffffffffff\r\n", &"1".repeat(2000)] {
            let (done, _) = body(Framing::ChunkLine, broken.as_bytes());
            assert!(done, "{broken}");
        }
    }

    #[test]
    fn an_announced_length_costs_nothing() {
        let mut announced = Body { bytes: BytesMut::new(), framing: Framing::Length(u64::MAX) };
        assert!(!announced.take(&mut BytesMut::from("a")));
        assert!(announced.bytes.capacity() < 1024);
    }
}
