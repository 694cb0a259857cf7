//! Channels of other items than the channel below.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{Sink, Stream};
use pin_project_lite::pin_project;

macro_rules! mapped_channel {
    ($(#[$doc:meta])* $name:ident) => {
        pin_project! {
            $(#[$doc])*
            #[must_use = "channels do nothing unless polled"]
            pub struct $name<C, D, N> {
                #[pin]
                inner: C,
                decode: D,
                encode: N,
            }
        }

        impl<C, D, N> $name<C, D, N> {
            pub(super) fn new(inner: C, decode: D, encode: N) -> Self {
                Self { inner, decode, encode }
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

        impl<C: fmt::Debug, D, N> fmt::Debug for $name<C, D, N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("inner", &self.inner).finish_non_exhaustive()
            }
        }
    };
}

mapped_channel! {
    /// The channel of [`map_channel`](crate::StreamChannelExt::map_channel).
    MapChannel
}

mapped_channel! {
    /// The channel of [`try_map_channel`](crate::StreamChannelExt::try_map_channel).
    TryMapChannel
}

impl<C, D, N, T, U, E> Stream for MapChannel<C, D, N>
where
    C: Stream<Item = Result<T, E>>,
    D: FnMut(T) -> U,
{
    type Item = Result<U, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let item = ready!(this.inner.poll_next(cx));
        Poll::Ready(item.map(|item| item.map(this.decode)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<C, D, N, T, U> Sink<U> for MapChannel<C, D, N>
where
    C: Sink<T>,
    N: FnMut(U) -> T,
{
    type Error = C::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.project().inner.poll_ready(cx)
    }

    fn start_send(self: Pin<&mut Self>, item: U) -> Result<(), C::Error> {
        let this = self.project();
        this.inner.start_send((this.encode)(item))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.project().inner.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.project().inner.poll_close(cx)
    }
}

impl<C, D, N, T, U, E, F> Stream for TryMapChannel<C, D, N>
where
    C: Stream<Item = Result<T, E>>,
    D: FnMut(T) -> Result<U, F>,
    F: From<E>,
{
    type Item = Result<U, F>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let item = ready!(this.inner.poll_next(cx));
        Poll::Ready(item.map(|item| item.map_err(F::from).and_then(this.decode)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<C, D, N, T, U, F> Sink<U> for TryMapChannel<C, D, N>
where
    C: Sink<T>,
    N: FnMut(U) -> Result<T, F>,
    F: From<C::Error>,
{
    type Error = F;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), F>> {
        self.project().inner.poll_ready(cx).map_err(F::from)
    }

    fn start_send(self: Pin<&mut Self>, item: U) -> Result<(), F> {
        let this = self.project();
        Ok(this.inner.start_send((this.encode)(item)?)?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), F>> {
        self.project().inner.poll_flush(cx).map_err(F::from)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), F>> {
        self.project().inner.poll_close(cx).map_err(F::from)
    }
}
