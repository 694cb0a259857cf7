//! What ends a connection from within the protocol, and what the peer is told.

use std::fmt;

use crate::protocol::{CloseCode, ProtocolError};
use crate::{Error, status};

/// A fault of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Protocol(ProtocolError),
    NotUtf8,
    TooBig {
        size: u64,
        limit: usize,
    },
    PingFlood,
    #[cfg(feature = "deflate")]
    Corrupt,
}

impl Fault {
    /// The code of the Close frame that answers it (RFC 6455 §7.4.1).
    pub(crate) const fn code(&self) -> CloseCode {
        match self {
            Self::Protocol(_) => status::PROTOCOL_ERROR,
            Self::NotUtf8 => status::INVALID_FRAME_PAYLOAD_DATA,
            Self::TooBig { .. } => status::MESSAGE_TOO_BIG,
            #[cfg(feature = "deflate")]
            Self::Corrupt => status::INVALID_FRAME_PAYLOAD_DATA,
            Self::PingFlood => status::POLICY_VIOLATION,
        }
    }
}

impl fmt::Display for Fault {
    /// The reason that goes into the Close frame; each is shorter than 123 bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(error) => error.fmt(f),
            Self::NotUtf8 => f.write_str("text is not UTF-8"),
            Self::TooBig { size, limit } => write!(f, "message of {size} bytes exceeds {limit}"),
            #[cfg(feature = "deflate")]
            Self::Corrupt => f.write_str("message is not deflate data"),
            Self::PingFlood => f.write_str("too many pings with unread pongs"),
        }
    }
}

impl From<ProtocolError> for Fault {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Protocol(error) => Self::Protocol(error),
            Fault::NotUtf8 => Self::NotUtf8,
            Fault::TooBig { size, limit } => Self::MessageTooBig { size, limit },
            #[cfg(feature = "deflate")]
            Fault::Corrupt => Self::Deflate,
            Fault::PingFlood => Self::PingFlood,
        }
    }
}

#[cfg(feature = "deflate")]
impl From<crate::protocol::deflate::Corrupt> for Fault {
    fn from(_: crate::protocol::deflate::Corrupt) -> Self {
        Self::Corrupt
    }
}
