//! How the opening handshake can fail on a client.

use std::fmt;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Response, StatusCode};

use crate::protocol::handshake::head::{FIELD_LIMIT, HEAD_LIMIT, excerpt};

/// The server did not open a WebSocket: which check failed, and the answer if there was one.
pub struct HandshakeError(Box<dyn Refusal>);

/// What failed, and the server's answer.
///
/// Behind a pointer, so that a page, which is never shown one, does not carry the code that takes
/// them apart.
trait Refusal: fmt::Debug + Send + Sync {
    fn fault(&self) -> &HandshakeFault;

    fn answer(&self) -> Option<&Response<Bytes>>;
}

#[derive(Debug)]
struct Refused {
    fault: HandshakeFault,
    answer: Option<Response<Bytes>>,
}

impl Refusal for Refused {
    fn fault(&self) -> &HandshakeFault {
        &self.fault
    }

    fn answer(&self) -> Option<&Response<Bytes>> {
        self.answer.as_ref()
    }
}

/// Which check of the server's answer failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeFault {
    /// The connection ended before the answer did.
    #[error(
        "the server closed the connection without a complete answer; does this port expect TLS (wss)?"
    )]
    EndOfStream,
    /// What came is not HTTP.
    #[error(
        "what the server sends is not HTTP/1.1; does this port expect TLS (wss), or another protocol?"
    )]
    NotHttp,
    /// The answer's head breaks the grammar of HTTP.
    #[error("the server's answer is malformed: {0}")]
    Malformed(&'static str),
    /// The answer's head is too large.
    #[error("the head of the server's answer is larger than {HEAD_LIMIT} bytes")]
    HeadTooLarge,
    /// The answer has too many headers.
    #[error("the server's answer has more than {FIELD_LIMIT} headers")]
    TooManyHeaders,
    /// The answer's status is not 101.
    #[error("the server answered {0} instead of 101 Switching Protocols; {hint}", hint = hint(*.0))]
    Status(StatusCode),
    /// The answer is 101, but of HTTP/1.0.
    #[error("the server answered in HTTP/1.0, which has no upgrades; is an old proxy in between?")]
    Version,
    /// The answer's `Upgrade` is not `websocket`.
    #[error("the server's answer has no `Upgrade: websocket`; is this path a WebSocket endpoint?")]
    Upgrade,
    /// The answer's `Connection` does not name `Upgrade`.
    #[error("the server's answer has no `Connection: Upgrade`; does a proxy in between remove it?")]
    Connection,
    /// `Sec-WebSocket-Accept` is missing, stands twice, or does not fit the key.
    #[error(
        "the server's answer has no `Sec-WebSocket-Accept` that fits the key; is this path a \
         WebSocket endpoint, and is a cache in between?"
    )]
    Accept,
    /// The server uses an extension that was not offered.
    #[error("the server uses the extension `{0}`, which was not offered; correct the server")]
    Extension(Box<str>),
    /// The server's answer to the offer of permessage-deflate breaks its rules (RFC 7692 §7.1).
    #[cfg(feature = "deflate")]
    #[error(
        "in the server's `Sec-WebSocket-Extensions`, {0}; correct the server, or set `no_deflate`"
    )]
    Extensions(crate::protocol::deflate::InvalidExtensions),
    /// The server chose a subprotocol that was not offered, or several.
    #[error(
        "the server chose the subprotocol `{answered}`, but {offered}; {advice}",
        offered = list(.offered),
        advice = if answers_one(.answered) {
            "offer it with `.protocols([…])`, or correct the server"
        } else {
            "a server answers one of them, or leaves the header out"
        }
    )]
    #[non_exhaustive]
    Protocol {
        /// What was offered.
        offered: Vec<Box<str>>,
        /// What the server answered.
        answered: Box<str>,
    },
}

impl HandshakeError {
    pub(crate) fn new(fault: HandshakeFault, answer: Option<Response<Bytes>>) -> Self {
        Self(Box::new(Refused { fault, answer }))
    }

    /// Which check failed.
    pub fn fault(&self) -> &HandshakeFault {
        self.0.fault()
    }

    /// The status of the server's answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.answer().map(Response::status)
    }

    /// The headers of the server's answer, if there was one.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.answer().map(Response::headers)
    }

    /// The start of the body of the server's answer, up to 8 KiB; empty if there was none.
    pub fn body(&self) -> &[u8] {
        self.0.answer().map_or(&[], |answer| answer.body())
    }
}

impl From<HandshakeFault> for HandshakeError {
    fn from(fault: HandshakeFault) -> Self {
        Self::new(fault, None)
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)?;
        let redirected = self.status().is_some_and(|status| status.is_redirection());
        let location = self.headers().and_then(|headers| headers.get(LOCATION));
        match location {
            Some(location) if redirected => {
                write!(f, ": it points to {}", excerpt(location.as_bytes()))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for HandshakeError {}

/// What to do about a status.
fn hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "redirects are not followed, connect to the new address if you trust it",
        401 => "log in first, or send an `Authorization` header or a cookie",
        403 => "may this client and origin connect?",
        404 | 410 => "is the path right?",
        407 => "the proxy in between wants a login",
        408 | 504 => "is the server overloaded?",
        426 => {
            "does the server speak version 13 of the protocol, and does a proxy in between remove `Upgrade`?"
        }
        429 => "there were too many attempts, wait before the next",
        500..=599 => "the server or a proxy in front of it failed, try again later",
        400..=499 => "the server did not like the request, its body may say why",
        _ => "is this path a WebSocket endpoint?",
    }
}

fn list(offered: &[Box<str>]) -> String {
    if offered.is_empty() {
        "none was offered".to_owned()
    } else {
        format!("offered were `{}`", offered.join("`, `"))
    }
}

/// Whether it may be offered; no subprotocol has a comma in its name (RFC 6455 §4.1).
fn answers_one(answered: &str) -> bool {
    !answered.is_empty() && !answered.contains(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_says_what_to_do() {
        for status in [200, 301, 400, 401, 403, 404, 407, 426, 429, 500, 502, 504] {
            let status = StatusCode::from_u16(status).unwrap();
            let text = HandshakeFault::Status(status).to_string();
            assert!(text.starts_with(&format!("the server answered {status}")), "{text}");
        }
        let plain = HandshakeFault::Status(StatusCode::OK).to_string();
        assert_eq!(
            plain,
            "the server answered 200 OK instead of 101 Switching Protocols; \
             is this path a WebSocket endpoint?"
        );
    }

    #[test]
    fn a_redirect_names_where_it_leads() {
        let answer = Response::builder().status(302).header("Location", "https://h/login");
        let error = HandshakeError::new(
            HandshakeFault::Status(StatusCode::FOUND),
            answer.body(Bytes::new()).ok(),
        );
        assert!(error.to_string().ends_with("it points to https://h/login"), "{error}");
    }

    #[test]
    fn a_wrong_subprotocol_names_what_was_offered_and_answered_and_what_to_do() {
        let text = |answered: &str| {
            let offered = vec!["a".into(), "b".into()];
            HandshakeFault::Protocol { offered, answered: answered.into() }.to_string()
        };
        assert_eq!(
            text("c"),
            "the server chose the subprotocol `c`, but offered were `a`, `b`; \
             offer it with `.protocols([…])`, or correct the server"
        );
        assert!(text("a, b").ends_with("; a server answers one of them, or leaves the header out"));
    }
}
