//! The halves of any channel, for two tasks or for two adapters.
//!
//! As with the halves of a `WebSocketChannel`, the channel stands behind a lock that is held for one
//! poll, and is polled with a waker that wakes whichever half is waiting.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use futures::{Sink, Stream};

use super::waiting::{Half, Waiting};

/// How many items a poll of the sink half drops at most, when the stream half is gone.
const DISCARDED: usize = 64;

pub(super) fn halves<C>(channel: C) -> (SinkHalf<C>, StreamHalf<C>) {
    let waiting = Arc::new(Waiting::default());
    let shared = Arc::new(Shared {
        waker: Waker::from(Arc::clone(&waiting)),
        waiting,
        stream_dropped: AtomicBool::new(false),
        channel: Mutex::new(Box::pin(channel)),
    });
    (SinkHalf { shared: Arc::clone(&shared) }, StreamHalf { shared })
}

struct Shared<C> {
    waiting: Arc<Waiting>,
    /// `waiting`, as the channel sees it.
    waker: Waker,
    stream_dropped: AtomicBool,
    channel: Mutex<Pin<Box<C>>>,
}

impl<C> Shared<C> {
    /// The channel. A panic in it through one half does not take the other half down.
    fn lock(&self) -> MutexGuard<'_, Pin<Box<C>>> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll<T>(
        &self,
        half: &Half,
        cx: &Context<'_>,
        poll: impl FnOnce(Pin<&mut C>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        half.poll(cx, || poll(self.lock().as_mut(), &mut Context::from_waker(&self.waker)))
    }
}

/// The sending half of [`into_halves`](crate::StreamChannelExt::into_halves).
///
/// Dropping it does not close the channel: close it first. The channel ends when both halves are
/// dropped.
#[must_use = "sinks do nothing unless polled"]
pub struct SinkHalf<C> {
    shared: Arc<Shared<C>>,
}

impl<C> SinkHalf<C> {
    /// Whether `stream` is the other half of this channel.
    pub fn is_pair_of(&self, stream: &StreamHalf<C>) -> bool {
        Arc::ptr_eq(&self.shared, &stream.shared)
    }

    /// Puts the halves together again.
    ///
    /// # Errors
    ///
    /// Both halves as they are, if they are not of one channel.
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::{Duplex, duplex};
    ///
    /// let (near, far) = duplex::<u8>(4);
    /// let ((sink, stream), (_, other)) = (near.into_halves(), far.into_halves());
    /// let (sink, _other) = sink.reunite(other).expect_err("of another channel");
    /// let _near: Duplex<u8> = sink.reunite(stream).expect("of one channel");
    /// ```
    pub fn reunite(self, stream: StreamHalf<C>) -> Result<C, (Self, StreamHalf<C>)>
    where
        C: Unpin,
    {
        if !self.is_pair_of(&stream) {
            return Err((self, stream));
        }
        drop(stream);
        match Arc::try_unwrap(self.shared) {
            Ok(shared) => {
                let channel = shared.channel.into_inner().unwrap_or_else(PoisonError::into_inner);
                Ok(*Pin::into_inner(channel))
            }
            // Nobody but the two halves holds it.
            Err(shared) => {
                shared.stream_dropped.store(false, Ordering::Release);
                Err((Self { shared: Arc::clone(&shared) }, StreamHalf { shared }))
            }
        }
    }
}

impl<C: Stream> SinkHalf<C> {
    /// An end that is found here wakes the reader, for whom the channel may not: a failed send leaves
    /// its stream as it is.
    fn poll<E>(
        &self,
        cx: &Context<'_>,
        poll: impl FnOnce(Pin<&mut C>, &mut Context<'_>) -> Poll<Result<(), E>>,
    ) -> Poll<Result<(), E>> {
        let result = self.shared.poll(&self.shared.waiting.sink, cx, |mut channel, cx| {
            if self.shared.stream_dropped.load(Ordering::Acquire) {
                discard(channel.as_mut(), cx);
            }
            poll(channel, cx)
        });
        if matches!(result, Poll::Ready(Err(_))) {
            self.shared.waiting.stream.wake();
        }
        result
    }
}

/// Drops what comes: nobody reads it, but the end has to be noticed.
fn discard<C: Stream>(mut channel: Pin<&mut C>, cx: &mut Context<'_>) {
    for _ in 0..DISCARDED {
        let Poll::Ready(Some(_)) = channel.as_mut().poll_next(cx) else { return };
    }
    // There may be more, for which nothing else wakes this half.
    cx.waker().wake_by_ref();
}

impl<C: Sink<T> + Stream, T> Sink<T> for SinkHalf<C> {
    type Error = C::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.poll(cx, Sink::poll_ready)
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), C::Error> {
        let sent = self.shared.lock().as_mut().start_send(item);
        if sent.is_err() {
            self.shared.waiting.stream.wake();
        }
        sent
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.poll(cx, Sink::poll_flush)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let closed = ready!(self.poll(cx, Sink::poll_close));
        // The end was found here; the stream half may still wait for it.
        self.shared.waiting.stream.wake();
        Poll::Ready(closed)
    }
}

impl<C> fmt::Debug for SinkHalf<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkHalf").finish_non_exhaustive()
    }
}

/// The receiving half of [`into_halves`](crate::StreamChannelExt::into_halves).
///
/// Dropping it does not close the channel: what still comes is then dropped by the sink half, as far
/// as that is polled.
#[must_use = "streams do nothing unless polled"]
pub struct StreamHalf<C> {
    shared: Arc<Shared<C>>,
}

impl<C: Stream> Stream for StreamHalf<C> {
    type Item = C::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<C::Item>> {
        let waiting = &self.shared.waiting;
        let item = ready!(self.shared.poll(&waiting.stream, cx, Stream::poll_next));
        if item.is_none() {
            // The end was found here; the sink half may wait for it or for room.
            waiting.sink.wake();
        }
        Poll::Ready(item)
    }
}

impl<C> Drop for StreamHalf<C> {
    fn drop(&mut self) {
        self.shared.stream_dropped.store(true, Ordering::Release);
        self.shared.waiting.sink.wake();
    }
}

impl<C> fmt::Debug for StreamHalf<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamHalf").finish_non_exhaustive()
    }
}
