//! Two channels connected to each other.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Sink;
use pin_project_lite::pin_project;

use super::StreamChannel;

/// How many items one poll carries before others get their turn.
const BUDGET: usize = 64;

pin_project! {
    /// The future of [`pipe`](crate::StreamChannelExt::pipe).
    #[must_use = "pipes do nothing unless awaited"]
    pub struct Pipe<A, B, T>
    where
        A: Sink<T>,
    {
        #[pin]
        near: A,
        #[pin]
        far: B,
        outward: Direction<T>,
        inward: Direction<T>,
        failed: Option<A::Error>,
    }
}

/// What one direction is at.
enum Direction<T> {
    Copying(Option<T>),
    Closing,
    Done,
}

impl<A: Sink<T>, B, T> Pipe<A, B, T> {
    pub(super) fn new(near: A, far: B) -> Self {
        let (outward, inward) = (Direction::Copying(None), Direction::Copying(None));
        Self { near, far, outward, inward, failed: None }
    }

    /// The two channels.
    pub fn get_ref(&self) -> (&A, &B) {
        (&self.near, &self.far)
    }

    /// The two channels.
    pub fn get_mut(&mut self) -> (&mut A, &mut B) {
        (&mut self.near, &mut self.far)
    }

    /// The two channels. What was received from one and not yet sent to the other is lost.
    pub fn into_inner(self) -> (A, B) {
        (self.near, self.far)
    }
}

impl<A, B, T> Future for Pipe<A, B, T>
where
    A: StreamChannel<T>,
    B: StreamChannel<T>,
    <B as Sink<T>>::Error: Into<<A as Sink<T>>::Error>,
{
    type Output = Result<(), <A as Sink<T>>::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let outward = this.outward.poll(this.near.as_mut(), this.far.as_mut(), cx);
            let inward = this.inward.poll(this.far.as_mut(), this.near.as_mut(), cx);
            match (outward, inward) {
                (Poll::Ready(Err(error)), _) => {
                    this.outward.fail();
                    this.inward.stop();
                    this.failed.get_or_insert(error);
                }
                (_, Poll::Ready(Err(error))) => {
                    this.inward.fail();
                    this.outward.stop();
                    this.failed.get_or_insert(error);
                }
                (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => {
                    return Poll::Ready(this.failed.take().map_or(Ok(()), Err));
                }
                (Poll::Pending, _) | (_, Poll::Pending) => return Poll::Pending,
            }
        }
    }
}

impl<T> Direction<T> {
    fn poll<F, K, E>(
        &mut self,
        mut from: Pin<&mut F>,
        mut to: Pin<&mut K>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), E>>
    where
        F: StreamChannel<T>,
        K: Sink<T>,
        <F as Sink<T>>::Error: Into<E>,
        K::Error: Into<E>,
    {
        let mut budget = BUDGET;
        while let Self::Copying(item) = self {
            if item.is_some() {
                ready!(to.as_mut().poll_ready(cx)).map_err(Into::into)?;
                if let Some(item) = item.take() {
                    to.as_mut().start_send(item).map_err(Into::into)?;
                }
                budget -= 1;
            }
            if budget == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match from.as_mut().poll_next(cx) {
                Poll::Ready(Some(next)) => *item = Some(next.map_err(Into::into)?),
                Poll::Ready(None) => *self = Self::Closing,
                Poll::Pending => {
                    ready!(to.as_mut().poll_flush(cx)).map_err(Into::into)?;
                    return Poll::Pending;
                }
            }
        }
        if matches!(self, Self::Closing) {
            ready!(to.poll_close(cx)).map_err(Into::into)?;
            *self = Self::Done;
        }
        Poll::Ready(Ok(()))
    }

    /// After an error: what cannot be copied is closed, what cannot be closed is done.
    fn fail(&mut self) {
        *self = match self {
            Self::Copying(_) => Self::Closing,
            Self::Closing | Self::Done => Self::Done,
        };
    }

    /// The other direction failed.
    fn stop(&mut self) {
        if matches!(self, Self::Copying(_)) {
            *self = Self::Closing;
        }
    }
}

impl<A: Sink<T> + fmt::Debug, B: fmt::Debug, T> fmt::Debug for Pipe<A, B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe")
            .field("near", &self.near)
            .field("far", &self.far)
            .finish_non_exhaustive()
    }
}
