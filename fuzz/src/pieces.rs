//! A transport that gives bytes in pieces, keeps what is written, and then ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The transport.
#[derive(Debug)]
pub struct Pieces {
    input: Vec<u8>,
    at: usize,
    /// The next sizes; 0 is all there is.
    sizes: u64,
    fixed: Option<usize>,
    /// Whether the last read was pending.
    rested: bool,
    /// Whether it is over when all has been read.
    ends: bool,
    pub written: Vec<u8>,
}

impl Pieces {
    fn new(bytes: &[u8], sizes: u64, fixed: Option<usize>) -> Self {
        let (input, written) = (bytes.to_vec(), Vec::new());
        Self { input, at: 0, sizes, fixed, rested: false, ends: true, written }
    }

    #[allow(dead_code, reason = "not every target sends")]
    /// Nothing comes, and it does not end; every other write has to wait.
    pub fn none() -> Self {
        Self { ends: false, ..Self::new(&[], 0, None) }
    }

    /// All in one.
    pub fn whole(bytes: &[u8]) -> Self {
        Self::new(bytes, 0, Some(usize::MAX))
    }

    /// One byte at a time.
    pub fn single(bytes: &[u8]) -> Self {
        Self::new(bytes, 0, Some(1))
    }

    /// In pieces of 1 to 64 bytes that `seed` decides.
    pub fn cut(bytes: &[u8], seed: u8) -> Self {
        Self::new(bytes, u64::from(seed), None)
    }

    fn size(&mut self) -> usize {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        self.sizes =
            self.sizes.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        1 + (self.sizes >> 58) as usize
    }
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ends {
            return Poll::Pending;
        }
        self.rested = !self.rested;
        if self.rested {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let size = self.size().min(buffer.remaining()).min(self.input.len() - self.at);
        let end = self.at + size;
        buffer.put_slice(&self.input[self.at..end]);
        self.at = end;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.ends {
            self.written.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        self.rested = !self.rested;
        if self.rested {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let size = (64 * self.size()).min(bytes.len());
        self.written.extend_from_slice(&bytes[..size]);
        Poll::Ready(Ok(size))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
