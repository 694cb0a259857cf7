//! A channel whose stream ends when its sink is closed.

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures::{Sink, Stream};
use pin_project_lite::pin_project;

pin_project! {
    /// The channel of [`with_close_guarantee`](crate::StreamChannelExt::with_close_guarantee).
    ///
    /// # Cancellation safety
    ///
    /// As the channel inside.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt, channel::mpsc};
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::join;
    ///
    /// # futures::executor::block_on(async {
    /// let (out, _sent) = mpsc::channel::<u8>(8);
    /// let (mut feed, coming) = mpsc::channel::<u8>(8);
    /// let mut channel = join(coming.map(Ok), out).with_close_guarantee();
    ///
    /// feed.send(1).await?;
    /// channel.close().await?;
    /// // It was there to be read; but the channel is closed.
    /// assert_eq!(channel.next().await, None);
    /// # Ok::<_, mpsc::SendError>(())
    /// # }).unwrap();
    /// ```
    #[derive(Debug)]
    #[must_use = "channels do nothing unless polled"]
    pub struct CloseGuarantee<C> {
        #[pin]
        inner: C,
        closing: bool,
        // Whoever reads may be another task than the one that closes.
        reader: Option<Waker>,
    }
}

impl<C> CloseGuarantee<C> {
    pub(super) fn new(inner: C) -> Self {
        Self { inner, closing: false, reader: None }
    }

    /// The channel itself.
    pub fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The channel itself.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// The channel itself.
    pub fn into_inner(self) -> C {
        self.inner
    }
}

impl<C: Stream> Stream for CloseGuarantee<C> {
    type Item = C::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<C::Item>> {
        let this = self.project();
        if *this.closing {
            return Poll::Ready(None);
        }
        let item = this.inner.poll_next(cx);
        if item.is_pending() {
            drop(keep(this.reader, cx));
        }
        item
    }
}

impl<C: Sink<T>, T> Sink<T> for CloseGuarantee<C> {
    type Error = C::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.project().inner.poll_ready(cx)
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), C::Error> {
        self.project().inner.start_send(item)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.project().inner.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let this = self.project();
        *this.closing = true;
        let closed = this.inner.poll_close(cx);
        if let Some(reader) = this.reader.take() {
            reader.wake();
        }
        Poll::Ready(ready!(closed))
    }
}

/// Keeps the task of `cx` in `waker`. Returns what was there before, if it was another.
pub(super) fn keep(waker: &mut Option<Waker>, cx: &Context<'_>) -> Option<Waker> {
    if waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
        return None;
    }
    waker.replace(cx.waker().clone())
}
