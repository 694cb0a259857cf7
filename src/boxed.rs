//! Channels whose type is not known before run time.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};

use crate::channel::{WebSocketChannel, inherent_close_and_split};
use crate::protocol::{CloseEvent, CloseFrame, Message, ReadyState};
use crate::{Error, Handshake};

macro_rules! boxed_channel {
    ($(#[$doc:meta])* $name:ident($inner:ty) new($($bound:tt)+)) => {
        $(#[$doc])*
        pub struct $name(Pin<Box<$inner>>);

        impl $name {
            /// Boxes a channel.
            pub fn new<C: WebSocketChannel + $($bound)+>(channel: C) -> Self {
                Self(Box::pin(channel))
            }

            inherent_close_and_split!();
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("url", &self.0.url())
                    .field("ready_state", &self.0.ready_state())
                    .finish_non_exhaustive()
            }
        }

        impl Stream for $name {
            type Item = Result<Message, Error>;

            fn poll_next(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<Self::Item>> {
                self.0.as_mut().poll_next(cx)
            }
        }

        impl Sink<Message> for $name {
            type Error = Error;

            fn poll_ready(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Result<(), Error>> {
                self.0.as_mut().poll_ready(cx)
            }

            fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
                self.0.as_mut().start_send(message)
            }

            fn poll_flush(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Result<(), Error>> {
                self.0.as_mut().poll_flush(cx)
            }

            fn poll_close(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Result<(), Error>> {
                self.0.as_mut().poll_close(cx)
            }
        }

        impl WebSocketChannel for $name {
            fn handshake(&self) -> &Handshake {
                self.0.handshake()
            }

            fn ready_state(&self) -> ReadyState {
                self.0.ready_state()
            }

            fn buffered_amount(&self) -> usize {
                self.0.buffered_amount()
            }

            fn close_event(&self) -> Option<&CloseEvent> {
                self.0.close_event()
            }

            fn start_close(
                mut self: Pin<&mut Self>,
                frame: Option<CloseFrame>,
            ) -> Result<(), Error> {
                self.0.as_mut().start_close(frame)
            }
        }
    };
}

boxed_channel! {
    /// Any channel that may move between threads, boxed; as futures' `BoxFuture`.
    ///
    /// ```
    /// use ws_channel::{BoxWebSocketChannel, Role, WebSocketAdapter, Handshake};
    ///
    /// let (io, _peer) = tokio::io::duplex(64);
    /// let channel = WebSocketAdapter::from_upgraded(io, Role::Client, Handshake::default());
    /// let _any = BoxWebSocketChannel::new(channel);
    /// ```
    BoxWebSocketChannel(dyn WebSocketChannel + Send) new(Send + 'static)
}

boxed_channel! {
    /// Any channel, boxed, that stays on its thread; as futures' `LocalBoxFuture`.
    ///
    /// ```
    /// use ws_channel::{Handshake, LocalBoxWebSocketChannel, Role, WebSocketAdapter};
    ///
    /// let (io, _peer) = tokio::io::duplex(64);
    /// let channel = WebSocketAdapter::from_upgraded(io, Role::Client, Handshake::default());
    /// let _any = LocalBoxWebSocketChannel::new(channel);
    /// ```
    LocalBoxWebSocketChannel(dyn WebSocketChannel) new('static)
}
