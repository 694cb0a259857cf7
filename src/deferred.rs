//! A channel that is there before its connection is.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{Sink, Stream, TryFuture, TryFutureExt};

use crate::channel::{WebSocketChannel, inherent_close_and_split};
use crate::protocol::{CloseEvent, CloseFrame, Initiator, Message, ReadyState, Utf8Bytes};
use crate::{Error, Handshake, status};

/// A channel that can be held, passed on and split while it still connects.
///
/// Made by `Connect::deferred`, or by [`new`](Self::new) of any attempt. It begins in
/// [`ReadyState::Connecting`], with a handshake that knows only the URL. The attempt goes on whenever
/// the channel is polled, and not by itself; [`ready`](WebSocketChannel::ready) waits for it. Until
/// then:
///
/// - **Sending** and receiving wait; nothing is sent before the connection is there.
/// - **Closing** gives the attempt up and resolves at once: the event is 1006 and not clean, as in
///   browsers, and the stream ends with `None`.
/// - **Dropping** the channel frees the attempt's socket.
///
/// If the attempt fails, whoever asks first is told why: `ready`, a send, or the stream. From then on
/// sending is [`Error::Closed`], and the event is 1006. The stream always has one error before it
/// ends: that of the attempt, or [`Error::Closed`] if that was told already.
///
/// # Cancellation safety
///
/// Every future can be dropped at any await; the attempt goes on with the next.
///
/// # Examples
///
/// ```no_run
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::{Error, ReadyState, WebSocketAdapter, WebSocketChannel, DeferredChannel};
///
/// # async fn example() -> Result<(), Error> {
/// let io = tokio::io::duplex(1024).0;
/// let url = "ws://example.com/chat";
/// let attempt = WebSocketAdapter::client(io, url).into_future();
/// let mut channel = DeferredChannel::new(url, attempt);
/// assert_eq!((channel.ready_state(), channel.url()), (ReadyState::Connecting, url));
/// channel.send("sent when it is open".into()).await?;
/// # Ok(()) }
/// ```
#[must_use = "channels do nothing unless polled"]
pub struct DeferredChannel<F: TryFuture> {
    state: State<F, F::Ok>,
}

enum State<F, C> {
    Connecting {
        attempt: F,
        /// What is known: the URL.
        handshake: Handshake,
    },
    Open(C),
    Over {
        handshake: Handshake,
        event: CloseEvent,
        /// Whether the stream has yet to say that something broke.
        stream_is_due: bool,
    },
}

impl<F> DeferredChannel<F>
where
    F: TryFuture<Error = Error> + Unpin,
    F::Ok: WebSocketChannel + Unpin,
{
    /// The channel that `attempt` will give, for a URL without user name and password.
    pub fn new(url: impl Into<String>, attempt: F) -> Self {
        Self { state: State::Connecting { attempt, handshake: Handshake::new(url) } }
    }

    inherent_close_and_split!();
}

impl<F: TryFuture> DeferredChannel<F> {
    /// The channel inside, once it is there.
    pub fn get_ref(&self) -> Option<&F::Ok> {
        match &self.state {
            State::Open(channel) => Some(channel),
            _ => None,
        }
    }

    /// The channel inside, once it is there.
    pub fn get_mut(&mut self) -> Option<&mut F::Ok> {
        match &mut self.state {
            State::Open(channel) => Some(channel),
            _ => None,
        }
    }

    /// The channel inside, if it is there; else the attempt is dropped.
    pub fn into_inner(self) -> Option<F::Ok> {
        match self.state {
            State::Open(channel) => Some(channel),
            _ => None,
        }
    }

    /// Ends it without a connection.
    fn end(&mut self, initiator: Initiator) {
        if let State::Connecting { handshake, .. } = &self.state {
            let event = CloseEvent {
                code: status::ABNORMAL_CLOSURE,
                reason: Utf8Bytes::from_static(""),
                was_clean: false,
                initiator,
            };
            let (handshake, stream_is_due) = (handshake.clone(), initiator == Initiator::Peer);
            // The attempt is dropped here, and its socket with it.
            self.state = State::Over { handshake, event, stream_is_due };
        }
    }
}

impl<F> DeferredChannel<F>
where
    F: TryFuture<Error = Error> + Unpin,
    F::Ok: WebSocketChannel + Unpin,
{
    /// The channel inside, once the attempt is over; whoever finds that it failed has its error.
    fn poll_channel(&mut self, cx: &mut Context<'_>) -> Poll<Result<Pin<&mut F::Ok>, Error>> {
        if let State::Connecting { attempt, .. } = &mut self.state {
            match ready!(attempt.try_poll_unpin(cx)) {
                Ok(channel) => self.state = State::Open(channel),
                Err(error) => {
                    self.end(Initiator::Peer);
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Ready(match &mut self.state {
            State::Open(channel) => Ok(Pin::new(channel)),
            State::Over { event, .. } => Err(Error::closed(Some(event))),
            State::Connecting { .. } => Err(Error::closed(None)),
        })
    }
}

impl<F> Stream for DeferredChannel<F>
where
    F: TryFuture<Error = Error> + Unpin,
    F::Ok: WebSocketChannel + Unpin,
{
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let error = match ready!(this.poll_channel(cx)) {
            Ok(channel) => return channel.poll_next(cx),
            Err(error) => error,
        };
        let is_due = match &mut this.state {
            State::Over { stream_is_due, .. } => std::mem::take(stream_is_due),
            _ => false,
        };
        Poll::Ready(is_due.then_some(Err(error)))
    }
}

impl<F> Sink<Message> for DeferredChannel<F>
where
    F: TryFuture<Error = Error> + Unpin,
    F::Ok: WebSocketChannel + Unpin,
{
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.get_mut().poll_channel(cx))?.poll_ready(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        match &mut self.get_mut().state {
            State::Open(channel) => Pin::new(channel).start_send(message),
            // Who did not wait for `poll_ready`.
            State::Connecting { .. } => Err(io::Error::from(io::ErrorKind::WouldBlock).into()),
            State::Over { event, .. } => Err(Error::closed(Some(event))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.get_mut().get_mut() {
            Some(channel) => Pin::new(channel).poll_flush(cx),
            // Nothing was accepted.
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        this.end(Initiator::Local);
        match this.get_mut() {
            Some(channel) => Pin::new(channel).poll_close(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<F> WebSocketChannel for DeferredChannel<F>
where
    F: TryFuture<Error = Error> + Unpin,
    F::Ok: WebSocketChannel + Unpin,
{
    fn handshake(&self) -> &Handshake {
        match &self.state {
            State::Open(channel) => channel.handshake(),
            State::Connecting { handshake, .. } | State::Over { handshake, .. } => handshake,
        }
    }

    fn ready_state(&self) -> ReadyState {
        match &self.state {
            State::Connecting { .. } => ReadyState::Connecting,
            State::Open(channel) => channel.ready_state(),
            State::Over { .. } => ReadyState::Closed,
        }
    }

    fn buffered_amount(&self) -> usize {
        self.get_ref().map_or(0, WebSocketChannel::buffered_amount)
    }

    fn close_event(&self) -> Option<&CloseEvent> {
        match &self.state {
            State::Connecting { .. } => None,
            State::Open(channel) => channel.close_event(),
            State::Over { event, .. } => Some(event),
        }
    }

    fn start_close(self: Pin<&mut Self>, frame: Option<CloseFrame>) -> Result<(), Error> {
        let this = self.get_mut();
        this.end(Initiator::Local);
        match this.get_mut() {
            Some(channel) => Pin::new(channel).start_close(frame),
            None => Ok(()),
        }
    }
}

impl<F> fmt::Debug for DeferredChannel<F>
where
    F: TryFuture<Error = Error> + Unpin,
    F::Ok: WebSocketChannel + Unpin,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredChannel")
            .field("url", &self.url())
            .field("ready_state", &self.ready_state())
            .finish_non_exhaustive()
    }
}
