//! A transport whose every poll is written down beforehand, and counted.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "a length is cast to what it was matched to fit"
)]

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a poll of the reading side gives.
#[derive(Debug)]
pub(crate) enum Read {
    Bytes(Vec<u8>),
    /// Pending, woken at once.
    Later,
    Fail(io::ErrorKind),
    End,
    Panic,
}

/// What polls of the writing side do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// Take at most so many bytes.
    Take(usize),
    /// Pending, never woken.
    Stuck,
    /// Claim to have taken nothing.
    Nothing,
    Fail(io::ErrorKind),
    Panic,
}

#[derive(Debug)]
pub(crate) struct State {
    /// What reads give, in order; then they are pending.
    pub(crate) reads: VecDeque<Read>,
    pub(crate) write: Write,
    /// Whether a flush gets through.
    pub(crate) flush: bool,
    /// What was written, if it is kept.
    pub(crate) written: Vec<u8>,
    pub(crate) keep: bool,
    pub(crate) bytes_written: usize,
    pub(crate) read_polls: usize,
    pub(crate) write_polls: usize,
    pub(crate) shutdowns: usize,
}

/// The transport; clones share it, so that a test keeps one to look.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    state: Arc<Mutex<State>>,
}

impl Scripted {
    pub(crate) fn new(reads: impl IntoIterator<Item = Read>) -> Self {
        let state = State {
            reads: reads.into_iter().collect(),
            write: Write::Take(usize::MAX),
            flush: true,
            written: Vec::new(),
            keep: true,
            bytes_written: 0,
            read_polls: 0,
            write_polls: 0,
            shutdowns: 0,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// A transport that writes as `write` says.
    pub(crate) fn writing(write: Write) -> Self {
        let io = Self::new([]);
        io.state().write = write;
        io
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl AsyncRead for Scripted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.state();
        state.read_polls += 1;
        match state.reads.pop_front() {
            Some(Read::Bytes(mut bytes)) => {
                let taken = bytes.len().min(buffer.remaining());
                buffer.put_slice(&bytes[..taken]);
                if taken < bytes.len() {
                    bytes.drain(..taken);
                    state.reads.push_front(Read::Bytes(bytes));
                }
                Poll::Ready(Ok(()))
            }
            Some(Read::Later) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Read::Fail(kind)) => Poll::Ready(Err(kind.into())),
            Some(Read::End) => {
                state.reads.push_front(Read::End);
                Poll::Ready(Ok(()))
            }
            Some(Read::Panic) => {
                drop(state);
                panic!("the transport panics in a read")
            }
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        state.write_polls += 1;
        match state.write {
            Write::Take(most) => {
                let taken = bytes.len().min(most);
                state.bytes_written += taken;
                if state.keep {
                    state.written.extend_from_slice(&bytes[..taken]);
                }
                Poll::Ready(Ok(taken))
            }
            Write::Stuck => Poll::Pending,
            Write::Nothing => Poll::Ready(Ok(0)),
            Write::Fail(kind) => Poll::Ready(Err(kind.into())),
            Write::Panic => {
                drop(state);
                panic!("the transport panics in a write")
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state().flush { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().shutdowns += 1;
        Poll::Ready(Ok(()))
    }
}

/// The mask key of the frames below.
pub(crate) const KEY: [u8; 4] = [0x5A, 0x01, 0xF0, 0x77];

/// A frame; masked as a client's if `masked`.
pub(crate) fn frame(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64, masked);
    if masked {
        bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        bytes.extend_from_slice(payload);
    }
    bytes
}

/// A frame's header, in its shortest form.
pub(crate) fn header(first: u8, length: u64, masked: bool) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(length as u8),
        126..=0xFFFF => {
            bytes.push(126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    if masked {
        bytes[1] |= 0x80;
        bytes.extend_from_slice(&KEY);
    }
    bytes
}
