//! What can go wrong: the same variants on every platform.

use std::io;
use std::time::Duration;

use crate::protocol::{CloseEvent, InvalidCloseFrame, ProtocolError};

/// Why an operation on a channel failed.
///
/// Each level speaks for itself; the cause is [`source()`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A message was sent after the end, or while the channel closes. Nothing was sent.
    #[error("the channel is closed{}", describe(.event.as_deref()))]
    #[non_exhaustive]
    Closed {
        /// How it ended, as far as that is known yet.
        event: Option<Box<CloseEvent>>,
    },
    /// The code or the reason may not be sent. Nothing was sent, and the channel stays open.
    #[error(transparent)]
    CloseFrame(#[from] InvalidCloseFrame),
    /// The attempt to connect failed.
    #[error(transparent)]
    Connect(Box<crate::ConnectError>),
    /// The attempt to accept a connection failed.
    #[error(transparent)]
    Accept(Box<crate::AcceptError>),
    /// The connection was lost without a closing handshake: the transport ended.
    #[error("the connection was lost without a closing handshake")]
    ConnectionLost,
    /// The transport failed.
    #[error("I/O error")]
    Io(#[from] io::Error),
    /// A message of the peer is larger than the limit; the peer was told 1009.
    #[error("a message of {size} bytes exceeds the limit of {limit}")]
    #[non_exhaustive]
    MessageTooBig {
        /// Its size in bytes as far as announced.
        size: u64,
        /// The limit in force, `max_message_size`.
        limit: usize,
    },
    /// The peer broke the protocol; it was told 1002.
    #[error("the peer broke the WebSocket protocol")]
    Protocol(#[from] ProtocolError),
    /// A text message of the peer is not UTF-8; the peer was told 1007.
    #[error("a text message of the peer is not UTF-8")]
    NotUtf8,
    /// The peer sends pings and does not read their pongs; it was told 1008.
    #[error("the peer floods pings and does not read the pongs")]
    PingFlood,
    /// The peer did not show any sign of life in time.
    #[error("{what} within {after:?}")]
    #[non_exhaustive]
    Timeout {
        /// What did not happen, as "the peer did not answer a ping".
        what: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
}

fn describe(event: Option<&CloseEvent>) -> String {
    event.map_or_else(String::new, |event| format!(": {event}"))
}

impl Error {
    pub(crate) fn closed(event: Option<&CloseEvent>) -> Self {
        Self::Closed { event: event.cloned().map(Box::new) }
    }

    /// Whether a deadline passed: of connecting, of accepting, of keepalive.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout { .. } => true,
            Self::Connect(error) => error.is_timeout(),
            Self::Accept(error) => error.is_timeout(),
            Self::Io(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// Whether the channel was closed already.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
