//! What becomes of a request for a WebSocket.

use std::any::Any;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::protocol::InvalidHeader;
use crate::protocol::header;
use crate::server::hooks::BoxError;

/// How an upgrade hook accepts: with a subprotocol, headers, context, a namespace.
///
/// # Examples
///
/// ```
/// use ws_channel::server::{Acceptance, hooks};
/// use http::StatusCode;
///
/// struct User(String);
///
/// let hooks = hooks().upgrade(async |request| match request.header("authorization") {
///     Some(token) => Ok(Acceptance::new()
///         .header("x-session", "a1b2")
///         .context(User(format!("{token:?}")))),
///     None => Err(StatusCode::UNAUTHORIZED),
/// });
/// # let _ = hooks;
/// ```
#[derive(Default)]
#[must_use = "the hook has to return it"]
pub struct Acceptance {
    pub(super) protocol: Option<Box<str>>,
    pub(super) headers: HeaderMap,
    pub(super) invalid: Option<InvalidHeader>,
    pub(super) namespace: Option<Box<str>>,
    pub(super) context: Context,
}

impl Acceptance {
    /// Accepts as it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses the subprotocol, in place of what
    /// [`ServerOptions::protocols`](crate::server::ServerOptions::protocols) led to.
    ///
    /// It has to be one of those offered; else the client is answered 500.
    #[doc(alias = "protocolSelector")]
    pub fn protocol(mut self, protocol: impl Into<String>) -> Self {
        self.protocol = Some(protocol.into().into());
        self
    }

    /// Adds a header to the response.
    ///
    /// Those that the handshake writes itself are refused: the client is then answered 500.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        if let Err(error) = header::append(&mut self.headers, name, value) {
            self.invalid.get_or_insert(error);
        }
        self
    }

    /// Attaches a value that all hooks of the peer find by its type, with
    /// [`Peer::context`](crate::server::Peer::context). One of each type.
    pub fn context<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.context.0.retain(|other| !other.is::<T>());
        self.context.0.push(Box::new(value));
        self
    }

    /// Sets in which namespace the peer's topics are. Default: the path of the request.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into().into());
        self
    }
}

impl fmt::Debug for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptance")
            .field("protocol", &self.protocol)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// What hooks attached to a peer, one value of a type.
#[derive(Default)]
pub(super) struct Context(Vec<Box<dyn Any + Send + Sync>>);

impl Context {
    pub(super) fn get<T: Any>(&self) -> Option<&T> {
        self.0.iter().find_map(|value| value.downcast_ref())
    }
}

/// How an upgrade hook refuses: with any response of HTTP.
///
/// Made with `into()` from a response, a status, or an error; the text of the latter is told to
/// `tracing`, with the feature of that name, and the client is answered 500.
#[derive(Debug)]
pub struct Refusal(Reason);

#[derive(Debug)]
enum Reason {
    Response(Box<Response<Bytes>>),
    Error(BoxError),
}

impl Refusal {
    /// The response, and the error where it comes from one.
    pub(super) fn into_parts(self) -> (Response<Bytes>, Option<BoxError>) {
        match self.0 {
            // Anything below would have the client wait for another answer.
            Reason::Response(response) if response.status().is_informational() => {
                let error = format!("a request cannot be refused with {}", response.status());
                (empty(StatusCode::INTERNAL_SERVER_ERROR), Some(error.into()))
            }
            Reason::Response(response) => (*response, None),
            Reason::Error(error) => (empty(StatusCode::INTERNAL_SERVER_ERROR), Some(error)),
        }
    }
}

/// An answer that says nothing but its status.
pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    text(status, Bytes::new())
}

pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}

impl<B: Into<Bytes>> From<Response<B>> for Refusal {
    fn from(response: Response<B>) -> Self {
        Self(Reason::Response(Box::new(response.map(Into::into))))
    }
}

impl From<StatusCode> for Refusal {
    fn from(status: StatusCode) -> Self {
        empty(status).into()
    }
}

impl From<BoxError> for Refusal {
    fn from(error: BoxError) -> Self {
        Self(Reason::Error(error))
    }
}

/// What the closure of an upgrade hook may return: nothing, an [`Acceptance`], or a `Result` of
/// either with what becomes a [`Refusal`].
pub trait IntoVerdict {
    /// As what [`Hooks::upgrade`](crate::server::Hooks::upgrade) returns.
    ///
    /// # Errors
    ///
    /// The refusal.
    fn into_verdict(self) -> Result<Acceptance, Refusal>;
}

impl IntoVerdict for () {
    fn into_verdict(self) -> Result<Acceptance, Refusal> {
        Ok(Acceptance::new())
    }
}

impl IntoVerdict for Acceptance {
    fn into_verdict(self) -> Result<Acceptance, Refusal> {
        Ok(self)
    }
}

impl<A: IntoVerdict, R: Into<Refusal>> IntoVerdict for Result<A, R> {
    fn into_verdict(self) -> Result<Acceptance, Refusal> {
        self.map_err(Into::into)?.into_verdict()
    }
}
