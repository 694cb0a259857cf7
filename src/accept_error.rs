//! Why an attempt to accept a connection failed.

use std::fmt;
use std::io;
use std::time::Duration;

use http::StatusCode;

use crate::error::Chain;
use crate::protocol::{InvalidHeader, InvalidUpgrade};

/// An attempt to accept a connection failed.
///
/// `Debug` is the variant's name and the text with its causes.
///
/// # Examples
///
/// ```
/// use ws_channel::{AcceptError, Error};
///
/// fn is_worth_a_warning(error: &Error) -> bool {
///     match error {
///         // Browsers and scanners that look at the port.
///         Error::Accept(error) => !matches!(**error, AcceptError::Refused(_) | AcceptError::EndOfStream),
///         _ => true,
///     }
/// }
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The transport failed.
    #[error("the connection was lost during the opening handshake")]
    Io(#[source] io::Error),
    /// The client ended the connection before its request was complete.
    #[error("the client closed the connection before its request was complete")]
    EndOfStream,
    /// It took longer than the timeout.
    #[error("no opening handshake was completed within {0:?}")]
    Timeout(Duration),
    /// The request is not a valid upgrade, or not a wanted one; it was answered so.
    #[error("the request was refused with {}", .0.status())]
    Refused(#[source] InvalidUpgrade),
    /// The server chose a subprotocol that the client had not offered. The request was answered
    /// 500.
    #[error(
        "the subprotocol {chosen:?} was chosen, but {offered:?} were offered; choose one of these, or none"
    )]
    #[non_exhaustive]
    Protocol {
        /// What the server chose.
        chosen: Box<str>,
        /// What the client offered.
        offered: Vec<Box<str>>,
    },
    /// A header or subprotocol that the server set may not be sent. The request was answered 500.
    #[error("the response cannot be sent")]
    InvalidHeader(#[from] InvalidHeader),
    /// A rejection needs a status from 200 on. The request was answered 500.
    #[error("a request cannot be rejected with {0}; use a status from 200 on")]
    Status(StatusCode),
    /// The HTTP server does not hand over its connection. The request was answered 500, or 101
    /// where the server found out behind it.
    #[error(
        "the HTTP server does not hand over the connection; serve it over HTTP/1.1 and, with \
         hyper, `with_upgrades()`"
    )]
    NotHandedOver,
}

/// As [`Display`](fmt::Display) with the causes, after the variant's name.
impl fmt::Debug for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Io(_) => "Io",
            Self::EndOfStream => "EndOfStream",
            Self::Timeout(_) => "Timeout",
            Self::Refused(_) => "Refused",
            Self::Protocol { .. } => "Protocol",
            Self::InvalidHeader(_) => "InvalidHeader",
            Self::Status(_) => "Status",
            Self::NotHandedOver => "NotHandedOver",
        };
        write!(f, "{name}({:?})", Chain(self))
    }
}

impl AcceptError {
    /// Whether it took longer than the timeout.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Io(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// The status with which the request was answered, if it was refused.
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(fault) => Some(fault.status()),
            Self::Protocol { .. }
            | Self::InvalidHeader(_)
            | Self::Status(_)
            | Self::NotHandedOver => Some(StatusCode::INTERNAL_SERVER_ERROR),
            _ => None,
        }
    }

    /// The answer that the client gets.
    #[cfg(feature = "hyper")]
    pub(crate) fn to_response(&self) -> http::Response<String> {
        if let Self::Refused(fault) = self {
            return crate::protocol::handshake::refusal_response(fault);
        }
        let mut response = http::Response::new(String::new());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }
}

impl From<AcceptError> for crate::Error {
    fn from(error: AcceptError) -> Self {
        Self::Accept(Box::new(error))
    }
}
