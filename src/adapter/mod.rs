//! The protocol over any byte stream, client and server.

mod accept;
mod client;
mod driver;
pub(crate) mod exchange;
mod incoming;
pub(crate) mod options;
mod prepared;
#[cfg(feature = "deflate")]
mod send_with;
pub(crate) mod terms;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use futures::stream::FusedStream;
use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::adapter::driver::Driver;
use crate::channel::{WebSocketChannel, inherent_close_and_split};
use crate::protocol::{CloseEvent, CloseFrame, Message, MessageRef, ReadyState, Role};
use crate::{Error, Handshake};

pub use accept::{Accept, Accepting, Receiving};
pub use client::{ClientHandshake, ClientHandshaking};
pub use incoming::{Incoming, Rejecting};
pub use options::Options;

/// A WebSocket channel over any byte stream: TCP, TLS, a pipe, an upgraded HTTP connection.
///
/// [`client`](Self::client) and [`accept`](Self::accept) do the opening handshake first;
/// [`from_upgraded`](Self::from_upgraded) starts after it.
///
/// Deadlines need a tokio runtime; outside of one the channel works, but waits for ever where the
/// peer does nothing.
///
/// A message that was fed goes out with the next flush, when the write buffer is full, or when the
/// stream side has nothing more to read: an echo may feed its answers and never flush.
///
/// # Panics
///
/// In a tokio runtime whose timer is off (built without `enable_time`), tokio panics when a
/// deadline is set.
///
/// # Cancellation safety
///
/// Every future of a channel can be dropped at any await, and the channel stays usable: a message
/// that was not received yet comes next time, a message that was accepted goes out with the next
/// flush, an interrupted `send` has accepted its message whole or not at all.
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::{Handshake, Role, WebSocketAdapter};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ws_channel::Error> {
/// let (near, far) = tokio::io::duplex(1024);
/// let mut client = WebSocketAdapter::from_upgraded(near, Role::Client, Handshake::default());
/// let mut server = WebSocketAdapter::from_upgraded(far, Role::Server, Handshake::default());
///
/// client.send("hello".into()).await?;
/// assert_eq!(server.next().await.transpose()?, Some("hello".into()));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[doc(alias = "AdapterWebSocketChannel")]
#[doc(alias = "IOWebSocketChannel")]
pub struct WebSocketAdapter<S> {
    // Boxed, since a future that owns a channel often holds its place twice.
    driver: Box<Driver<S>>,
    handshake: Handshake,
}

impl<S> WebSocketAdapter<S> {
    /// A channel after the handshake, with the bytes that came behind it.
    pub(crate) fn new(
        io: S,
        role: Role,
        handshake: Handshake,
        options: &Options,
        read_ahead: BytesMut,
    ) -> Self {
        let driver = Driver::new(io, role, options, read_ahead);
        #[cfg(feature = "deflate")]
        let driver = match handshake.agreed() {
            Some(agreed) => driver.with_deflate(agreed, options),
            None => driver,
        };
        Self { driver: Box::new(driver), handshake }
    }

    /// The transport.
    #[doc(alias = "innerWebSocket")]
    pub fn get_ref(&self) -> &S {
        self.driver.io()
    }

    /// The transport. Reading from it or writing to it garbles the connection.
    pub fn get_mut(&mut self) -> &mut S {
        self.driver.io_mut()
    }

    /// The transport; bytes that were read or queued already are lost.
    pub fn into_inner(self) -> S {
        self.driver.into_io()
    }

    /// How long the peer took to answer the last ping of keepalive, if there was one.
    pub fn latency(&self) -> Option<Duration> {
        self.driver.latency()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketAdapter<S> {
    /// A channel over an `io` on which the opening handshake has been done.
    ///
    /// With the default options; [`from_upgraded_with`](Self::from_upgraded_with) takes others, and
    /// bytes of the connection that were read already.
    pub fn from_upgraded(io: S, role: Role, handshake: Handshake) -> Self {
        Self::from_upgraded_with(io, role, handshake, &Options::new(), BytesMut::new())
    }

    /// The same, with `options`, and the bytes that were read behind the handshake.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use futures::StreamExt;
    /// use ws_channel::{Handshake, Options, Role, WebSocketAdapter};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ws_channel::Error> {
    /// let (io, _peer) = tokio::io::duplex(64);
    /// let options = Options::new().max_message_size(1024);
    /// let read = Bytes::from_static(b"\x81\x02hi");
    /// let mut channel =
    ///     WebSocketAdapter::from_upgraded_with(io, Role::Client, Handshake::default(), &options, read);
    /// assert_eq!(channel.next().await.transpose()?, Some("hi".into()));
    /// # Ok(()) }
    /// ```
    pub fn from_upgraded_with(
        io: S,
        role: Role,
        handshake: Handshake,
        options: &Options,
        read_ahead: impl Into<BytesMut>,
    ) -> Self {
        Self::new(io, role, handshake, options, read_ahead.into())
    }

    inherent_close_and_split!();

    /// The next message, lent from the receive buffer: for those who parse and forget.
    ///
    /// Faster than [`StreamExt::next`](futures::StreamExt::next) for small messages, since nothing
    /// is counted or allocated. Yields exactly what the stream would; the two can be mixed.
    ///
    /// # Errors
    ///
    /// Those of the stream: one `Some(Err(_))` when something broke, then `None`.
    ///
    /// # Cancellation safety
    ///
    /// Can be dropped at any time; nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use ws_channel::{Error, WebSocketAdapter};
    /// # use tokio::io::{AsyncRead, AsyncWrite};
    /// # async fn count<S: AsyncRead + AsyncWrite + Unpin>(mut channel: WebSocketAdapter<S>) -> Result<usize, Error> {
    /// let mut bytes = 0;
    /// while let Some(message) = channel.recv_ref().await {
    ///     bytes += message?.as_bytes().len();
    /// }
    /// # Ok(bytes) }
    /// ```
    pub async fn recv_ref(&mut self) -> Option<Result<MessageRef<'_>, Error>> {
        Some(match poll_fn(|cx| self.driver.poll_found(cx)).await? {
            Ok(found) => Ok(self.driver.lend(found)),
            Err(error) => Err(error),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocketAdapter<S> {
    type Item = Result<Message, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.driver.poll_message(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FusedStream for WebSocketAdapter<S> {
    fn is_terminated(&self) -> bool {
        self.driver.is_terminated()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocketAdapter<S> {
    type Error = Error;

    #[inline]
    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.driver.poll_ready(cx)
    }

    #[inline]
    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.driver.send(message)
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.driver.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.driver.poll_close(cx).map(Ok)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketChannel for WebSocketAdapter<S> {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn ready_state(&self) -> ReadyState {
        self.driver.connection().ready_state()
    }

    fn buffered_amount(&self) -> usize {
        self.driver.connection().buffered()
    }

    fn close_event(&self) -> Option<&CloseEvent> {
        self.driver.event()
    }

    fn start_close(mut self: Pin<&mut Self>, frame: Option<CloseFrame>) -> Result<(), Error> {
        self.driver.start_close(frame.as_ref())
    }
}
