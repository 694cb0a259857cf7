//! A request that asks a server for a WebSocket, and what can be wrong with one.

use http::StatusCode;

#[cfg(feature = "deflate")]
use crate::protocol::deflate::{Agreed, Deflate};
use crate::protocol::handshake::accept_key;
use crate::protocol::handshake::head::{Count, FIELD_LIMIT, Fields, HEAD_LIMIT, excerpt};

/// Why a request is not a valid upgrade, or not a wanted one. Each has its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUpgrade {
    /// What came is not HTTP, as when a client speaks TLS to a port without. 400.
    #[error("this is not an HTTP request; does the client speak TLS (wss) to a port without?")]
    NotHttp,
    /// The request breaks the grammar of HTTP. 400.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    /// The request is of another version than HTTP/1.1. 400 for HTTP/1.0, else 505.
    #[error("the request is not HTTP/1.1, which a WebSocket needs")]
    #[non_exhaustive]
    Version {
        /// Whether it is HTTP/1.0.
        is_http_1_0: bool,
    },
    /// The request target is too long. 414.
    #[error("the request target is longer than {HEAD_LIMIT} bytes")]
    TargetTooLong,
    /// The request's head is too large. 431.
    #[error("the request's head is larger than {HEAD_LIMIT} bytes")]
    HeadTooLarge,
    /// The request has too many headers. 431.
    #[error("the request has more than {FIELD_LIMIT} headers")]
    TooManyHeaders,
    /// The method is not GET. 405.
    #[error("the method is {0}; a WebSocket is opened with GET")]
    Method(Box<str>),
    /// The target is not a path, nor a URL. 400.
    #[error("the request target is not a path; it should begin with `/`")]
    Target,
    /// `Host` is missing, empty, malformed, or stands twice. 400.
    #[error("the request needs one `Host` header")]
    Host,
    /// The request announces a body. 400.
    #[error("the request has a body; that of a WebSocket has none")]
    Body,
    /// The request does not ask for a WebSocket. 426.
    #[error(
        "this is a WebSocket endpoint: connect with a WebSocket client, which sends \
         `Connection: Upgrade` and `Upgrade: websocket`"
    )]
    NotUpgrade,
    /// The request asks for another version of the protocol, or for none. 426.
    #[error(
        "this endpoint speaks version 13 of the WebSocket protocol: send `Sec-WebSocket-Version: 13`"
    )]
    WebSocketVersion,
    /// `Sec-WebSocket-Key` is missing, stands twice, or is not the base64 of 16 bytes. 400.
    #[error("the request needs one `Sec-WebSocket-Key` of 16 bytes in base64")]
    Key,
    /// `Sec-WebSocket-Protocol` is not a list of tokens. 400.
    #[error("`Sec-WebSocket-Protocol` is not a list of tokens")]
    Protocol,
    /// The `Origin` is not one of those allowed. 403.
    #[error("the origin {0:?} is not one of `allowed_origins`")]
    Origin(Box<str>),
}

impl InvalidUpgrade {
    /// The status with which the request was answered.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Version { is_http_1_0: false } => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge | Self::TooManyHeaders => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotUpgrade | Self::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            Self::Origin(_) => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// A request that may be answered 101.
#[derive(Debug)]
pub(crate) struct UpgradeRequest {
    pub(crate) target: Box<str>,
    /// The `Sec-WebSocket-Accept` that answers its key.
    pub(crate) accept: String,
    pub(crate) fields: Fields,
}

impl UpgradeRequest {
    /// Parses a whole head, and makes the checks of RFC 6455 §4.2.1 and RFC 9112 §3.
    pub(crate) fn parse(head: &[u8]) -> Result<Self, InvalidUpgrade> {
        let mut headers = [httparse::EMPTY_HEADER; FIELD_LIMIT];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(InvalidUpgrade::NotHttp),
            Err(error) => return Err(malformed(error)),
        }
        let method = request.method.unwrap_or_default();
        if method != "GET" {
            return Err(InvalidUpgrade::Method(excerpt(method.as_bytes())));
        }
        if request.version != Some(1) {
            return Err(InvalidUpgrade::Version { is_http_1_0: true });
        }
        Self::of(request.path.unwrap_or_default(), Fields::new(request.headers))
    }

    /// Checks a GET request of HTTP/1.1.
    pub(super) fn of(target: &str, fields: Fields) -> Result<Self, InvalidUpgrade> {
        if !is_target(target) {
            return Err(InvalidUpgrade::Target);
        }
        let accept = check(&fields)?;
        Ok(Self { target: target.into(), accept, fields })
    }

    /// The subprotocols offered; checked to be tokens.
    pub(crate) fn protocols(&self) -> Vec<&str> {
        self.fields.tokens("sec-websocket-protocol").unwrap_or_default()
    }

    /// The first subprotocol offered that is supported.
    pub(crate) fn choose(&self, supported: &[Box<str>]) -> Option<Box<str>> {
        let offered = self.protocols();
        offered
            .into_iter()
            .find(|offer| supported.iter().any(|own| **own == **offer))
            .map(Box::from)
    }

    /// How messages are compressed: by the first offer that can be accepted, if there is one.
    #[cfg(feature = "deflate")]
    pub(crate) fn agree(&self, deflate: Option<Deflate>) -> Option<Agreed> {
        deflate?.accept(self.fields.all("sec-websocket-extensions"))
    }

    /// Whether the page that asks, if a page does, is one of those allowed.
    pub(crate) fn check_origin(&self, allowed: &[Box<str>]) -> Result<(), InvalidUpgrade> {
        check_origin(&self.fields, allowed)
    }
}

/// Whether the page that asks, if a page does, is one of those allowed.
///
/// An `Origin` that is `null`, or stands twice, is nobody's.
pub(crate) fn check_origin(fields: &Fields, allowed: &[Box<str>]) -> Result<(), InvalidUpgrade> {
    let origin = match fields.only("origin") {
        Err(Count::None) => return Ok(()),
        Err(Count::Several) => return Err(InvalidUpgrade::Origin("several".into())),
        Ok(origin) => origin,
    };
    let is_allowed = allowed.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(origin));
    if is_allowed && !origin.eq_ignore_ascii_case(b"null") {
        Ok(())
    } else {
        Err(InvalidUpgrade::Origin(excerpt(origin)))
    }
}

/// Origin form, or as a proxy may send it, absolute form (RFC 9112 §3.2).
fn is_target(target: &str) -> bool {
    let absolute = |scheme: &str| {
        target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    target.starts_with('/')
        || ["ws://", "wss://", "http://", "https://"].iter().any(|scheme| absolute(scheme))
}

/// Returns the `Sec-WebSocket-Accept`.
fn check(fields: &Fields) -> Result<String, InvalidUpgrade> {
    if !fields.only("host").is_ok_and(is_host) {
        return Err(InvalidUpgrade::Host);
    }
    let has_length = fields.all("content-length").any(|length| length != b"0");
    if has_length || fields.first("transfer-encoding").is_some() {
        return Err(InvalidUpgrade::Body);
    }
    if !fields.list_has("upgrade", "websocket") || !fields.list_has("connection", "upgrade") {
        return Err(InvalidUpgrade::NotUpgrade);
    }
    if fields.only("sec-websocket-version") != Ok(b"13") {
        return Err(InvalidUpgrade::WebSocketVersion);
    }
    let key = fields.only("sec-websocket-key").ok().filter(|key| is_key(key));
    let key = key.and_then(|key| std::str::from_utf8(key).ok()).ok_or(InvalidUpgrade::Key)?;
    if fields.tokens("sec-websocket-protocol").is_none() {
        return Err(InvalidUpgrade::Protocol);
    }
    Ok(accept_key(key))
}

fn is_host(host: &[u8]) -> bool {
    !host.is_empty()
        && host.iter().all(|byte| byte.is_ascii_graphic() && !b"/?#@,\\".contains(byte))
}

/// The base64 of 16 bytes. Its last digit holds four bits that belong to no byte; clients that do
/// not leave them zero, such as those that send random digits, are accepted.
fn is_key(key: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    matches!(key, [digits @ .., b'=', b'='] if digits.len() == 22 && digits.iter().all(digit))
}

fn malformed(error: httparse::Error) -> InvalidUpgrade {
    InvalidUpgrade::Malformed(match error {
        httparse::Error::HeaderName => "a header's name has a byte that may not stand there",
        httparse::Error::HeaderValue => "a header's value has a control character",
        httparse::Error::NewLine => "a line break",
        httparse::Error::Status | httparse::Error::Token => "the request line",
        httparse::Error::Version => return InvalidUpgrade::Version { is_http_1_0: false },
        httparse::Error::TooManyHeaders => return InvalidUpgrade::TooManyHeaders,
    })
}

#[cfg(test)]
mod tests;
