//! The I/O of an opening handshake: bytes out, bytes in, a deadline, and a polite end.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::platform::{self, Timer};

/// How long an opening handshake may take unless set.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// How much is read at a time, in bytes.
const STEP: usize = 4 << 10;

/// How long a client that was refused may take to read its answer and go.
const LINGER: Duration = Duration::from_secs(1);

/// How much of what it sends meanwhile is read, in bytes.
const LINGER_LIMIT: usize = 1 << 20;

/// An io with what is to be sent, and what has been received.
#[derive(Debug)]
pub(crate) struct Exchange<S> {
    pub(crate) io: S,
    pub(crate) inbound: BytesMut,
    outbound: Bytes,
}

impl<S> Exchange<S> {
    pub(crate) fn new(io: S, outbound: Bytes) -> Self {
        Self { io, inbound: BytesMut::new(), outbound }
    }

    /// Sets what is to be sent next.
    pub(crate) fn send(&mut self, outbound: Bytes) {
        self.outbound = outbound;
    }

    /// The io and what came behind the handshake, in a buffer just as large.
    pub(crate) fn into_parts(self) -> (S, BytesMut) {
        (self.io, BytesMut::from(&self.inbound[..]))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<S> {
    /// Writes what is to be sent, and flushes.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.outbound.has_remaining() {
            let n = ready!(Pin::new(&mut self.io).poll_write(cx, &self.outbound))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outbound.advance(n);
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Reads some more into `inbound`; 0 is the end of the stream.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.inbound.capacity() - self.inbound.len() < STEP / 4 {
            self.inbound.reserve(STEP / 2);
        }
        let mut window = (&mut self.inbound).limit(STEP);
        pin!(self.io.read_buf(&mut window)).poll(cx)
    }
}

/// A time after which something is given up, counted from the first poll.
///
/// Only then is it sure that the task runs in a runtime.
#[derive(Debug)]
pub(crate) struct Deadline {
    after: Option<Duration>,
    timer: Option<Timer>,
}

impl Deadline {
    pub(crate) const fn new(after: Option<Duration>) -> Self {
        Self { after, timer: None }
    }

    /// Ready with its length once the time is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        let Some(after) = self.after else { return Poll::Pending };
        self.timer.get_or_insert_with(|| platform::timer(after)).poll(cx).map(|()| after)
    }

    /// Whether it will pass: outside of a runtime there is no clock.
    fn is_running(&self) -> bool {
        self.timer.as_ref().is_some_and(|timer| timer.deadline().is_some())
    }
}

/// The last answer on a connection.
///
/// Sends it, shuts the transport down, and reads on for a short while: closing with unread bytes
/// would reset the connection, and the peer might never see the answer.
#[derive(Debug)]
pub(crate) struct Farewell<S> {
    exchange: Exchange<S>,
    stage: Stage,
    deadline: Deadline,
}

#[derive(Debug)]
enum Stage {
    Sending,
    ShuttingDown,
    Lingering { read: usize },
}

impl<S> Farewell<S> {
    pub(crate) fn new(mut exchange: Exchange<S>, answer: Bytes, timeout: Duration) -> Self {
        exchange.send(answer);
        Self { exchange, stage: Stage::Sending, deadline: Deadline::new(Some(timeout)) }
    }
}

/// Answers a request that is not read: there is no place for it.
#[cfg(feature = "server")]
pub(crate) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    io: S,
    response: &http::Response<Bytes>,
    timeout: Duration,
) -> io::Result<()> {
    use crate::protocol::handshake::encode_response;

    let answer = encode_response(response.status(), response.headers(), response.body());
    let mut farewell = Farewell::new(Exchange::new(io, Bytes::new()), answer, timeout);
    std::future::poll_fn(|cx| farewell.poll(cx)).await
}

impl<S: AsyncRead + AsyncWrite + Unpin> Farewell<S> {
    /// Ready once all is done, or the time is over; an error means that the answer was not sent.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let polled = match &mut self.stage {
                Stage::Sending => self.exchange.poll_send(cx),
                Stage::ShuttingDown => Pin::new(&mut self.exchange.io).poll_shutdown(cx),
                Stage::Lingering { read } => {
                    self.exchange.inbound.clear();
                    match self.exchange.poll_receive(cx) {
                        Poll::Ready(Ok(n)) if n > 0 && *read < LINGER_LIMIT => {
                            *read += n;
                            continue;
                        }
                        polled => polled.map_ok(|_| ()),
                    }
                }
            };
            let is_sent = !matches!(self.stage, Stage::Sending);
            self.stage = match (polled, &self.stage) {
                (Poll::Pending, stage) => {
                    let may_go = matches!(stage, Stage::Lingering { .. });
                    if self.deadline.poll(cx).is_pending()
                        && (self.deadline.is_running() || !may_go)
                    {
                        return Poll::Pending;
                    }
                    return Poll::Ready(if is_sent {
                        Ok(())
                    } else {
                        Err(io::ErrorKind::TimedOut.into())
                    });
                }
                (Poll::Ready(Err(error)), Stage::Sending) => return Poll::Ready(Err(error)),
                (Poll::Ready(Ok(())), Stage::Sending) => Stage::ShuttingDown,
                (Poll::Ready(Ok(())), Stage::ShuttingDown) => {
                    self.deadline = Deadline::new(Some(LINGER));
                    Stage::Lingering { read: 0 }
                }
                (Poll::Ready(_), _) => return Poll::Ready(Ok(())),
            };
        }
    }
}
