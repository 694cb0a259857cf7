//! Two channels that are connected in memory.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::{Sink, Stream};

use super::Closed;
use super::close_guarantee::keep;

/// Makes two connected channels: what one sends, the other receives.
///
/// For two tasks that talk, and for tests of what takes any channel. Each direction holds up to
/// `capacity` items (at least one); then sending waits for the reader. Nothing is allocated for an
/// item once a direction has been as full as it gets.
///
/// Both ends keep the [rules](crate::stream_channel#rules). What was sent before an end was closed or
/// dropped is still received. [`Duplex::pair`] makes ends with an error type of their own, which can
/// send errors, too.
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::stream_channel::{Closed, duplex};
///
/// # futures::executor::block_on(async {
/// let (mut near, mut far) = duplex(16);
/// near.send("hello").await?;
/// near.close().await?;
/// assert_eq!(far.next().await, Some(Ok("hello")));
/// assert_eq!(far.next().await, None);
/// assert_eq!(far.send("too late").await, Err(Closed::Ended));
/// # Ok::<_, Closed>(())
/// # }).unwrap();
/// ```
///
/// Without an error type of their own the ends cannot fail:
///
/// ```compile_fail,E0308
/// let (mut near, _far) = ws_channel::stream_channel::duplex::<u8>(16);
/// near.send_error(std::io::Error::other("lost"));
/// ```
#[doc(alias = "StreamChannelController")]
pub fn duplex<T>(capacity: usize) -> (Duplex<T>, Duplex<T>) {
    pair(capacity)
}

/// One end of [`duplex`].
///
/// Closing it ends both directions: its own stream at once, and the other end's after what was sent
/// before. So does dropping it.
///
/// # Cancellation safety
///
/// An item is sent whole or not at all; nothing is lost when a `next` is dropped.
#[must_use = "channels do nothing unless polled"]
pub struct Duplex<T, E = Closed> {
    /// What this end receives.
    incoming: Arc<Direction<T, E>>,
    /// What it sends.
    outgoing: Arc<Direction<T, E>>,
}

impl<T, E: From<Closed>> Duplex<T, E> {
    /// Makes two connected channels as [`duplex`] does, whose error type is `E`.
    ///
    /// ```
    /// use std::io;
    ///
    /// use futures::StreamExt;
    /// use ws_channel::stream_channel::Duplex;
    ///
    /// # futures::executor::block_on(async {
    /// let (mut near, mut far) = Duplex::<u8, io::Error>::pair(16);
    /// near.send_error(io::ErrorKind::TimedOut.into())?;
    /// assert_eq!(far.next().await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    /// # io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "allowForeignErrors")]
    pub fn pair(capacity: usize) -> (Self, Self) {
        pair(capacity)
    }

    /// Sends an error: an item of the other end's stream, after what was sent before.
    ///
    /// The channel goes on. It does not wait for room, so whoever sends many errors calls
    /// `poll_ready` first.
    ///
    /// # Errors
    ///
    /// [`Closed`] if either end is closed or dropped.
    #[doc(alias = "addError")]
    pub fn send_error(&mut self, error: E) -> Result<(), E> {
        self.outgoing.push(Err(error))
    }
}

impl<T, E> Duplex<T, E> {
    fn close(&self) {
        self.outgoing.end();
        self.incoming.stop();
    }
}

impl<T, E> Stream for Duplex<T, E> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_pop(cx)
    }
}

impl<T, E: From<Closed>> Sink<T> for Duplex<T, E> {
    type Error = E;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.outgoing.poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), E> {
        self.outgoing.push(Ok(item))
    }

    /// What was sent is at the other end at once.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl<T, E> Drop for Duplex<T, E> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T, E> fmt::Debug for Duplex<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duplex")
            .field("incoming", &self.incoming.lock().queue.len())
            .field("outgoing", &self.outgoing.lock().queue.len())
            .finish()
    }
}

fn pair<T, E>(capacity: usize) -> (Duplex<T, E>, Duplex<T, E>) {
    let (there, back) = (Arc::new(Direction::new(capacity)), Arc::new(Direction::new(capacity)));
    let near = Duplex { incoming: Arc::clone(&back), outgoing: Arc::clone(&there) };
    (near, Duplex { incoming: there, outgoing: back })
}

/// One direction. Wakers are called and dropped, and items dropped, outside its lock: each may use a
/// channel.
struct Direction<T, E> {
    capacity: usize,
    state: Mutex<State<T, E>>,
}

struct State<T, E> {
    queue: VecDeque<Result<T, E>>,
    /// Nothing more is sent.
    ended: bool,
    /// Nothing more is received.
    stopped: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl<T, E> Direction<T, E> {
    fn new(capacity: usize) -> Self {
        let state = State {
            queue: VecDeque::new(),
            ended: false,
            stopped: false,
            reader: None,
            writer: None,
        };
        Self { capacity: capacity.max(1), state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_pop(&self, cx: &Context<'_>) -> Poll<Option<Result<T, E>>> {
        let mut state = self.lock();
        if state.stopped {
            return Poll::Ready(None);
        }
        let Some(item) = state.queue.pop_front() else {
            if state.ended {
                return Poll::Ready(None);
            }
            let before = keep(&mut state.reader, cx);
            drop(state);
            drop(before);
            return Poll::Pending;
        };
        let writer = if state.queue.len() < self.capacity { state.writer.take() } else { None };
        drop(state);
        wake(writer);
        Poll::Ready(Some(item))
    }

    fn poll_room<F: From<Closed>>(&self, cx: &Context<'_>) -> Poll<Result<(), F>> {
        let mut state = self.lock();
        if state.ended || state.stopped {
            return Poll::Ready(Err(Closed::Ended.into()));
        }
        if state.queue.len() < self.capacity {
            return Poll::Ready(Ok(()));
        }
        let before = keep(&mut state.writer, cx);
        drop(state);
        drop(before);
        Poll::Pending
    }

    fn push(&self, item: Result<T, E>) -> Result<(), E>
    where
        E: From<Closed>,
    {
        let mut state = self.lock();
        if state.ended || state.stopped {
            drop(state);
            return Err(Closed::Ended.into());
        }
        state.queue.push_back(item);
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        Ok(())
    }

    /// The sending end is done.
    fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        let (reader, writer) = (state.reader.take(), state.writer.take());
        drop(state);
        wake(reader);
        wake(writer);
    }

    /// The receiving end is done.
    fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let unread = std::mem::take(&mut state.queue);
        let (reader, writer) = (state.reader.take(), state.writer.take());
        drop(state);
        wake(reader);
        wake(writer);
        drop(unread);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
