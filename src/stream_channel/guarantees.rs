//! A channel that keeps the rules, over one that does not.

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures::{Sink, Stream};
use pin_project_lite::pin_project;

use super::Closed;
use super::close_guarantee::keep;

pin_project! {
    /// The channel of [`with_guarantees`](crate::StreamChannelExt::with_guarantees).
    ///
    /// # Cancellation safety
    ///
    /// As the channel inside.
    ///
    /// # Examples
    ///
    /// Two queues know nothing of each other; together they are a channel that ends as one.
    ///
    /// ```
    /// use std::io;
    ///
    /// use futures::{SinkExt, StreamExt, channel::mpsc};
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::join;
    ///
    /// # futures::executor::block_on(async {
    /// let (out, mut sent) = mpsc::channel::<u8>(8);
    /// let (feed, coming) = mpsc::channel::<u8>(8);
    /// let mut channel = join(coming.map(Ok), out.sink_map_err(io::Error::other)).with_guarantees();
    ///
    /// drop(feed);
    /// assert!(channel.next().await.is_none());
    /// // The stream has ended, so the sink takes nothing more, and is closed.
    /// let error = channel.send(1).await.unwrap_err();
    /// assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    /// assert_eq!(sent.next().await, None);
    /// # });
    /// ```
    #[derive(Debug)]
    #[must_use = "channels do nothing unless polled"]
    pub struct Guarantees<C> {
        #[pin]
        inner: C,
        state: State,
        // Whoever reads may be another task than the one that closes, or the one that fails to send,
        // and whoever sends another than the one that reads the end.
        reader: Option<Waker>,
        writer: Option<Waker>,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The program closes it.
    Closing,
    /// The stream has ended or the sink has failed. The inner sink is still to be closed.
    Over,
    /// The inner sink is closed; `asked` if it was by the program.
    Closed {
        asked: bool,
    },
}

impl<C> Guarantees<C> {
    pub(super) fn new(inner: C) -> Self {
        Self { inner, state: State::Open, reader: None, writer: None }
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

impl<C, T, E> Stream for Guarantees<C>
where
    C: Stream<Item = Result<T, E>> + Sink<T, Error = E>,
{
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if *this.state == State::Open {
            let item = this.inner.as_mut().poll_next(cx);
            match item {
                Poll::Pending => drop(keep(this.reader, cx)),
                Poll::Ready(None) => {
                    *this.state = State::Over;
                    wake(this.writer);
                }
                Poll::Ready(Some(_)) => {}
            }
            if *this.state == State::Open {
                return item;
            }
        }
        if *this.state == State::Over && this.inner.poll_close(cx).is_ready() {
            *this.state = State::Closed { asked: false };
        }
        Poll::Ready(None)
    }
}

impl<C: Sink<T>, T> Sink<T> for Guarantees<C>
where
    C::Error: From<Closed>,
{
    type Error = C::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let this = self.project();
        match this.state {
            State::Open => {
                let ready = this.inner.poll_ready(cx);
                if ready.is_pending() {
                    drop(keep(this.writer, cx));
                }
                told(ready, this.state, this.reader)
            }
            _ => Poll::Ready(Err(Closed::Ended.into())),
        }
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), C::Error> {
        let this = self.project();
        match this.state {
            State::Open => {
                this.inner.start_send(item).inspect_err(|_| fail(this.state, this.reader))
            }
            _ => Err(Closed::Ended.into()),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let this = self.project();
        match this.state {
            State::Open => {
                let flushed = this.inner.poll_flush(cx);
                if flushed.is_pending() {
                    drop(keep(this.writer, cx));
                }
                told(flushed, this.state, this.reader)
            }
            State::Closing => this.inner.poll_flush(cx),
            State::Closed { asked: true } => Poll::Ready(Ok(())),
            // What was sent last may not have gone out.
            State::Over | State::Closed { asked: false } => Poll::Ready(Err(Closed::Ended.into())),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let this = self.project();
        if *this.state == State::Open {
            *this.state = State::Closing;
            wake(this.reader);
        }
        match *this.state {
            State::Open | State::Closing => {
                let closed = ready!(this.inner.poll_close(cx));
                *this.state = State::Closed { asked: true };
                Poll::Ready(closed)
            }
            State::Over => {
                // How it ended is told already.
                let _ = ready!(this.inner.poll_close(cx));
                *this.state = State::Closed { asked: true };
                Poll::Ready(Ok(()))
            }
            State::Closed { .. } => Poll::Ready(Ok(())),
        }
    }
}

/// Hands on what the inner sink said; a failure is the end.
fn told<E>(
    result: Poll<Result<(), E>>,
    state: &mut State,
    reader: &mut Option<Waker>,
) -> Poll<Result<(), E>> {
    if matches!(result, Poll::Ready(Err(_))) {
        fail(state, reader);
    }
    result
}

fn fail(state: &mut State, reader: &mut Option<Waker>) {
    *state = State::Over;
    // It ends, and closes the inner sink.
    wake(reader);
}

fn wake(reader: &mut Option<Waker>) {
    if let Some(reader) = reader.take() {
        reader.wake();
    }
}
