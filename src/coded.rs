//! What a channel over a WebSocket keeps of it: handshake, state, event, and a `close` with code and
//! reason.

use crate::channel::WebSocketChannel;
#[cfg(feature = "codec")]
use crate::stream_channel::CodecChannel;
use crate::stream_channel::LinesChannel;
#[cfg(feature = "json")]
use crate::stream_channel::{JsonChannel, JsonError};
use crate::{Close, CloseCode, CloseEvent, Error, Handshake, Ready, ReadyState};

/// Inherent methods, since the traits' `close` is the sink's, without a code.
macro_rules! keep_the_websocket {
    ($channel:ident<C $(, $parameter:ident)*>) => {
        /// Over a WebSocket.
        impl<C: WebSocketChannel $(, $parameter)*> $channel<C $(, $parameter)*> {
            /// The facts that the opening handshake established.
            pub fn handshake(&self) -> &Handshake {
                self.get_ref().handshake()
            }

            /// The subprotocol that was negotiated.
            pub fn protocol(&self) -> Option<&str> {
                self.get_ref().protocol()
            }

            /// The state of the connection.
            pub fn ready_state(&self) -> ReadyState {
                self.get_ref().ready_state()
            }

            /// How many bytes were accepted and not yet handed to the transport.
            pub fn buffered_amount(&self) -> usize {
                self.get_ref().buffered_amount()
            }

            /// How the connection ended, once it has.
            pub fn close_event(&self) -> Option<&CloseEvent> {
                self.get_ref().close_event()
            }

            /// The code of [`close_event`](Self::close_event).
            pub fn close_code(&self) -> Option<CloseCode> {
                self.get_ref().close_code()
            }

            /// The reason of [`close_event`](Self::close_event).
            pub fn close_reason(&self) -> Option<&str> {
                self.get_ref().close_reason()
            }
        }

        /// Over a WebSocket.
        impl<C: WebSocketChannel + Unpin $(, $parameter)*> $channel<C $(, $parameter)*> {
            /// Waits until the channel is no longer connecting. See [`WebSocketChannel::ready`].
            ///
            /// # Errors
            ///
            /// Those of [`WebSocketChannel::ready`].
            pub fn ready(&mut self) -> Ready<'_, C> {
                self.get_mut().ready()
            }

            /// Closes the connection, telling the peer why. See [`WebSocketChannel::close`].
            ///
            /// # Errors
            ///
            /// [`Error::CloseFrame`] if the code or reason may not be sent; the channel stays open.
            ///
            /// # Cancellation safety
            ///
            /// Once polled, the closing handshake has begun; dropped, it goes on when the channel is
            /// polled next.
            pub fn close<K>(&mut self, code: K, reason: impl Into<String>) -> Close<'_, C>
            where
                K: TryInto<CloseCode>,
                Error: From<K::Error>,
            {
                WebSocketChannel::close(self.get_mut(), code, reason)
            }
        }
    };
}

keep_the_websocket!(LinesChannel<C>);
#[cfg(feature = "json")]
keep_the_websocket!(JsonChannel<C, In, Out>);
#[cfg(feature = "codec")]
keep_the_websocket!(CodecChannel<C, U>);

/// So that `?` takes the errors of connecting and closing, too.
#[cfg(feature = "json")]
impl From<Error> for JsonError<Error> {
    fn from(error: Error) -> Self {
        Self::Channel(error)
    }
}
