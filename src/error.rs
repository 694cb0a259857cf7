//! What can go wrong: the same variants on every platform.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::protocol::{CloseEvent, InvalidCloseFrame, ProtocolError};
use crate::status;
use crate::stream_channel::Closed;

/// Why an operation on a channel failed.
///
/// Each level speaks for itself; the cause is [`source()`](std::error::Error::source). `Debug` is
/// the variant's name and the text with all its causes, so that a `main` that returns the error
/// prints what to do.
#[doc(alias = "WebSocketChannelException")]
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A message was sent after the end, or while the channel closes. Nothing was sent.
    #[error("the channel is {}", describe(.event.as_deref()))]
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
    /// The connection was lost without a closing handshake: the transport ended, as it does when
    /// the peer's program ends, or when it drops its channel.
    #[error(
        "the connection was lost without a closing handshake; did the peer crash or restart, or a \
         proxy end an idle connection?"
    )]
    ConnectionLost,
    /// The transport failed; the source says at what.
    #[error("{}", io_text(.0))]
    Io(#[from] io::Error),
    /// A message of the peer is larger than the limit; the peer was told 1009.
    #[error(
        "a message of {size} bytes exceeds the limit of {limit}; if it is expected, raise \
         `max_message_size`"
    )]
    #[non_exhaustive]
    MessageTooBig {
        /// Its size in bytes as far as announced.
        size: u64,
        /// The limit in force, `max_message_size`.
        limit: usize,
    },
    /// More messages came than may wait to be received; the peer was told so.
    ///
    /// # Platforms
    ///
    /// Only in browsers, where a peer that is too fast cannot be held back.
    #[error(
        "more than {limit} bytes of messages waited to be received; receive faster, raise \
         `receive_buffer_size`, or use a `WebSocketStream`"
    )]
    #[non_exhaustive]
    ReceiveOverflow {
        /// The limit in force, `receive_buffer_size`.
        limit: usize,
    },
    /// The peer broke the protocol; it was told 1002.
    #[error("the peer broke the WebSocket protocol")]
    Protocol(#[from] ProtocolError),
    /// A text message of the peer is not UTF-8; the peer was told 1007.
    #[error("a text message of the peer is not UTF-8; bytes should come in a binary message")]
    NotUtf8,
    /// A message of the peer is compressed, but no deflate data; the peer was told 1007.
    #[cfg(feature = "deflate")]
    #[error("a compressed message of the peer is corrupt; is its compression at fault?")]
    Deflate,
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

/// So that the tools of [`stream_channel`](crate::stream_channel) work with this error.
impl From<Closed> for Error {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Ended => Self::closed(None),
            other => Self::Io(other.into()),
        }
    }
}

fn describe(event: Option<&CloseEvent>) -> String {
    match event {
        None => "closed or closing".to_owned(),
        // What was lost, and why, is the stream's one error.
        Some(event) if event.code == status::ABNORMAL_CLOSURE => {
            format!("closed: {event}; its stream tells why")
        }
        Some(event) => format!("closed: {event}"),
    }
}

/// Not everything that a transport refuses ends the connection.
fn io_text(error: &io::Error) -> &'static str {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut, UnexpectedEof,
        WriteZero,
    };

    match error.kind() {
        ConnectionReset | ConnectionAborted | BrokenPipe | NotConnected | UnexpectedEof
        | WriteZero => {
            "the connection was lost; did the peer crash or restart, or a proxy end an idle \
             connection?"
        }
        TimedOut => "the connection was lost; is the network still there?",
        _ => "the transport failed",
    }
}

/// An error and its causes, joined by ": ".
pub(crate) struct Chain<'a>(pub(crate) &'a dyn StdError);

impl fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// As [`Display`](fmt::Display) with the causes, after the variant's name.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Closed { .. } => "Closed",
            Self::CloseFrame(_) => "CloseFrame",
            Self::Connect(_) => "Connect",
            Self::Accept(_) => "Accept",
            Self::ConnectionLost => "ConnectionLost",
            Self::Io(_) => "Io",
            Self::MessageTooBig { .. } => "MessageTooBig",
            Self::ReceiveOverflow { .. } => "ReceiveOverflow",
            Self::Protocol(_) => "Protocol",
            Self::NotUtf8 => "NotUtf8",
            #[cfg(feature = "deflate")]
            Self::Deflate => "Deflate",
            Self::PingFlood => "PingFlood",
            Self::Timeout { .. } => "Timeout",
        };
        write!(f, "{name}({:?})", Chain(self))
    }
}

impl Error {
    #[cold]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Initiator;
    use crate::{ConnectError, ConnectErrorKind};

    fn closed(code: u16) -> Error {
        Error::closed(Some(&CloseEvent {
            code: code.into(),
            reason: "bye".into(),
            was_clean: true,
            initiator: Initiator::Peer,
        }))
    }

    #[test]
    fn what_main_prints_has_the_advice_and_every_cause() {
        let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "os error 111");
        let error = ConnectError::new("ws://h/", ConnectErrorKind::Tcp(refused));
        assert_eq!(
            format!("{:?}", Error::from(error)),
            "Connect(connecting to ws://h/ failed: the connection was refused; is a server \
             listening on that port?: os error 111)"
        );
        assert_eq!(
            format!("{:?}", Error::Protocol(ProtocolError::Masked)),
            "Protocol(the peer broke the WebSocket protocol: a server's frame is masked)"
        );
        let event = None;
        let error = Error::Closed { event };
        assert_eq!(format!("{error:?}"), "Closed(the channel is closed or closing)");
    }

    #[test]
    fn a_closed_channel_says_how_it_ended() {
        assert_eq!(closed(1001).to_string(), "the channel is closed: 1001 (going away): bye");
        assert!(closed(1006).to_string().ends_with("; its stream tells why"));
    }

    #[test]
    fn a_lost_connection_asks_what_may_have_happened() {
        let reset = Error::Io(io::ErrorKind::ConnectionReset.into());
        for text in [Error::ConnectionLost.to_string(), reset.to_string()] {
            assert!(text.starts_with("the connection was lost"), "{text}");
            assert!(text.contains("did the peer crash or restart"), "{text}");
        }
        let full = Error::Io(io::Error::other("full"));
        assert_eq!(full.to_string(), "the transport failed");
    }

    #[test]
    fn a_limit_names_its_setter() {
        let error = Error::MessageTooBig { size: 9, limit: 8 };
        assert!(error.to_string().ends_with("; if it is expected, raise `max_message_size`"));
    }
}
