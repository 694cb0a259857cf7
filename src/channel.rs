//! The contract of every WebSocket channel.

mod close;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};

use crate::byte_view::WebSocketIo;
use crate::connect::Endpoint;
use crate::protocol::{CloseCode, CloseEvent, CloseFrame, Message, ReadyState};
use crate::split::{WebSocketSink, WebSocketStream, split};
use crate::stream_channel::StreamChannel;
use crate::{Error, Handshake};

pub use close::Close;
pub(crate) use close::close_frame;

/// A WebSocket channel: a stream of messages plus a sink whose `close` takes a code and a reason.
///
/// The same on every platform and over every transport. What every implementation promises:
///
/// - **The stream** yields messages in order, then either `None` (a closing handshake was
///   completed, or this end closed) or one `Some(Err(_))` and then `None` (something broke).
///   Either way [`close_event`](Self::close_event) is set from then on.
/// - **The sink** accepts messages while the channel is open; after the end, sending is
///   [`Error::Closed`]. [`Sink::poll_ready`] waits while too much is queued.
/// - **Closing** sends what was queued, then the Close frame, waits for the peer's, shuts the
///   transport down, and is over within the close timeout. [`SinkExt::close`] is a close without a
///   status.
/// - **Dropping** the channel ends the transport at once, without a closing handshake.
///
/// [`SinkExt::close`]: futures::SinkExt::close
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::{Error, Message, WebSocketChannel, status};
///
/// /// Works with every channel.
/// async fn ask<C>(mut channel: C, question: &str) -> Result<Option<Message>, Error>
/// where
///     C: WebSocketChannel + Unpin,
/// {
///     channel.send(question.into()).await?;
///     let answer = channel.next().await.transpose()?;
///     channel.close(status::NORMAL_CLOSURE, "thanks").await?;
///     Ok(answer)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a WebSocket channel",
    note = "an owned channel is needed, or a type parameter `C: WebSocketChannel`: the trait is not implemented for `&mut C`"
)]
pub trait WebSocketChannel:
    StreamChannel<Message> + Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error>
{
    /// The facts that the opening handshake established.
    fn handshake(&self) -> &Handshake;

    /// The state of the connection, as WHATWG's `readyState`.
    fn ready_state(&self) -> ReadyState;

    /// How many bytes were accepted and not yet handed to the transport.
    fn buffered_amount(&self) -> usize;

    /// How the connection ended, once it has.
    fn close_event(&self) -> Option<&CloseEvent>;

    /// Begins the closing handshake; [`Sink::poll_close`] completes it.
    ///
    /// Does nothing if the end has begun already. For implementors: callers use
    /// [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// [`Error::CloseFrame`] if this role or platform may not send the code; nothing is sent then,
    /// and the channel stays open.
    fn start_close(self: Pin<&mut Self>, frame: Option<CloseFrame>) -> Result<(), Error>;

    /// The URL as requested, without credentials; on a server the request's target; empty if it is
    /// not known.
    fn url(&self) -> &str {
        self.handshake().url()
    }

    /// The subprotocol that was negotiated.
    fn protocol(&self) -> Option<&str> {
        self.handshake().protocol()
    }

    /// The extensions that were negotiated, in header syntax; empty if there are none.
    fn extensions(&self) -> &str {
        self.handshake().extensions()
    }

    /// The code of [`close_event`](Self::close_event).
    #[doc(alias = "closeCode")]
    fn close_code(&self) -> Option<CloseCode> {
        self.close_event().map(|event| event.code)
    }

    /// The reason of [`close_event`](Self::close_event).
    #[doc(alias = "closeReason")]
    fn close_reason(&self) -> Option<&str> {
        self.close_event().map(|event| event.reason.as_str())
    }

    /// Waits until the channel is no longer [`ReadyState::Connecting`].
    ///
    /// A channel that came out of an awaited `connect` or `accept` is ready already.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the channel is closing or closed, as when the attempt to connect failed; then
    /// the stream tells why. A [`DeferredChannel`](crate::DeferredChannel) gives the attempt's own
    /// error, if nobody was told yet.
    ///
    /// # Cancellation safety
    ///
    /// Can be dropped at any time.
    fn ready(&mut self) -> Ready<'_, Self>
    where
        Self: Sized + Unpin,
    {
        Ready { channel: self }
    }

    /// Connects to `endpoint`, whose type decides the channel's.
    ///
    /// A URL gives the platform's channel, `(url, io)` one over `io`; see [`Endpoint`].
    ///
    /// # Errors
    ///
    /// Those of the endpoint's attempt, in the awaited result and nowhere else.
    ///
    /// # Cancellation safety
    ///
    /// Dropping the attempt frees its socket.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use ws_channel::WebSocketChannel;
    ///
    /// # async fn connect() -> Result<(), ws_channel::Error> {
    /// let channel = WebSocketChannel::connect("ws://127.0.0.1:8080/chat").await?;
    /// # let _ = channel; Ok(()) }
    /// ```
    fn connect<E>(endpoint: E) -> E::Connect
    where
        Self: Sized,
        E: Endpoint<Channel = Self>,
    {
        endpoint.connect()
    }

    /// Closes the connection, telling the peer why.
    ///
    /// Sends what was queued, then the Close frame; resolves once the peer has answered and the
    /// transport is shut down, the connection is lost, or the close timeout (5 s unless set) has
    /// passed. Messages that arrive meanwhile are dropped, as in browsers. A second close sends
    /// nothing and resolves to the same event.
    ///
    /// With no status it is [`SinkExt::close`](futures::SinkExt::close)`(&mut channel)`.
    ///
    /// The code is one of [`status`](crate::status), a literal such as `4000`, or a `u16`. With
    /// `SinkExt` imported, a call on `E::Channel`, on a returned `impl WebSocketChannel` or on a
    /// bare `Box<dyn WebSocketChannel>` is ambiguous: name the channel's type by a parameter
    /// (`E: Endpoint<Channel = C>`), or take
    /// [`BoxWebSocketChannel`](crate::BoxWebSocketChannel).
    ///
    /// # Errors
    ///
    /// [`Error::CloseFrame`] if the code may not be sent (see [`CloseFrame::new`]) or the reason is
    /// longer than 123 bytes. Nothing is sent then, and the channel stays open. Everything else,
    /// timeout and lost transport included, is `Ok` with [`CloseEvent::was_clean`] telling.
    ///
    /// # Cancellation safety
    ///
    /// Once polled, the closing handshake has begun; dropped, it goes on when the channel is polled
    /// next.
    ///
    /// # Platforms
    ///
    /// A browser lets a page send only 1000 and 3000–4999.
    fn close<K>(&mut self, code: K, reason: impl Into<String>) -> Close<'_, Self>
    where
        Self: Sized + Unpin,
        K: TryInto<CloseCode>,
        Error: From<K::Error>,
    {
        Close::new(self, code, reason.into())
    }

    /// Splits into halves that two tasks can own: a sink and a stream.
    ///
    /// Both know the handshake, the state and the close event. Dropping the sink half starts a
    /// close without a status, which the stream half completes; dropping the stream half discards
    /// what still comes; dropping both is dropping the channel.
    fn split(self) -> (WebSocketSink<Self>, WebSocketStream<Self>)
    where
        Self: Sized,
    {
        split(self)
    }

    /// The channel as a byte stream, for protocols that know no messages: tokio's `AsyncRead` and
    /// `AsyncWrite`, and futures'.
    fn into_io(self) -> WebSocketIo<Self>
    where
        Self: Sized,
    {
        WebSocketIo::new(self)
    }

    /// A channel of values instead of messages: one JSON document a message, text when sent.
    ///
    /// Another type each way, and other channels than WebSockets, have
    /// [`JsonChannel::new`](crate::stream_channel::JsonChannel::new).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use futures::{SinkExt, StreamExt};
    /// use serde_json::json;
    /// use ws_channel::stream_channel::JsonError;
    /// use ws_channel::{Error, WebSocketChannel, status};
    ///
    /// # async fn example() -> Result<(), JsonError<Error>> {
    /// # async fn connect() -> Result<ws_channel::BoxWebSocketChannel, Error> { unimplemented!() }
    /// let mut channel = connect().await?.json();
    /// channel.send(json!({ "method": "hello" })).await?;
    /// println!("{:?}", channel.next().await.transpose()?);
    /// channel.close(status::NORMAL_CLOSURE, "done").await?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "json")]
    fn json<T>(self) -> crate::stream_channel::JsonChannel<Self, T>
    where
        Self: Sized,
    {
        crate::stream_channel::JsonChannel::new(self)
    }
}

impl<C: ?Sized + WebSocketChannel + Unpin> WebSocketChannel for Box<C> {
    fn handshake(&self) -> &Handshake {
        (**self).handshake()
    }

    fn ready_state(&self) -> ReadyState {
        (**self).ready_state()
    }

    fn buffered_amount(&self) -> usize {
        (**self).buffered_amount()
    }

    fn close_event(&self) -> Option<&CloseEvent> {
        (**self).close_event()
    }

    fn start_close(mut self: Pin<&mut Self>, frame: Option<CloseFrame>) -> Result<(), Error> {
        Pin::new(&mut **self).start_close(frame)
    }
}

/// Gives a concrete channel inherent `close` and `split`.
///
/// With `SinkExt` and `StreamExt` imported, the trait's methods of these names would be ambiguous
/// with theirs (E0034); inherent methods win.
macro_rules! inherent_close_and_split {
    () => {
        /// Closes the connection, telling the peer why. See [`WebSocketChannel::close`].
        ///
        /// # Errors
        ///
        /// [`Error::CloseFrame`](crate::Error::CloseFrame) if the code or reason may not be sent;
        /// the channel stays open.
        ///
        /// [`WebSocketChannel::close`]: crate::WebSocketChannel::close
        pub fn close<K>(&mut self, code: K, reason: impl Into<String>) -> $crate::Close<'_, Self>
        where
            K: TryInto<$crate::CloseCode>,
            $crate::Error: From<K::Error>,
        {
            $crate::WebSocketChannel::close(self, code, reason)
        }

        /// Splits into halves that two tasks can own. See [`WebSocketChannel::split`].
        ///
        /// [`WebSocketChannel::split`]: crate::WebSocketChannel::split
        pub fn split(self) -> ($crate::WebSocketSink<Self>, $crate::WebSocketStream<Self>) {
            $crate::WebSocketChannel::split(self)
        }
    };
}
pub(crate) use inherent_close_and_split;

/// The future of [`WebSocketChannel::ready`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Ready<'a, C> {
    channel: &'a mut C,
}

impl<C: WebSocketChannel + Unpin> Future for Ready<'_, C> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.channel.ready_state() {
            // `poll_ready` waits in this state, and only in this state without anything queued.
            ReadyState::Connecting => Pin::new(&mut *self.channel).poll_ready(cx),
            ReadyState::Open => Poll::Ready(Ok(())),
            ReadyState::Closing | ReadyState::Closed => {
                Poll::Ready(Err(Error::closed(self.channel.close_event())))
            }
        }
    }
}
