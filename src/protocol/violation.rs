//! How a peer can break the protocol.

use crate::protocol::CloseCode;

/// Which rule of RFC 6455 the peer broke. It is told 1002.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set without an extension that gives it a meaning there (§5.2).
    #[error("a reserved bit is set, to which no negotiated extension gives a meaning there")]
    ReservedBits,
    /// The opcode is not defined (§5.2).
    #[error("opcode {0:#x} is reserved")]
    ReservedOpcode(u8),
    /// A client's frame is not masked (§5.1).
    #[error("a client's frame is not masked")]
    Unmasked,
    /// A server's frame is masked (§5.1).
    #[error("a server's frame is masked")]
    Masked,
    /// A control frame is split into fragments (§5.5).
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// A control frame has more than 125 bytes (§5.5).
    #[error("a control frame has more than 125 bytes")]
    OversizeControl,
    /// The length is written with more bytes than it needs, or with its top bit set (§5.2).
    #[error("the payload length is not in its shortest form")]
    Length,
    /// A continuation without a message to continue (§5.4).
    #[error("a continuation frame continues nothing")]
    UnexpectedContinuation,
    /// A new message inside a fragmented one (§5.4).
    #[error("a message begins inside a fragmented one")]
    ExpectedContinuation,
    /// A Close frame with one byte (§5.5.1).
    #[error("a close frame has a payload of one byte")]
    CloseLength,
    /// A close code that may not stand on the wire (§7.4).
    #[error("close code {} may not stand on the wire", code.as_u16())]
    #[non_exhaustive]
    CloseCode {
        /// The code as it came.
        code: CloseCode,
        /// The reason as it came; empty if it was not UTF-8.
        reason: Box<str>,
    },
}
