//! A byte stream that plays frames when it is told to: the other end of an idle connection, at next
//! to no memory.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that a read gives at most, as a socket gives a segment: nothing is told from how much
/// there is at once.
const SEGMENT: usize = 16 << 10;

/// What is left to read, and who waits for it.
#[derive(Default)]
struct Part {
    rest: &'static [u8],
    reader: Option<Waker>,
}

/// The stream; what is written to it is gone.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<Part>>);

impl Script {
    /// Makes `frames` readable.
    pub fn play(&self, frames: &'static [u8]) {
        let mut part = self.part();
        part.rest = frames;
        if let Some(reader) = part.reader.take() {
            reader.wake();
        }
    }

    fn part(&self) -> MutexGuard<'_, Part> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Script {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut part = self.part();
        if part.rest.is_empty() {
            part.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (now, later) = part.rest.split_at(part.rest.len().min(buf.remaining()).min(SEGMENT));
        buf.put_slice(now);
        part.rest = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
