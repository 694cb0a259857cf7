//! Opening a WebSocket over a byte stream, as a client.

use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::adapter::exchange::{Deadline, Exchange, TIMEOUT};
use crate::adapter::options::option_setters;
use crate::adapter::{Options, WebSocketAdapter};
use crate::protocol::handshake::{Answer, ClientOpening, RefusedOpening};
use crate::protocol::{Handshake, HandshakeFault, Request, Role, ValidRequest};
use crate::{ConnectError, ConnectErrorKind, ConnectStep, Endpoint, Error, platform};

/// How long the body of an answer that refused is awaited.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

impl<S> WebSocketAdapter<S> {
    /// Opens a WebSocket as a client, over a byte stream that is there already.
    ///
    /// What is returned is awaited, after options have been set where needed. The request's host
    /// is only named to the server; `io` has to lead there, with TLS or without.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`] if the request is not valid, the server answers anything but a WebSocket,
    /// the transport fails, or the timeout passes.
    ///
    /// # Cancellation safety
    ///
    /// Dropping the future drops `io`, and so ends the attempt.
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_channel::WebSocketAdapter;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (here, there) = tokio::io::duplex(4096);
    /// let server = tokio::spawn(WebSocketAdapter::accept(there).protocols(["chat"]).into_future());
    /// let channel = WebSocketAdapter::client(here, "ws://example.com/").protocols(["chat"]).await?;
    /// # drop(channel);
    /// # server.await??;
    /// # Ok(())
    /// # }
    /// ```
    pub fn client(io: S, request: impl Into<Request>) -> ClientHandshake<S> {
        ClientHandshake {
            io,
            request: request.into(),
            timeout: Some(TIMEOUT),
            keep_headers: true,
            options: Options::new(),
        }
    }
}

/// A client's opening handshake, to be awaited; made by [`WebSocketAdapter::client`].
#[derive(Debug)]
#[must_use = "a handshake does nothing until it is awaited"]
pub struct ClientHandshake<S> {
    io: S,
    request: Request,
    timeout: Option<Duration>,
    keep_headers: bool,
    options: Options,
}

impl<S> ClientHandshake<S> {
    /// Sets the subprotocols that are offered to the server, the most wanted first.
    ///
    /// The same as [`Request::protocols`].
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.request = self.request.protocols(protocols);
        self
    }

    /// Adds a header to the request.
    ///
    /// The same as [`Request::header`].
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.request = self.request.header(name, value);
        self
    }

    /// Sets how long the handshake may take. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Leaves the deadline to the caller, who has one over more than the handshake.
    #[allow(dead_code, reason = "for the native connector")]
    pub(crate) fn without_timeout(mut self) -> Self {
        self.timeout = None;
        self
    }

    /// Lets go of the response's headers after the handshake.
    ///
    /// [`Handshake::headers`] is then empty, and an idle connection holds that much less.
    pub fn discard_headers(mut self) -> Self {
        self.keep_headers = false;
        self
    }

    /// Sets all limits and deadlines of the connection at once; those set before are replaced.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    option_setters!();

    fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    /// The byte stream.
    pub const fn get_ref(&self) -> &S {
        &self.io
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> IntoFuture for ClientHandshake<S> {
    type Output = Result<WebSocketAdapter<S>, Error>;
    type IntoFuture = ClientHandshaking<S>;

    fn into_future(self) -> ClientHandshaking<S> {
        let deadline = Deadline::new(self.timeout);
        let state = match self.request.validate() {
            Ok(request) => {
                State::Running(Attempt::new(self.io, request, self.keep_headers, self.options))
            }
            Err(error) => State::Invalid(error),
        };
        ClientHandshaking { state, deadline }
    }
}

/// A byte stream that is there already, and what to ask for on it; as [`WebSocketAdapter::client`].
impl<R, S> Endpoint for (R, S)
where
    R: Into<Request>,
    S: AsyncRead + AsyncWrite + Unpin,
{
    type Channel = WebSocketAdapter<S>;
    type Connect = ClientHandshake<S>;

    fn connect(self) -> ClientHandshake<S> {
        WebSocketAdapter::client(self.1, self.0)
    }
}

/// A client's opening handshake under way; the future of [`ClientHandshake`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ClientHandshaking<S> {
    state: State<S>,
    deadline: Deadline,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one a connection, and only while it opens")]
enum State<S> {
    Invalid(ConnectError),
    Running(Attempt<S>),
    Done,
}

#[derive(Debug)]
struct Attempt<S> {
    exchange: Exchange<S>,
    opening: ClientOpening,
    url: Box<str>,
    step: Step,
    options: Options,
}

#[derive(Debug)]
enum Step {
    Sending,
    /// A server may answer before it has read the whole request, and close: then sending fails, and
    /// the answer is the better error.
    Receiving {
        not_sent: Option<io::Error>,
    },
    ReceivingBody {
        refused: RefusedOpening,
        deadline: Deadline,
    },
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for ClientHandshaking<S> {
    type Output = Result<WebSocketAdapter<S>, Error>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut attempt = match std::mem::replace(&mut this.state, State::Done) {
            State::Running(attempt) => attempt,
            State::Invalid(error) => return Poll::Ready(Err(error.into())),
            // Left behind by a `Ready` alone: it takes a caller who polls again, whatever a
            // peer sends.
            State::Done => panic!("polled after completion"),
        };
        let outcome = match (attempt.poll(cx), this.deadline.poll(cx)) {
            (Poll::Ready(outcome), _) => outcome,
            (Poll::Pending, Poll::Ready(after)) => Err(attempt.give_up(after)),
            (Poll::Pending, Poll::Pending) => {
                this.state = State::Running(attempt);
                return Poll::Pending;
            }
        };
        Poll::Ready(attempt.finish(outcome))
    }
}

impl<S> Attempt<S> {
    fn new(io: S, request: ValidRequest, keep_headers: bool, options: Options) -> Self {
        let url = request.url().into();
        let key = platform::handshake_key();
        #[cfg(feature = "deflate")]
        let (mut opening, head) = ClientOpening::offering(request, key, options.deflate);
        #[cfg(not(feature = "deflate"))]
        let (mut opening, head) = ClientOpening::new(request, key);
        if !keep_headers {
            opening.discard_headers();
        }
        Self { exchange: Exchange::new(io, head), opening, url, step: Step::Sending, options }
    }

    /// What is there of an answer tells more than that it was late.
    fn give_up(&mut self, after: Duration) -> ConnectErrorKind {
        match &mut self.step {
            Step::ReceivingBody { refused, .. } => ConnectErrorKind::Handshake(refused.error()),
            _ => ConnectErrorKind::Timeout { step: ConnectStep::Upgrade, after },
        }
    }

    fn finish(
        self,
        outcome: Result<Handshake, ConnectErrorKind>,
    ) -> Result<WebSocketAdapter<S>, Error> {
        let handshake = outcome.map_err(|kind| ConnectError::new(self.url, kind))?;
        let (io, rest) = self.exchange.into_parts();
        Ok(WebSocketAdapter::new(io, Role::Client, handshake, &self.options, rest))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Attempt<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Handshake, ConnectErrorKind>> {
        loop {
            match &mut self.step {
                Step::Sending => {
                    let not_sent = ready!(self.exchange.poll_send(cx)).err();
                    self.step = Step::Receiving { not_sent };
                }
                Step::Receiving { not_sent } => {
                    let answer = self.opening.read(&mut self.exchange.inbound);
                    match answer.map_err(ConnectErrorKind::Handshake)? {
                        Answer::Upgraded(handshake) => return Poll::Ready(Ok(handshake)),
                        Answer::Refused(refused) => {
                            let deadline = Deadline::new(Some(BODY_TIMEOUT));
                            self.step = Step::ReceivingBody { refused, deadline };
                            continue;
                        }
                        Answer::Partial => {}
                    }
                    let n = match ready!(self.exchange.poll_receive(cx)) {
                        Ok(n) => n,
                        Err(error) => {
                            let error = not_sent.take().unwrap_or(error);
                            return Poll::Ready(Err(ConnectErrorKind::Io(error)));
                        }
                    };
                    if n == 0 {
                        return Poll::Ready(Err(match not_sent.take() {
                            Some(error) => ConnectErrorKind::Io(error),
                            None => ConnectErrorKind::Handshake(HandshakeFault::EndOfStream.into()),
                        }));
                    }
                }
                Step::ReceivingBody { refused, deadline } => {
                    let mut is_whole = refused.take_body(&mut self.exchange.inbound);
                    if !is_whole {
                        is_whole = match self.exchange.poll_receive(cx) {
                            Poll::Ready(read) => !read.is_ok_and(|n| n > 0),
                            Poll::Pending => {
                                ready!(deadline.poll(cx));
                                true
                            }
                        };
                    }
                    if is_whole {
                        return Poll::Ready(Err(ConnectErrorKind::Handshake(refused.error())));
                    }
                }
            }
        }
    }
}
