//! The errors of a channel where an `io::Error` is wanted.

use std::io::{self, ErrorKind};

use crate::{AcceptError, ConnectError, ConnectErrorKind, Error};

/// An I/O error stays what it was; any other is what [`io::Error::get_ref`] gives, under a kind that
/// fits.
///
/// ```
/// use std::io;
/// use ws_channel::Error;
///
/// let error = io::Error::from(Error::ConnectionLost);
/// assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
/// let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
/// assert!(matches!(inner, Some(Error::ConnectionLost)));
/// ```
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Closed { .. } => ErrorKind::BrokenPipe,
            Error::ConnectionLost => ErrorKind::ConnectionAborted,
            Error::CloseFrame(_) => ErrorKind::InvalidInput,
            Error::Timeout { .. } => ErrorKind::TimedOut,
            Error::MessageTooBig { .. }
            | Error::Protocol(_)
            | Error::NotUtf8
            | Error::PingFlood => ErrorKind::InvalidData,
            Error::Connect(error) => connect_kind(error),
            Error::Accept(error) => accept_kind(error),
            _ => ErrorKind::Other,
        };
        match error {
            Error::Io(error) => error,
            error => Self::new(kind, error),
        }
    }
}

fn connect_kind(error: &ConnectError) -> ErrorKind {
    match error.kind() {
        ConnectErrorKind::Resolve(error)
        | ConnectErrorKind::Tcp(error)
        | ConnectErrorKind::Io(error) => error.kind(),
        ConnectErrorKind::Timeout { .. } => ErrorKind::TimedOut,
        ConnectErrorKind::InvalidRequest(_) => ErrorKind::InvalidInput,
        _ => ErrorKind::Other,
    }
}

fn accept_kind(error: &AcceptError) -> ErrorKind {
    match error {
        AcceptError::Io(error) => error.kind(),
        AcceptError::EndOfStream => ErrorKind::UnexpectedEof,
        AcceptError::Timeout(_) => ErrorKind::TimedOut,
        _ => ErrorKind::Other,
    }
}
