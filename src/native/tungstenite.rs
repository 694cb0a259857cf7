//! The wrapper of tokio-tungstenite's stream.

mod ending;
mod translate;

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{WebSocketStream, tungstenite};

use self::ending::Ending;
use crate::channel::{WebSocketChannel, inherent_close_and_split};
use crate::protocol::{CloseEvent, CloseFrame, Initiator, Message, ReadyState};
use crate::{Error, Handshake};

/// A channel over an established [`tokio_tungstenite::WebSocketStream`], client or server.
///
/// For a program that has such a stream and moves over to this crate one line at a time: messages,
/// the closing handshake and the errors are those of every other channel. A new program connects
/// with [`connect`](crate::connect) and accepts with
/// [`WebSocketAdapter::accept`](crate::WebSocketAdapter::accept), which have none of the limits
/// below.
///
/// # Limits
///
/// What tokio-tungstenite does not let a wrapper do:
///
/// - The handshake is over when the stream gets here, so [`Handshake`] is empty unless
///   [`with_handshake`](Self::with_handshake) is called.
/// - There is no compression; a compressed frame breaks the connection.
/// - The role is unknown: code 1010 is not refused when a server sends it.
/// - Of a close code that a peer sends, 1014, 1016–2999 and all that may not stand on the wire are
///   reported and answered as 1002, with another reason.
/// - There is no keepalive: a connection lost without a sign is found by sending.
/// - Pongs leave when the stream is polled or the sink flushed; of several that do not fit below
///   `max_write_buffer_size`, where that is set, only the last. A peer that floods pings is not
///   given up.
/// - Text is checked when its frame is complete, not at the first wrong byte; lengths need not be
///   in their shortest form.
/// - Size limits are those of the stream's own `WebSocketConfig`, 64 MiB a message and 16 MiB a
///   frame unless set; with `max_write_buffer_size` a message that does not fit is an error.
/// - Buffers are 128 KiB when idle, grow with announced lengths, and do not shrink; a message of
///   many MiB over a slow transport takes time with the square of its size.
/// - [`buffered_amount`](crate::WebSocketChannel::buffered_amount) is an upper bound: it falls only
///   when everything is written.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
/// use tokio_tungstenite::WebSocketStream;
/// use ws_channel::TungsteniteChannel;
///
/// async fn print_all(old: WebSocketStream<tokio::net::TcpStream>) -> Result<(), ws_channel::Error> {
///     let mut channel = TungsteniteChannel::from(old);
///     while let Some(message) = channel.next().await {
///         println!("{:?}", message?);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct TungsteniteChannel<S> {
    inner: WebSocketStream<S>,
    handshake: Handshake,
    close_timeout: Duration,
    /// Payload bytes accepted since the transport last took everything.
    unflushed: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    /// A write failed: nothing more can be sent, but what has arrived is still to be read.
    Mute,
    Ending(Ending),
    Closed {
        event: CloseEvent,
        /// What the stream has yet to say before its `None`.
        error: Option<Error>,
    },
}

impl<S> TungsteniteChannel<S> {
    /// Sets what is known of the opening handshake: the URL, the subprotocol.
    pub fn with_handshake(mut self, handshake: Handshake) -> Self {
        self.handshake = handshake;
        self
    }

    /// Sets how long closing may take: what is queued, the Close frame, the peer's answer and the
    /// transport's shutdown together. Default: 5 s.
    pub fn with_close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// The stream inside.
    pub const fn get_ref(&self) -> &WebSocketStream<S> {
        &self.inner
    }

    /// The stream inside; what this channel knew of its end is gone.
    pub fn into_inner(self) -> WebSocketStream<S> {
        self.inner
    }

    fn closed(&self) -> Error {
        Error::closed(match &self.state {
            State::Closed { event, .. } => Some(event),
            _ => None,
        })
    }
}

impl<S> From<WebSocketStream<S>> for TungsteniteChannel<S> {
    fn from(inner: WebSocketStream<S>) -> Self {
        Self {
            inner,
            handshake: Handshake::default(),
            close_timeout: crate::Options::new().close_timeout,
            unflushed: 0,
            state: State::Open,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TungsteniteChannel<S> {
    inherent_close_and_split!();

    /// Begins the end with a Close frame of this side.
    fn close_locally(&mut self, frame: Option<&CloseFrame>, error: Option<Error>) {
        // A transport that takes nothing more is found by the flush that follows.
        let close = tungstenite::Message::Close(frame.map(translate::close_frame));
        let _ = Pin::new(&mut self.inner).start_send(close);
        let mut ending = Ending::new(Initiator::Local, self.close_timeout);
        if let Some(error) = error {
            ending.fail(error);
        }
        self.state = State::Ending(ending);
    }

    /// Begins the end after a read has failed: answers a fault, or notes the loss.
    fn fail(&mut self, error: tungstenite::Error) {
        let error = translate::error(error);
        if let Some(frame) = translate::answer(&error) {
            self.close_locally(Some(&frame), Some(error));
        } else {
            let mut ending = Ending::new(Initiator::Peer, self.close_timeout);
            ending.fail(error);
            self.state = State::Ending(ending);
        }
    }

    /// Drives the end on until it is complete.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let State::Ending(ending) = &mut self.state {
            let (event, error) = ready!(ending.poll(&mut self.inner, cx));
            if ending.is_flushed() {
                self.unflushed = 0;
            }
            self.state = State::Closed { event, error };
        }
        Poll::Ready(())
    }

    /// Notes that the transport takes no more; the reader finds out how it ended.
    fn write_failed(&mut self, error: tungstenite::Error) -> Error {
        if matches!(self.state, State::Open) {
            self.state = State::Mute;
        }
        translate::error(error)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for TungsteniteChannel<S> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        use tungstenite::Message as Theirs;

        let this = self.get_mut();
        loop {
            match &mut this.state {
                State::Open | State::Mute => {}
                State::Ending(_) => {
                    ready!(this.poll_end(cx));
                    continue;
                }
                State::Closed { error, .. } => return Poll::Ready(error.take().map(Err)),
            }
            match ready!(Pin::new(&mut this.inner).poll_next(cx)) {
                Some(Ok(Theirs::Text(text))) => {
                    return Poll::Ready(Some(translate::text(text).map(Message::Text)));
                }
                Some(Ok(Theirs::Binary(bytes))) => {
                    return Poll::Ready(Some(Ok(Message::Binary(bytes))));
                }
                Some(Ok(Theirs::Close(frame))) => {
                    let mut ending = Ending::new(Initiator::Peer, this.close_timeout);
                    ending.receive(frame);
                    this.state = State::Ending(ending);
                }
                // Polling on writes the pong.
                Some(Ok(Theirs::Ping(_) | Theirs::Pong(_) | Theirs::Frame(_))) => {}
                Some(Err(error)) => this.fail(error),
                None => this.fail(tungstenite::Error::ConnectionClosed),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for TungsteniteChannel<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        if !matches!(this.state, State::Open) {
            return Poll::Ready(Err(this.closed()));
        }
        // tungstenite takes any amount; this is where a sender waits for a slow transport.
        if this.unflushed >= this.inner.get_config().write_buffer_size.max(1) {
            return Pin::new(this).poll_flush(cx);
        }
        match ready!(Pin::new(&mut this.inner).poll_ready(cx)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(this.write_failed(error))),
        }
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        let this = self.get_mut();
        if !matches!(this.state, State::Open) {
            return Err(this.closed());
        }
        let size = message.len();
        match Pin::new(&mut this.inner).start_send(translate::message(message)) {
            Ok(()) => {
                this.unflushed += size;
                Ok(())
            }
            // Nothing was sent and nothing is lost: the channel stays open.
            Err(error @ tungstenite::Error::WriteBufferFull(_)) => Err(translate::error(error)),
            Err(error) => Err(this.write_failed(error)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        match this.state {
            State::Open => match ready!(Pin::new(&mut this.inner).poll_flush(cx)) {
                Ok(()) => {
                    this.unflushed = 0;
                    Poll::Ready(Ok(()))
                }
                Err(error) => Poll::Ready(Err(this.write_failed(error))),
            },
            State::Mute => Poll::Ready(Err(this.closed())),
            // What was queued goes out with the Close frame, or is lost with the connection.
            State::Ending(_) | State::Closed { .. } => {
                ready!(this.poll_end(cx));
                Poll::Ready(if this.unflushed == 0 { Ok(()) } else { Err(this.closed()) })
            }
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        if matches!(this.state, State::Open | State::Mute) {
            this.close_locally(None, None);
        }
        this.poll_end(cx).map(Ok)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketChannel for TungsteniteChannel<S> {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn ready_state(&self) -> ReadyState {
        match self.state {
            State::Open => ReadyState::Open,
            State::Mute | State::Ending(_) => ReadyState::Closing,
            State::Closed { .. } => ReadyState::Closed,
        }
    }

    fn buffered_amount(&self) -> usize {
        self.unflushed
    }

    fn close_event(&self) -> Option<&CloseEvent> {
        match &self.state {
            State::Closed { event, .. } => Some(event),
            _ => None,
        }
    }

    fn start_close(self: Pin<&mut Self>, frame: Option<CloseFrame>) -> Result<(), Error> {
        let this = self.get_mut();
        if matches!(this.state, State::Open | State::Mute) {
            this.close_locally(frame.as_ref(), None);
        }
        Ok(())
    }
}
