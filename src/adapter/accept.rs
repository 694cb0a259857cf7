//! Opening a WebSocket over a byte stream, as a server.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
#[cfg(feature = "server")]
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
#[cfg(feature = "server")]
use http::Response;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::adapter::WebSocketAdapter;
use crate::adapter::exchange::{Deadline, Exchange, Farewell, TIMEOUT};
use crate::adapter::incoming::{Answering, Incoming};
use crate::adapter::terms::{Terms, term_setters};
use crate::protocol::InvalidUpgrade;
use crate::protocol::handshake::{RequestReader, UpgradeRequest};
use crate::{AcceptError, Error};

impl<S> WebSocketAdapter<S> {
    /// Opens a WebSocket as a server, over a byte stream on which a client will ask for one.
    ///
    /// What is returned is awaited, after options have been set where needed. To look at the
    /// request first, use [`Accept::request`]. A request that is not a valid upgrade, or not a
    /// wanted one, gets its proper HTTP answer (400, 403, 405, 426 and so on) before the error is
    /// returned; that may take a second more, so that the answer arrives.
    ///
    /// # Errors
    ///
    /// [`Error::Accept`] if the request is refused, the client goes away, the transport fails, or
    /// the timeout passes.
    ///
    /// # Cancellation safety
    ///
    /// Dropping the future drops `io`, and so ends the attempt.
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_channel::{Error, WebSocketAdapter};
    /// use tokio::net::TcpStream;
    ///
    /// async fn serve(stream: TcpStream) -> Result<(), Error> {
    ///     let channel = WebSocketAdapter::accept(stream)
    ///         .protocols(["chat.v2", "chat"])
    ///         .allowed_origins(["https://example.com"])
    ///         .await?;
    ///     # drop(channel);
    ///     Ok(())
    /// }
    /// ```
    #[doc(alias("upgrade", "WebSocketTransformer"))]
    pub fn accept(io: S) -> Accept<S> {
        Accept { io, terms: Terms::default(), timeout: TIMEOUT }
    }
}

/// A server's opening handshake, to be awaited; made by [`WebSocketAdapter::accept`].
#[doc(alias = "webSocketHandler")]
#[derive(Debug)]
#[must_use = "a handshake does nothing until it is awaited"]
pub struct Accept<S> {
    io: S,
    terms: Terms,
    timeout: Duration,
}

impl<S> Accept<S> {
    term_setters!();

    fn terms_mut(&mut self) -> &mut Terms {
        &mut self.terms
    }

    /// Sets what is answered to what does not ask for a WebSocket, in place of 426.
    #[cfg(feature = "server")]
    pub(crate) fn fallback(mut self, answer: Option<Arc<Response<Bytes>>>) -> Self {
        self.terms.fallback = answer;
        self
    }

    /// Sets how long the client may take for its request, and then to take the answer. Default:
    /// 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The byte stream.
    pub const fn get_ref(&self) -> &S {
        &self.io
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Accept<S> {
    /// Reads the request, to decide with it in hand: the first of two steps.
    ///
    /// Resolves once a valid and wanted upgrade is there, whose [`Incoming`] is then accepted or
    /// rejected. Anything else is answered and returned as an error, as in one step.
    ///
    /// # Errors
    ///
    /// As [`WebSocketAdapter::accept`].
    ///
    /// # Cancellation safety
    ///
    /// Dropping the future drops the byte stream, and so ends the attempt.
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_channel::{Error, WebSocketAdapter};
    /// use tokio::net::TcpStream;
    ///
    /// async fn serve(stream: TcpStream) -> Result<(), Error> {
    ///     let request = WebSocketAdapter::accept(stream).request().await?;
    ///     if request.target() != "/chat" {
    ///         let mut response = http::Response::new("no such room\n");
    ///         *response.status_mut() = http::StatusCode::NOT_FOUND;
    ///         return request.reject(response).await;
    ///     }
    ///     let channel = request.header("x-session", "a1b2").accept().await?;
    ///     # drop(channel);
    ///     Ok(())
    /// }
    /// ```
    pub fn request(self) -> Receiving<S> {
        let Self { io, terms, timeout } = self;
        Receiving {
            state: State::Reading {
                exchange: Exchange::new(io, Bytes::new()),
                reader: RequestReader::default(),
                terms,
            },
            deadline: Deadline::new(Some(timeout)),
            timeout,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> IntoFuture for Accept<S> {
    type Output = Result<WebSocketAdapter<S>, Error>;
    type IntoFuture = Accepting<S>;

    fn into_future(self) -> Accepting<S> {
        Accepting(Phase::Receiving(self.request()))
    }
}

/// A request being read; the future of [`Accept::request`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Receiving<S> {
    state: State<S>,
    deadline: Deadline,
    timeout: Duration,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one a connection, and only while it opens")]
enum State<S> {
    Reading { exchange: Exchange<S>, reader: RequestReader, terms: Terms },
    Refusing { farewell: Farewell<S>, fault: InvalidUpgrade },
    Done,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Receiving<S> {
    type Output = Result<Incoming<S>, Error>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match std::mem::replace(&mut this.state, State::Done) {
                State::Reading { mut exchange, mut reader, terms } => {
                    let outcome = match poll_request(&mut exchange, &mut reader, &terms, cx) {
                        Poll::Ready(outcome) => outcome,
                        Poll::Pending => match this.deadline.poll(cx) {
                            Poll::Ready(after) => Err(AcceptError::Timeout(after)),
                            Poll::Pending => {
                                this.state = State::Reading { exchange, reader, terms };
                                return Poll::Pending;
                            }
                        },
                    };
                    match outcome {
                        Ok(request) => {
                            let incoming = Incoming::new(exchange, request, terms, this.timeout);
                            return Poll::Ready(Ok(incoming));
                        }
                        Err(AcceptError::Refused(fault)) => {
                            let answer = terms.refusal(&fault);
                            let farewell = Farewell::new(exchange, answer, this.timeout);
                            this.state = State::Refusing { farewell, fault };
                        }
                        Err(error) => return Poll::Ready(Err(error.into())),
                    }
                }
                State::Refusing { mut farewell, fault } => {
                    if farewell.poll(cx).is_ready() {
                        return Poll::Ready(Err(AcceptError::Refused(fault).into()));
                    }
                    this.state = State::Refusing { farewell, fault };
                    return Poll::Pending;
                }
                // Left behind by a `Ready` alone: it takes a caller who polls again, whatever a
                // peer sends.
                State::Done => panic!("polled after completion"),
            }
        }
    }
}

/// Reads until a request is whole, and judges it.
fn poll_request<S: AsyncRead + AsyncWrite + Unpin>(
    exchange: &mut Exchange<S>,
    reader: &mut RequestReader,
    terms: &Terms,
    cx: &mut Context<'_>,
) -> Poll<Result<UpgradeRequest, AcceptError>> {
    loop {
        if let Some(request) = reader.read(&mut exchange.inbound).map_err(AcceptError::Refused)? {
            return Poll::Ready(
                terms.judge(&request).map(|()| request).map_err(AcceptError::Refused),
            );
        }
        let n = ready!(exchange.poll_receive(cx)).map_err(AcceptError::Io)?;
        if n == 0 {
            return Poll::Ready(Err(AcceptError::EndOfStream));
        }
    }
}

/// A WebSocket being opened by a server; the future of [`Accept`] and of [`Incoming::accept`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Accepting<S>(Phase<S>);

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one a connection, and only while it opens")]
enum Phase<S> {
    Receiving(Receiving<S>),
    Answering(Answering<S>),
}

impl<S> Accepting<S> {
    pub(crate) fn answering(answering: Answering<S>) -> Self {
        Self(Phase::Answering(answering))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Accepting<S> {
    type Output = Result<WebSocketAdapter<S>, Error>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match &mut this.0 {
                Phase::Receiving(receiving) => match ready!(Pin::new(receiving).poll(cx)) {
                    Ok(incoming) => this.0 = Phase::Answering(incoming.into_answering()),
                    Err(error) => return Poll::Ready(Err(error)),
                },
                Phase::Answering(answering) => return answering.poll(cx),
            }
        }
    }
}
