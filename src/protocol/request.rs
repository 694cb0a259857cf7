//! What a client asks for.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use url::{Host, Position, Url};

use crate::protocol::header::{self, InvalidHeader};
use crate::{ConnectError, ConnectErrorKind};

/// What a client asks for: a URL, and where needed headers and subprotocols.
///
/// Made from a URL wherever one is taken; written out to add headers, or to keep what is asked for.
/// The URL is `ws`, `wss`, or as in browsers `http` for `ws` and `https` for `wss`, without a
/// fragment. A user name and password in it become `Authorization: Basic`, unless that header is
/// set, and appear nowhere else.
///
/// Making one never fails: what is wrong comes out as the error of the attempt to connect, as
/// with [`http::request::Builder`], before anything is sent.
///
/// # Examples
///
/// ```
/// use ws_channel::Request;
///
/// let request = Request::new("wss://example.com/chat")
///     .header("Authorization", "Bearer a1b2")
///     .protocols(["chat.v2", "chat"]);
/// assert_eq!(request.url(), "wss://example.com/chat");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to `connect` or `client`"]
pub struct Request(Result<ValidRequest, Rejected>);

/// A request that can be sent.
#[derive(Clone, Debug)]
pub(crate) struct ValidRequest {
    /// `ws` or `wss`, with a host, without credentials and fragment.
    url: Url,
    credentials: Option<HeaderValue>,
    headers: HeaderMap,
    protocols: Vec<Box<str>>,
}

#[derive(Clone, Debug)]
struct Rejected {
    /// Without credentials.
    url: Box<str>,
    reason: InvalidRequest,
}

/// Why a request cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// The URL has a line break or another control character.
    #[error("the URL has a control character at byte {at}; is there a line break to trim?")]
    #[non_exhaustive]
    ControlCharacter {
        /// Where it stands.
        at: usize,
    },
    /// The URL cannot be understood.
    #[error("the URL is not valid; it should look like ws://host:port/path")]
    Url(#[from] url::ParseError),
    /// The URL is not one of a WebSocket.
    #[error("the URL's scheme is `{0}`; it should be ws or wss")]
    Scheme(Box<str>),
    /// The URL has a fragment, which is never sent (RFC 6455 §3).
    #[error("the URL has a fragment; leave away what begins with `#`")]
    Fragment,
    /// Nothing can listen on port 0.
    #[error("the URL's port is 0; it should be the port on which the server listens")]
    Port,
    /// The `http::Request` has another method than GET.
    #[error("the request's method is {0}; a WebSocket is opened with GET")]
    Method(Method),
    /// A header or subprotocol may not be sent.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
}

impl Request {
    /// A request for a URL.
    pub fn new(url: impl AsRef<str>) -> Self {
        let url = url.as_ref();
        let parsed = match url.bytes().position(|byte| byte.is_ascii_control()) {
            Some(at) => Err(InvalidRequest::ControlCharacter { at }),
            None => Url::parse(url).map_err(InvalidRequest::from),
        };
        match parsed {
            Ok(url) => Self::from(url),
            Err(reason) => Self(Err(Rejected { url: without_credentials(url), reason })),
        }
    }

    /// Adds a header.
    ///
    /// A name that is there already is not replaced. `Host` may be set. Those that the handshake
    /// writes itself (`Connection`, `Upgrade`, `Sec-WebSocket-*`) may not; for subprotocols there
    /// is [`protocols`](Self::protocols).
    pub fn header<N, V>(self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.and_then(|request| Ok(header::append(&mut request.headers, name, value)?))
    }

    /// Sets the subprotocols that are offered to the server, the most wanted first.
    ///
    /// The server picks one or none; [`protocol()`](crate::Handshake::protocol) tells which.
    pub fn protocols<I>(self, protocols: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.and_then(|request| {
            request.protocols = header::protocols(protocols)?;
            Ok(())
        })
    }

    /// The URL, without user name and password, `http` and `https` being written as `ws` and `wss`.
    ///
    /// If it is not valid, as much of it as can be shown.
    pub fn url(&self) -> &str {
        match &self.0 {
            Ok(request) => request.url(),
            Err(rejected) => &rejected.url,
        }
    }

    pub(crate) fn validate(self) -> Result<ValidRequest, ConnectError> {
        self.0.map_err(|Rejected { url, reason }| {
            ConnectError::new(url, ConnectErrorKind::InvalidRequest(reason))
        })
    }

    /// The first error stays.
    fn and_then(
        mut self,
        change: impl FnOnce(&mut ValidRequest) -> Result<(), InvalidRequest>,
    ) -> Self {
        if let Ok(request) = &mut self.0 {
            if let Err(reason) = change(request) {
                self.0 = Err(Rejected { url: request.url().into(), reason });
            }
        }
        self
    }
}

impl ValidRequest {
    /// Whether the connection is to be made over TLS.
    #[allow(dead_code, reason = "for the native connector")]
    pub(crate) fn is_secure(&self) -> bool {
        self.url.scheme() == "wss"
    }

    /// The host to connect to: a name, or an address without brackets.
    #[allow(dead_code, reason = "for the native connector")]
    pub(crate) fn host(&self) -> Option<Host<&str>> {
        self.url.host()
    }

    /// The port to connect to: the URL's, else 80 or 443.
    #[allow(dead_code, reason = "for the native connector")]
    pub(crate) fn port(&self) -> u16 {
        self.url.port().unwrap_or(if self.is_secure() { 443 } else { 80 })
    }

    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }

    pub(crate) fn protocols(&self) -> &[Box<str>] {
        &self.protocols
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The `Authorization` header of the URL's user name and password, unless one was set.
    pub(crate) fn credentials(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref().filter(|_| !self.headers.contains_key(AUTHORIZATION))
    }

    /// What the request line asks for: path and query.
    pub(crate) fn target(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// What the `Host` header says: the default port is left out, IPv6 stands in brackets.
    pub(crate) fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }
}

impl From<ValidRequest> for Request {
    fn from(request: ValidRequest) -> Self {
        Self(Ok(request))
    }
}

impl From<Url> for Request {
    fn from(mut url: Url) -> Self {
        let credentials = basic_credentials(&url);
        let checked = check(&mut url);
        Self(match checked {
            Ok(()) => {
                Ok(ValidRequest { url, credentials, headers: HeaderMap::new(), protocols: vec![] })
            }
            Err(reason) => Err(Rejected { url: without_credentials(url.as_str()), reason }),
        })
    }
}

impl From<&Url> for Request {
    fn from(url: &Url) -> Self {
        url.clone().into()
    }
}

impl From<&str> for Request {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl From<&String> for Request {
    fn from(url: &String) -> Self {
        Self::new(url)
    }
}

impl From<String> for Request {
    fn from(url: String) -> Self {
        Self::new(url)
    }
}

/// The request's URI, headers and method, which has to be GET.
/// What the handshake writes itself is left out, and `Sec-WebSocket-Protocol` becomes
/// [`protocols`](Request::protocols): so a request that was made for another crate serves here.
impl From<http::Request<()>> for Request {
    fn from(request: http::Request<()>) -> Self {
        let (head, ()) = request.into_parts();
        Self::new(head.uri.to_string()).and_then(|request| {
            if head.method != Method::GET {
                return Err(InvalidRequest::Method(head.method));
            }
            for (name, value) in &head.headers {
                if !header::is_reserved(name) {
                    header::append(&mut request.headers, name, value)?;
                }
            }
            let offered = head.headers.get_all(http::header::SEC_WEBSOCKET_PROTOCOL);
            let offered = offered.iter().filter_map(|value| value.to_str().ok());
            let offered = offered.flat_map(|list| list.split(',')).map(str::trim);
            request.protocols = header::protocols(offered)?;
            Ok(())
        })
    }
}

impl From<&Self> for Request {
    fn from(request: &Self) -> Self {
        request.clone()
    }
}

/// Makes the URL one of a WebSocket, without credentials.
fn check(url: &mut Url) -> Result<(), InvalidRequest> {
    // WHATWG: http and https stand for ws and wss.
    let scheme = match url.scheme() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        other => return Err(InvalidRequest::Scheme(other.into())),
    };
    if url.fragment().is_some() {
        return Err(InvalidRequest::Fragment);
    }
    if url.port() == Some(0) {
        return Err(InvalidRequest::Port);
    }
    // None of these fails on a URL that has a host, and those of the four schemes do.
    if url.set_scheme(scheme).is_err()
        || url.set_username("").is_err()
        || url.set_password(None).is_err()
    {
        return Err(url::ParseError::EmptyHost.into());
    }
    Ok(())
}

/// `Basic` authorization by the URL's user name and password (RFC 7617).
fn basic_credentials(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or_default()));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// As much of a URL that is not valid as can be shown: nothing before the last `@` but the scheme,
/// since nobody knows where a password ends, and no control characters.
fn without_credentials(url: &str) -> Box<str> {
    let shown = match url.rsplit_once('@') {
        None => url.to_owned(),
        Some((before, after)) => match before.split_once("://") {
            Some((scheme, _)) if !scheme.contains('@') => format!("{scheme}://{after}"),
            _ => after.to_owned(),
        },
    };
    let mut escaped = String::with_capacity(shown.len());
    for character in shown.chars() {
        if character.is_control() {
            let _ = write!(escaped, "{}", character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped.into_boxed_str()
}

#[cfg(test)]
mod tests;
