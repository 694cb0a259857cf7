//! A channel that can be used before the one below it exists.

mod state;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use futures::{Sink, Stream};
use pin_project_lite::pin_project;

use super::waiting::{Half, Waiting};
use super::{Closed, StreamChannel};

use state::{Known, State, StateProject};

pin_project! {
    /// A channel that can be used while the one below it is still being made.
    ///
    /// Made of the future that makes the channel below, with [`new`](Self::new), or beside a
    /// [`Completer`](super::Completer). The future runs whenever this channel is polled.
    ///
    /// - Nothing is received before the channel is there.
    /// - Up to `capacity` items can be fed meanwhile; they are sent first. Beyond that, and for
    ///   `flush` (so for `send` as well) the sender waits for the channel.
    /// - If making it fails, whoever asks first is told: the stream's next item, a send, or
    ///   [`poll_complete`](Self::poll_complete). From then on the channel is over: the stream has
    ///   ended, and a send is [`Closed`]. What was kept is dropped.
    /// - Closing it before the channel is there drops the future and what was kept, and waits for
    ///   nothing. So does dropping it.
    ///
    /// Whether and how long to wait for the channel is the future's matter: there is no deadline
    /// here.
    ///
    /// # Cancellation safety
    ///
    /// As the channel below; what was kept stays so when a `flush` is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::stream_channel::{Closed, Deferred, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex(4);
    /// let mut channel = Deferred::new(async { Ok::<_, Closed>(near) }, 16);
    /// # let mut channel = std::pin::pin!(channel);
    /// channel.feed("early").await?;
    /// channel.send("late").await?;
    /// assert_eq!(far.next().await, Some(Ok("early")));
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "fromFuture")]
    #[must_use = "channels do nothing unless polled"]
    pub struct Deferred<F, C, T> {
        #[pin]
        state: State<F, C>,
        kept: VecDeque<T>,
        capacity: usize,
        // The sink was said to have room before the channel below was there.
        promised: bool,
        closing: Closing,
        waiting: Arc<Waiting>,
        // `waiting`, as the future and the channel see it as long as either half may poll for both.
        waker: Waker,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// What was kept goes out first.
    Asked,
    /// By the channel below.
    Begun,
}

impl<F, C, T> Deferred<F, C, T> {
    /// A channel over the one that `future` makes, which keeps up to `capacity` items for it.
    pub fn new<E>(future: F, capacity: usize) -> Self
    where
        F: Future<Output = Result<C, E>>,
        C: StreamChannel<T> + Sink<T, Error = E>,
    {
        let waiting = Arc::new(Waiting::default());
        Self {
            state: State::Waiting { future },
            kept: VecDeque::new(),
            capacity,
            promised: false,
            closing: Closing::No,
            waker: Waker::from(Arc::clone(&waiting)),
            waiting,
        }
    }

    /// The channel below, once it is there.
    pub fn get_ref(&self) -> Option<&C> {
        match &self.state {
            State::Set { channel } => Some(channel),
            State::Waiting { .. } | State::Over => None,
        }
    }

    /// The channel below, once it is there.
    pub fn get_mut(&mut self) -> Option<&mut C> {
        match &mut self.state {
            State::Set { channel } => Some(channel),
            State::Waiting { .. } | State::Over => None,
        }
    }

    /// The channel below, once it is there, pinned.
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Option<Pin<&mut C>> {
        match self.project().state.project() {
            StateProject::Set { channel } => Some(channel),
            StateProject::Waiting { .. } | StateProject::Over => None,
        }
    }

    /// The channel below, if it is there. What was kept for it and not yet sent is dropped.
    pub fn into_inner(self) -> Option<C> {
        match self.state {
            State::Set { channel } => Some(channel),
            State::Waiting { .. } | State::Over => None,
        }
    }

    /// Whether the channel below is not there yet, and may still come.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// Waits for the channel below.
    ///
    /// # Errors
    ///
    /// Why there will be none, unless somebody was told already; then [`Closed`], as after a close.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::{poll_fn, ready};
    ///
    /// use futures::pin_mut;
    /// use ws_channel::stream_channel::{Closed, Deferred, Duplex, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let channel = Deferred::new(ready(Ok::<Duplex<u8>, Closed>(duplex(4).0)), 16);
    /// pin_mut!(channel);
    /// assert!(channel.is_waiting());
    /// poll_fn(|cx| channel.as_mut().poll_complete(cx)).await?;
    /// assert!(channel.get_ref().is_some());
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    pub fn poll_complete<E>(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>>
    where
        F: Future<Output = Result<C, E>>,
        E: From<Closed>,
    {
        let this = self.project();
        let waiting = Arc::clone(this.waiting);
        let known = ready!(waiting.sink.poll(cx, || this.state.poll_made(&waiting, this.waker)));
        if matches!(known, Known::Failed(_)) {
            this.kept.clear();
        }
        Poll::Ready(known.told())
    }
}

impl<F, C, T, E> Deferred<F, C, T>
where
    F: Future<Output = Result<C, E>>,
    C: StreamChannel<T> + Sink<T, Error = E>,
{
    /// Runs the future, and then sends what was kept.
    ///
    /// What is kept is sent by whichever half comes first, so it is polled for both.
    fn poll_sent(
        self: Pin<&mut Self>,
        half: fn(&Waiting) -> &Half,
        cx: &Context<'_>,
    ) -> Poll<Result<Known<E>, E>> {
        let mut this = self.project();
        if this.kept.is_empty() && matches!(*this.state, State::Set { .. }) {
            return Poll::Ready(Ok(Known::Set));
        }
        let waiting = Arc::clone(this.waiting);
        half(&waiting).poll(cx, || {
            match ready!(this.state.as_mut().poll_made(&waiting, this.waker)) {
                Known::Set => {}
                known => {
                    this.kept.clear();
                    return Poll::Ready(Ok(known));
                }
            }
            let StateProject::Set { mut channel } = this.state.project() else {
                return Poll::Ready(Ok(Known::Over));
            };
            let cx = &mut Context::from_waker(this.waker);
            while !this.kept.is_empty() {
                if let Err(error) = ready!(channel.as_mut().poll_ready(cx)) {
                    this.kept.clear();
                    return Poll::Ready(Err(error));
                }
                if let Some(item) = this.kept.pop_front() {
                    channel.as_mut().start_send(item)?;
                }
            }
            waiting.wake();
            Poll::Ready(Ok(Known::Set))
        })
    }
}

impl<F, C, T, E> Stream for Deferred<F, C, T>
where
    F: Future<Output = Result<C, E>>,
    C: StreamChannel<T> + Sink<T, Error = E>,
{
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.closing == Closing::Asked {
            return Poll::Ready(None);
        }
        let sent = self.as_mut().poll_sent(|waiting| &waiting.stream, cx);
        match sent {
            Poll::Ready(Ok(Known::Failed(error)) | Err(error)) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Ok(Known::Over)) => Poll::Ready(None),
            // A channel that takes nothing more may wait for being read.
            Poll::Pending | Poll::Ready(Ok(Known::Set)) => match self.get_pin_mut() {
                Some(channel) => channel.poll_next(cx),
                None => Poll::Pending,
            },
        }
    }
}

impl<F, C, T, E> Sink<T> for Deferred<F, C, T>
where
    F: Future<Output = Result<C, E>>,
    C: StreamChannel<T> + Sink<T, Error = E>,
    E: From<Closed>,
{
    type Error = E;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        if self.closing != Closing::No {
            return Poll::Ready(Err(Closed::Ended.into()));
        }
        *self.as_mut().project().promised = false;
        let sent = self.as_mut().poll_sent(|waiting| &waiting.sink, cx);
        if sent.is_pending() && self.is_waiting() && self.kept.len() < self.capacity {
            *self.project().promised = true;
            return Poll::Ready(Ok(()));
        }
        ready!(sent)?.told()?;
        match self.get_pin_mut() {
            Some(channel) => channel.poll_ready(cx),
            None => Poll::Ready(Err(Closed::Ended.into())),
        }
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), E> {
        let this = self.project();
        let promised = std::mem::take(this.promised);
        match this.state.project() {
            _ if *this.closing != Closing::No => Err(Closed::Ended.into()),
            StateProject::Over => Err(Closed::Ended.into()),
            StateProject::Set { channel } if !promised => channel.start_send(item),
            StateProject::Set { .. } | StateProject::Waiting { .. } => {
                this.kept.push_back(item);
                Ok(())
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        if self.is_waiting() && self.kept.is_empty() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.as_mut().poll_sent(|waiting| &waiting.sink, cx))?.told()?;
        match self.get_pin_mut() {
            Some(channel) => channel.poll_flush(cx),
            None => Poll::Ready(Err(Closed::Ended.into())),
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        if self.closing == Closing::No {
            *self.as_mut().project().closing = Closing::Asked;
            self.waiting.wake();
        }
        let sent = self.as_mut().poll_sent(|waiting| &waiting.sink, cx);
        if sent.is_pending() && self.is_waiting() {
            let mut this = self.project();
            this.state.set(State::Over);
            this.kept.clear();
            return Poll::Ready(Ok(()));
        }
        match ready!(sent)? {
            Known::Failed(error) => return Poll::Ready(Err(error)),
            Known::Set | Known::Over => {}
        }
        let this = self.project();
        match this.state.project() {
            StateProject::Set { channel } => {
                *this.closing = Closing::Begun;
                channel.poll_close(cx)
            }
            StateProject::Waiting { .. } | StateProject::Over => Poll::Ready(Ok(())),
        }
    }
}

impl<F, C: fmt::Debug, T> fmt::Debug for Deferred<F, C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred")
            .field("channel", &self.get_ref())
            .field("kept", &self.kept.len())
            .finish_non_exhaustive()
    }
}
