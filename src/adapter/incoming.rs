//! A client that asks for a WebSocket, before it is answered.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::adapter::exchange::{Deadline, Exchange, Farewell};
use crate::adapter::terms::Terms;
use crate::adapter::{Accepting, Options, WebSocketAdapter};
use crate::protocol::handshake::{Fields, UpgradeRequest, encode_response};
use crate::protocol::{Handshake, Role};
use crate::{AcceptError, Error};

/// A valid request for a WebSocket that waits for its answer: [`accept`](Self::accept) or
/// [`reject`](Self::reject).
///
/// Made by [`Accept::request`](crate::Accept::request). Dropping it ends the connection without
/// an answer.
#[derive(Debug)]
#[must_use = "a client waits for its answer: accept or reject"]
pub struct Incoming<S> {
    exchange: Exchange<S>,
    request: UpgradeRequest,
    protocol: Option<Box<str>>,
    terms: Terms,
    timeout: Duration,
}

impl<S> Incoming<S> {
    pub(crate) fn new(
        exchange: Exchange<S>,
        request: UpgradeRequest,
        terms: Terms,
        timeout: Duration,
    ) -> Self {
        let protocol = request.choose(&terms.protocols);
        Self { exchange, request, protocol, terms, timeout }
    }

    /// The request target: path and query, such as `/chat?room=1`.
    pub fn target(&self) -> &str {
        &self.request.target
    }

    /// The request's headers.
    ///
    /// Made at each call.
    pub fn headers(&self) -> HeaderMap {
        self.request.fields.to_map()
    }

    /// The same, as they came.
    #[cfg(feature = "server")]
    pub(crate) fn fields(&self) -> &Fields {
        &self.request.fields
    }

    /// The origin of the web page that asks; `None` if it is not a browser that does.
    pub fn origin(&self) -> Option<&str> {
        self.request.fields.first("origin").and_then(|origin| std::str::from_utf8(origin).ok())
    }

    /// The subprotocols that the client offers, the most wanted first.
    pub fn offered_protocols(&self) -> Vec<&str> {
        self.request.protocols()
    }

    /// The byte stream, such as for the client's address.
    pub const fn get_ref(&self) -> &S {
        &self.exchange.io
    }

    /// Adds a header to the response with which the request is accepted.
    ///
    /// As [`Accept::header`](crate::Accept::header).
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.terms.header(name, value);
        self
    }

    /// Sets the subprotocol, in place of the one that [`Accept::protocols`] led to.
    ///
    /// It has to be one of those offered; else the client is answered 500, and accepting is an
    /// error.
    ///
    /// [`Accept::protocols`]: crate::Accept::protocols
    pub fn protocol(mut self, protocol: impl Into<String>) -> Self {
        if let Some(chosen) = self.terms.pick(&self.request, protocol.into().into()) {
            self.protocol = Some(chosen);
        }
        self
    }

    /// Accepts: the WebSocket is open once the answer is on its way.
    ///
    /// # Errors
    ///
    /// [`Error::Accept`] if a header or the subprotocol set may not be sent (the client is then
    /// answered 500), the transport fails, or the timeout passes.
    ///
    /// # Cancellation safety
    ///
    /// Dropping the future drops the byte stream, and so ends the connection.
    pub fn accept(self) -> Accepting<S> {
        Accepting::answering(self.into_answering())
    }

    pub(crate) fn into_answering(self) -> Answering<S> {
        let Self { mut exchange, request, protocol, mut terms, timeout } = self;
        if let Some(error) = terms.invalid {
            return Answering::Failing(failing(exchange, error, timeout));
        }
        let extensions = terms.agree(&request);
        exchange.send(request.switch(protocol.as_deref(), &terms.headers));
        let fields = if terms.keep_headers { request.fields } else { Fields::default() };
        let handshake = Handshake::settled(request.target, protocol, fields);
        Answering::Sending {
            exchange,
            handshake: handshake.with_text_of_extensions(extensions),
            options: terms.options,
            deadline: Deadline::new(Some(timeout)),
        }
    }

    /// Rejects: the client gets this answer, and the connection ends.
    ///
    /// `Connection` and `Content-Length` are set to fit. Resolves once the client has the answer
    /// and has gone, or after a second.
    ///
    /// # Errors
    ///
    /// [`Error::Accept`] if the status is below 200, the transport fails, or the timeout passes.
    ///
    /// # Cancellation safety
    ///
    /// Dropping the future drops the byte stream, and so ends the connection.
    ///
    /// # Examples
    ///
    /// ```
    /// # use ws_channel::{Error, Incoming};
    /// # async fn serve(request: Incoming<tokio::net::TcpStream>) -> Result<(), Error> {
    /// let response = http::Response::builder()
    ///     .status(401)
    ///     .header("WWW-Authenticate", "Bearer")
    ///     .body("a token is needed\n")
    ///     .expect("is valid");
    /// request.reject(response).await
    /// # }
    /// ```
    pub fn reject(self, response: Response<impl Into<Bytes>>) -> Rejecting<S> {
        let (mut head, body) = response.into_parts();
        if head.status.is_informational() {
            let error = AcceptError::Status(head.status);
            return Rejecting(failing(self.exchange, error, self.timeout));
        }
        for own in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            head.headers.remove(own);
        }
        let answer = encode_response(head.status, &head.headers, &body.into());
        let farewell = Farewell::new(self.exchange, answer, self.timeout);
        Rejecting(Ending { farewell, error: None })
    }
}

/// An answer that ends the connection, and the error to return then.
#[derive(Debug)]
pub(crate) struct Ending<S> {
    farewell: Farewell<S>,
    error: Option<AcceptError>,
}

/// The server is at fault: the client is answered 500.
fn failing<S>(exchange: Exchange<S>, error: AcceptError, timeout: Duration) -> Ending<S> {
    let answer = encode_response(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), b"");
    Ending { farewell: Farewell::new(exchange, answer, timeout), error: Some(error) }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Ending<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let sent = ready!(self.farewell.poll(cx));
        Poll::Ready(match self.error.take() {
            Some(error) => Err(error.into()),
            None => sent.map_err(|error| AcceptError::Io(error).into()),
        })
    }
}

/// An answer on its way.
#[derive(Debug)]
pub(crate) enum Answering<S> {
    Sending { exchange: Exchange<S>, handshake: Handshake, options: Options, deadline: Deadline },
    Failing(Ending<S>),
    Done,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Answering<S> {
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<WebSocketAdapter<S>, Error>> {
        match self {
            Self::Sending { exchange, deadline, .. } => match exchange.poll_send(cx) {
                Poll::Ready(sent) => sent.map_err(AcceptError::Io)?,
                Poll::Pending => {
                    let after = ready!(deadline.poll(cx));
                    return Poll::Ready(Err(AcceptError::Timeout(after).into()));
                }
            },
            Self::Failing(ending) => ready!(ending.poll(cx))?,
            Self::Done => {}
        }
        match std::mem::replace(self, Self::Done) {
            Self::Sending { exchange, handshake, options, .. } => {
                let (io, rest) = exchange.into_parts();
                Poll::Ready(Ok(WebSocketAdapter::new(io, Role::Server, handshake, &options, rest)))
            }
            // `Failing` has ended with its error above, and `Done` is left behind by a `Ready`
            // alone: it takes a caller who polls again, whatever a peer sends.
            _ => panic!("polled after completion"),
        }
    }
}

/// A rejection on its way; the future of [`Incoming::reject`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Rejecting<S>(Ending<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Rejecting<S> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().0.poll(cx)
    }
}
