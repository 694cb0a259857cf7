//! A channel as a byte stream, for protocols that know nothing of messages.
//!
//! The two halves of a byte stream are often polled by two tasks (`tokio::io::split`), and either
//! may read and write below: so the channel is polled with a waker that wakes both, as the halves
//! of a split channel are.

mod futures_io;
mod outgoing;
mod tokio_io;
mod view;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use crate::channel::WebSocketChannel;
use crate::stream_channel::waiting::Waiting;

use outgoing::{Framing, Outgoing};
use view::View;

/// A WebSocket channel as a byte stream: what TLS, SSH, a multiplexer or another WebSocket can run
/// over.
///
/// Made by [`WebSocketChannel::into_io`]. It is tokio's [`AsyncRead`], [`AsyncWrite`] and
/// [`AsyncBufRead`], and those of futures' `io`, on every platform.
///
/// **Reading** joins the messages: their payloads, binary or text, one after the other. Where one
/// message ends and the next begins is not seen, and an empty message is nothing at all. A message
/// is not copied before it is read; `poll_fill_buf` lends it as it came. The end of file is a clean
/// end: the peer closed with 1000 or without a code, or this end closed and the peer answered. Any
/// other end is an error: a lost connection, a fault, another close code.
///
/// **Writing** gathers up to [`frame_size`](Self::frame_size) bytes into a message. What was gathered
/// goes out when the message is full, with a flush, or when a read has to wait; so whoever writes
/// and does not read has to flush, as with every writer that buffers. Writing waits as sending on
/// the channel does.
///
/// Bytes that are compressed or encrypted already, as those of TLS and SSH are, gain nothing from the
/// channel's compression and pay for it many times what all else costs: with the feature `deflate`,
/// connect with `no_deflate` for those.
///
/// **Shutting down** sends what was written, closes with 1000, and waits for the peer's answer. It is
/// an error if the closing was not clean, since nobody knows then what has arrived. A WebSocket
/// cannot be closed one way only: what the peer still sends is dropped. To close with another code,
/// flush, and then close [`get_mut`](Self::get_mut).
///
/// Errors are [`io::Error`]s of a fitting [`kind`](io::Error::kind), around an [`Error`](crate::Error)
/// that [`io::Error::get_ref`] gives back. How the connection ended stands in the
/// [`close_event`](WebSocketChannel::close_event) of [`get_ref`](Self::get_ref).
///
/// # Cancellation safety
///
/// As of the traits: a read or a write that is dropped has done nothing, or is repeated; a flush or
/// a shutdown that is dropped goes on with the next.
///
/// # Examples
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use ws_channel::{WebSocketAdapter, WebSocketChannel};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (near, far) = tokio::io::duplex(4096);
/// let (client, server) = tokio::try_join!(
///     WebSocketAdapter::client(near, "ws://example.com/"),
///     WebSocketAdapter::accept(far),
/// )?;
/// let server = tokio::spawn(async move {
///     let mut received = String::new();
///     server.into_io().read_to_string(&mut received).await.map(|_| received)
/// });
/// let mut io = client.into_io();
/// io.write_all(b"as if it were ").await?;
/// io.write_all(b"TCP").await?;
/// io.shutdown().await?;
/// assert_eq!(server.await??, "as if it were TCP");
/// assert!(io.get_ref().close_event().is_some_and(|event| event.was_clean));
/// # Ok(()) }
/// ```
///
/// [`AsyncRead`]: tokio::io::AsyncRead
/// [`AsyncWrite`]: tokio::io::AsyncWrite
/// [`AsyncBufRead`]: tokio::io::AsyncBufRead
#[doc(alias = "NetConn")]
pub struct WebSocketIo<C> {
    view: View<C>,
    waiting: Arc<Waiting>,
    /// `waiting`, as the channel sees it.
    waker: Waker,
}

impl<C> WebSocketIo<C> {
    pub(crate) fn new(channel: C) -> Self {
        let waiting = Arc::new(Waiting::default());
        let waker = Waker::from(Arc::clone(&waiting));
        Self { view: View::new(channel), waiting, waker }
    }

    /// Sends text messages, where the peer takes no binary ones. What is written has to be UTF-8.
    ///
    /// A character that is not complete yet waits for its rest. Bytes that are not UTF-8 are an
    /// error of kind `InvalidData`, and so is a shutdown in the midst of a character.
    pub fn text(mut self) -> Self {
        self.view.outgoing.set_framing(Framing::Text);
        self
    }

    /// Sets how many bytes a message has at most. Default: 64 KiB; at least 4.
    ///
    /// A message is sent when it is full, so this also is how much is gathered. Smaller messages
    /// cost more of everything, larger ones of memory. The peer has to take messages of this size.
    pub fn frame_size(mut self, bytes: usize) -> Self {
        self.view.outgoing.set_frame_size(bytes);
        self
    }

    /// The channel.
    pub const fn get_ref(&self) -> &C {
        &self.view.channel
    }

    /// The channel. Messages that are received here are missing there; messages that are sent
    /// overtake what is gathered.
    pub const fn get_mut(&mut self) -> &mut C {
        &mut self.view.channel
    }

    /// The channel; bytes that were received or written and not read or flushed are lost.
    pub fn into_inner(self) -> C {
        self.view.channel
    }
}

/// What both families of traits are made of: the view, polled for one of two tasks.
impl<C: WebSocketChannel + Unpin> WebSocketIo<C> {
    /// What there is to read, once there is something; empty at the end.
    fn poll_unread(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.view.unread().is_empty() {
            let Self { view, waiting, waker } = self;
            let filled =
                waiting.stream.poll(cx, || view.poll_fill(&mut Context::from_waker(waker)));
            if filled.is_ready() && view.is_over() {
                // The end was found here; who writes may still wait for room.
                waiting.sink.wake();
            }
            ready!(filled)?;
        }
        Poll::Ready(Ok(self.view.unread()))
    }

    /// Hands what there is to read to `copy`, as far as there is room for it.
    fn poll_copy(
        &mut self,
        cx: &mut Context<'_>,
        room: usize,
        copy: impl FnOnce(&[u8]),
    ) -> Poll<io::Result<usize>> {
        if room == 0 {
            return Poll::Ready(Ok(0));
        }
        let unread = ready!(self.poll_unread(cx))?;
        let length = unread.len().min(room);
        copy(&unread[..length]);
        self.view.skip(length);
        Poll::Ready(Ok(length))
    }

    /// Writes what `accept` takes.
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
        accept: impl FnOnce(&mut Outgoing) -> usize,
    ) -> Poll<io::Result<usize>> {
        self.poll_writer(cx, |view, cx| view.poll_accept(cx, accept))
    }

    /// Polls for the task that writes.
    fn poll_writer<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut View<C>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let Self { view, waiting, waker } = self;
        let polled = waiting.sink.poll(cx, || poll(view, &mut Context::from_waker(waker)));
        if polled.is_ready() && view.is_over() {
            // The end was found here, maybe by a write that failed, which wakes nobody who reads.
            waiting.stream.wake();
        }
        polled
    }
}

impl<C: WebSocketChannel> fmt::Debug for WebSocketIo<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketIo")
            .field("ready_state", &self.view.channel.ready_state())
            .field("unread", &self.view.unread().len())
            .field("unsent", &self.view.outgoing.len())
            .finish_non_exhaustive()
    }
}
