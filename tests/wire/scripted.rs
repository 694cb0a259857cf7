//! A transport without a runtime, whose every step the test decides.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The end that a channel gets.
#[derive(Debug)]
pub struct Scripted(Arc<Mutex<State>>);

/// The end that the test keeps.
#[derive(Clone, Debug)]
pub struct Script(Arc<Mutex<State>>);

/// What a transport has been given and was asked for.
#[derive(Debug, Default)]
pub struct State {
    /// What can be read; each chunk takes a read of its own.
    pub input: VecDeque<Vec<u8>>,
    /// Whether input ends behind `input`.
    pub ended: bool,
    /// What was written, one entry a write.
    pub writes: Vec<Vec<u8>>,
    /// How many bytes can still be written.
    pub room: usize,
    pub flushes: usize,
    pub shut_down: bool,
    pub dropped: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// A transport with nothing to read and all the room to write.
pub fn scripted() -> (Scripted, Script) {
    let state = Arc::new(Mutex::new(State { room: usize::MAX, ..State::default() }));
    (Scripted(Arc::clone(&state)), Script(state))
}

impl Script {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Lets the channel read `bytes`, with one read.
    pub fn give(&self, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state();
        state.input.push_back(bytes.into());
        wake(state.reader.take());
    }

    /// Ends the input.
    pub fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        wake(state.reader.take());
    }

    /// Lets the channel write `bytes` more, or none.
    pub fn set_room(&self, bytes: usize) {
        let mut state = self.state();
        state.room = bytes;
        if bytes != 0 {
            wake(state.writer.take());
        }
    }

    /// What has been written since this was asked last, one entry a write.
    pub fn take_writes(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.state().writes)
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Scripted {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl AsyncRead for Scripted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if let Some(mut chunk) = state.input.pop_front() {
            let length = chunk.len().min(buffer.remaining());
            buffer.put_slice(&chunk[..length]);
            if length < chunk.len() {
                state.input.push_front(chunk.split_off(length));
            }
            return Poll::Ready(Ok(()));
        }
        if state.ended {
            return Poll::Ready(Ok(()));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        if state.room == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let length = bytes.len().min(state.room);
        if state.room != usize::MAX {
            state.room -= length;
        }
        state.writes.push(bytes[..length].to_vec());
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().shut_down = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.state().dropped = true;
    }
}
