//! Channels whose type is not known before run time.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};

/// A channel with its error type by name, as a trait object needs it.
trait Erased<T, E>: Stream<Item = Result<T, E>> + Sink<T, Error = E> {}

impl<C, T, E> Erased<T, E> for C where C: Stream<Item = Result<T, E>> + Sink<T, Error = E> {}

macro_rules! boxed_channel {
    ($(#[$doc:meta])* $name:ident($($bound:tt)+)) => {
        $(#[$doc])*
        #[must_use = "channels do nothing unless polled"]
        pub struct $name<T, E>(Pin<Box<dyn Erased<T, E> + $($bound)+>>);

        impl<T, E> $name<T, E> {
            /// Boxes a channel.
            pub fn new<C>(channel: C) -> Self
            where
                C: Stream<Item = Result<T, E>> + Sink<T, Error = E> + $($bound)+,
            {
                Self(Box::pin(channel))
            }
        }

        impl<T, E> fmt::Debug for $name<T, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        impl<T, E> Stream for $name<T, E> {
            type Item = Result<T, E>;

            fn poll_next(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<Self::Item>> {
                self.0.as_mut().poll_next(cx)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl<T, E> Sink<T> for $name<T, E> {
            type Error = E;

            fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
                self.0.as_mut().poll_ready(cx)
            }

            fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), E> {
                self.0.as_mut().start_send(item)
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
                self.0.as_mut().poll_flush(cx)
            }

            fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
                self.0.as_mut().poll_close(cx)
            }
        }
    };
}

boxed_channel! {
    /// Any channel of `T` that may move between threads, boxed; as futures' `BoxFuture`.
    ///
    /// Made with [`boxed_channel`](crate::StreamChannelExt::boxed_channel).
    BoxStreamChannel(Send + 'static)
}

boxed_channel! {
    /// Any channel of `T`, boxed, that stays on its thread; as futures' `LocalBoxFuture`.
    ///
    /// Made with [`local_boxed_channel`](crate::StreamChannelExt::local_boxed_channel).
    LocalBoxStreamChannel('static)
}
