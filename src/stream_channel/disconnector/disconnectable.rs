//! A channel that can be ended from outside.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{Sink, Stream};
use pin_project_lite::pin_project;

use super::super::Closed;
use super::super::waiting::{Half, Waiting};
use super::registry::Member;

pin_project! {
    /// A channel that a [`Disconnector`](super::Disconnector) can end.
    ///
    /// After that, its stream ends and what is sent is [`Closed`], both once the channel below is
    /// closed; if closing that fails, whoever asks first is told. A task that waits for it to receive,
    /// or for room, is woken; one that waits for something else, as a `send_all` for its next item,
    /// finds out when it comes back to it.
    #[must_use = "channels do nothing unless polled"]
    pub struct Disconnectable<C> {
        #[pin]
        inner: C,
        state: State,
        member: Member,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// By the program itself.
    Closing,
    /// The channel below is closed.
    Closed,
}

impl<C> Disconnectable<C> {
    pub(super) fn new(inner: C, member: Member) -> Self {
        Self { inner, state: State::Open, member }
    }

    /// The channel itself.
    pub fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The channel itself.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// The channel itself, which the disconnector then no longer knows.
    pub fn into_inner(self) -> C {
        self.inner
    }

    /// Polls the channel with `poll`; or closes it, if it was disconnected.
    fn poll_bound<T, U, P>(
        self: Pin<&mut Self>,
        half: fn(&Waiting) -> &Half,
        cx: &Context<'_>,
        poll: P,
    ) -> Poll<Polled<U, C::Error>>
    where
        C: Sink<T>,
        P: FnOnce(Pin<&mut C>, &mut State, &mut Context<'_>) -> Poll<U>,
    {
        let this = self.project();
        let (member, state, inner) = (&*this.member, this.state, this.inner);
        half(&member.waiting).poll(cx, || {
            if !member.is_disconnected() {
                return poll(inner, state, &mut Context::from_waker(cx.waker())).map(Polled::Open);
            }
            if *state == State::Closed {
                return Poll::Ready(Polled::Disconnected(Ok(())));
            }
            let closed = ready!(inner.poll_close(&mut Context::from_waker(&member.waker)));
            *state = State::Closed;
            member.leave();
            member.waiting.wake();
            Poll::Ready(Polled::Disconnected(closed))
        })
    }
}

/// What became of a poll.
enum Polled<U, E> {
    Open(U),
    Disconnected(Result<(), E>),
}

impl<C, T, E> Stream for Disconnectable<C>
where
    C: Stream<Item = Result<T, E>> + Sink<T, Error = E>,
{
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled =
            self.poll_bound(|waiting| &waiting.stream, cx, |inner, _, cx| inner.poll_next(cx));
        Poll::Ready(match ready!(polled) {
            Polled::Open(item) => item,
            Polled::Disconnected(closed) => closed.err().map(Err),
        })
    }
}

impl<C: Sink<T>, T> Sink<T> for Disconnectable<C>
where
    C::Error: From<Closed>,
{
    type Error = C::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let polled = self.poll_bound(sink, cx, |inner, state, cx| match state {
            State::Open => inner.poll_ready(cx),
            State::Closing | State::Closed => Poll::Ready(Err(Closed::Ended.into())),
        });
        Poll::Ready(match ready!(polled) {
            Polled::Open(ready) => ready,
            Polled::Disconnected(closed) => closed.and(Err(Closed::Ended.into())),
        })
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), C::Error> {
        let this = self.project();
        if *this.state == State::Open && !this.member.is_disconnected() {
            this.inner.start_send(item)
        } else {
            Err(Closed::Ended.into())
        }
    }

    /// Closing hands over what was sent, so that a flush is none the worse for it.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let polled = self.poll_bound(sink, cx, |inner, state, cx| match state {
            State::Open | State::Closing => inner.poll_flush(cx),
            State::Closed => Poll::Ready(Ok(())),
        });
        Poll::Ready(match ready!(polled) {
            Polled::Open(result) | Polled::Disconnected(result) => result,
        })
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let polled = self.as_mut().poll_bound(sink, cx, |inner, state, cx| {
            if *state == State::Closed {
                return Poll::Ready(Ok(()));
            }
            *state = State::Closing;
            inner.poll_close(cx)
        });
        let polled = ready!(polled);
        let this = self.project();
        if *this.state != State::Closed {
            *this.state = State::Closed;
            this.member.leave();
        }
        Poll::Ready(match polled {
            Polled::Open(result) | Polled::Disconnected(result) => result,
        })
    }
}

fn sink(waiting: &Waiting) -> &Half {
    &waiting.sink
}

impl<C: fmt::Debug> fmt::Debug for Disconnectable<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disconnectable")
            .field("inner", &self.inner)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
