//! Why an attempt to connect failed.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::error::Chain;
use crate::protocol::{HandshakeError, InvalidRequest};

/// An attempt to connect failed.
///
/// Says to where, what went wrong and what to do about it; the
/// [`source()`](std::error::Error::source), if there is one, is what the system or the TLS library
/// said. `Debug` is the text with its causes.
///
/// # Examples
///
/// ```
/// use ws_channel::{ConnectError, ConnectErrorKind, Error};
///
/// fn explain(error: &Error) -> String {
///     match error {
///         Error::Connect(error) if error.status() == Some(http::StatusCode::UNAUTHORIZED) => {
///             format!("log in to {} first", error.url())
///         }
///         other => other.to_string(),
///     }
/// }
/// ```
pub struct ConnectError {
    url: Box<str>,
    kind: ConnectErrorKind,
}

impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectError({:?})", Chain(self))
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connecting to {} failed: {}", self.url, self.kind)
    }
}

/// Two levels in one, so that whoever prints no chain sees the advice, too.
impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.kind.source()
    }
}

/// What an attempt to connect failed at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// The request cannot be sent, and nothing was.
    #[error(transparent)]
    InvalidRequest(InvalidRequest),
    /// The host's name has no address.
    #[error("the host's name could not be resolved; is it right, and is there a network?")]
    Resolve(#[source] io::Error),
    /// No TCP connection came about.
    #[error("{}", tcp_hint(.0))]
    Tcp(#[source] io::Error),
    /// No TLS session came about.
    #[error(transparent)]
    Tls(Box<dyn StdError + Send + Sync>),
    /// The URL asks for TLS, which this build cannot do.
    #[error("wss needs the feature `rustls` or `native-tls` of ws_channel")]
    NoTls,
    /// The transport failed while the request was sent or its answer awaited.
    #[error(
        "the connection was lost during the opening handshake; does the port expect TLS (wss)?"
    )]
    Io(#[source] io::Error),
    /// The server did not open a WebSocket.
    #[error(transparent)]
    Handshake(HandshakeError),
    /// It took longer than the timeout.
    #[error("{} within {after:?}; {}", step.failure(), step.hint())]
    Timeout {
        /// What was under way when the time was over.
        step: ConnectStep,
        /// The timeout, from the beginning of the attempt.
        after: Duration,
    },
    /// The browser does not let a page ask for this, and nothing was sent.
    ///
    /// # Platforms
    ///
    /// Only in browsers.
    #[error("the browser refused it: {0}")]
    Refused(Box<str>),
    /// No WebSocket came about, and the browser does not tell a page why.
    ///
    /// # Platforms
    ///
    /// Only in browsers.
    #[error(
        "the browser does not tell a page why; is the server there, does it take this path, origin \
         and subprotocol, and is its certificate good? The browser's console may say more"
    )]
    Unknown,
    /// Something else, of an endpoint that is not this crate's.
    #[error(transparent)]
    Other(Box<dyn StdError + Send + Sync>),
}

/// A step of connecting, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectStep {
    /// Looking up the addresses of the host's name.
    Resolve,
    /// Connecting by TCP.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// The opening handshake: the request for an upgrade, and the server's answer.
    Upgrade,
    /// Any of them: a browser does not tell a page.
    Unknown,
}

impl ConnectStep {
    /// That the step is not done.
    const fn failure(self) -> &'static str {
        match self {
            Self::Resolve => "the host's name was not resolved",
            Self::Tcp => "no TCP connection came about",
            Self::Tls => "no TLS session came about",
            Self::Upgrade => "the server did not answer the opening handshake",
            Self::Unknown => "no connection came about",
        }
    }

    /// What to do if it takes too long.
    const fn hint(self) -> &'static str {
        match self {
            Self::Resolve => "is it right, and is there a network?",
            Self::Tcp => "are host and port right, or is a firewall in between?",
            Self::Tls => "does the port speak TLS, or is it one for `ws://`?",
            Self::Upgrade => {
                "is the server well, and does the port speak HTTP, without TLS for `ws://`?"
            }
            Self::Unknown => "is the server there, and is there a network?",
        }
    }
}

impl ConnectError {
    /// An error for a URL, which should have no user name and password.
    pub fn new(url: impl Into<Box<str>>, kind: ConnectErrorKind) -> Self {
        Self { url: url.into(), kind }
    }

    /// The URL as requested, without user name and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the attempt failed at.
    pub const fn kind(&self) -> &ConnectErrorKind {
        &self.kind
    }

    /// Whether it took longer than the timeout.
    pub fn is_timeout(&self) -> bool {
        match &self.kind {
            ConnectErrorKind::Timeout { .. } => true,
            ConnectErrorKind::Tcp(error) | ConnectErrorKind::Io(error) => {
                error.kind() == io::ErrorKind::TimedOut
            }
            _ => false,
        }
    }

    /// The status of the server's answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.handshake().and_then(HandshakeError::status)
    }

    /// The headers of the server's answer, if there was one.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.handshake().and_then(HandshakeError::headers)
    }

    /// The start of the body of the server's answer, up to 8 KiB; empty if there was none.
    pub fn body(&self) -> &[u8] {
        self.handshake().map_or(&[], HandshakeError::body)
    }

    fn handshake(&self) -> Option<&HandshakeError> {
        match &self.kind {
            ConnectErrorKind::Handshake(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ConnectError> for crate::Error {
    fn from(error: ConnectError) -> Self {
        Self::Connect(Box::new(error))
    }
}

fn tcp_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "the connection was refused; is a server listening on that port?"
        }
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => {
            "the host cannot be reached; is its address right, and is there a network?"
        }
        io::ErrorKind::TimedOut => {
            "the host does not answer; is its address right, or is a firewall in between?"
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            "the connection was reset; is a firewall or a proxy in between?"
        }
        _ => "no TCP connection came about; are host and port right, and is there a network?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_says_where_why_and_what_to_do() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = ConnectError::new("ws://127.0.0.1:1/", ConnectErrorKind::Tcp(refused));
        assert_eq!(
            error.to_string(),
            "connecting to ws://127.0.0.1:1/ failed: \
             the connection was refused; is a server listening on that port?"
        );
        assert!(error.source().unwrap().is::<io::Error>());
    }

    #[test]
    fn a_timeout_says_at_which_step_it_was() {
        let after = Duration::from_secs(10);
        for (step, text) in [
            (ConnectStep::Resolve, "the host's name was not resolved within 10s; is it right"),
            (ConnectStep::Tcp, "no TCP connection came about within 10s; are host and port right"),
            (ConnectStep::Tls, "no TLS session came about within 10s; does the port speak TLS"),
            (ConnectStep::Upgrade, "the server did not answer the opening handshake within 10s"),
        ] {
            let error = ConnectError::new("ws://h/", ConnectErrorKind::Timeout { step, after });
            assert!(error.is_timeout());
            assert!(error.kind().to_string().starts_with(text), "{error}");
        }
    }

    #[test]
    fn no_level_of_the_chain_is_said_twice() {
        let kind = ConnectErrorKind::InvalidRequest(InvalidRequest::Port);
        let error = ConnectError::new("ws://h:0/", kind);
        assert!(error.source().is_none());
    }

    #[test]
    fn errors_are_small_enough_to_be_returned() {
        assert!(size_of::<ConnectError>() <= 128);
        assert!(size_of::<crate::Error>() <= 32);
    }
}
