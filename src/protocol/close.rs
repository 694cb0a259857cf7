//! Why a connection ends: the code, the frame that is sent, the event that is reported.

use std::convert::Infallible;
use std::fmt;

use crate::protocol::Utf8Bytes;
use crate::status;

/// A close code: any number that a Close frame can carry, or that stands for the lack of one.
///
/// A value, not an enumeration, so that no code a peer sends is lost. The predefined ones are in
/// [`status`]; which may be sent is decided when a [`CloseFrame`] is made.
///
/// ```
/// use ws_channel::{CloseCode, status};
///
/// let code = CloseCode::from(1001u16);
/// assert_eq!(code, status::GOING_AWAY);
/// assert_eq!(code.to_string(), "1001 (going away)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// A code of this number.
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// The registered name, in lower case, of a predefined code.
    pub const fn name(self) -> Option<&'static str> {
        status::name(self.0)
    }

    /// Whether a Close frame with this code may stand on the wire (RFC 6455 §7.4, IANA's registry).
    ///
    /// That is 1000–1003, 1007–1014 and 3000–4999.
    pub const fn is_allowed_on_wire(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

/// For literals, as in `channel.close(4000, "…")`: an integer literal without a type is an `i32`.
impl TryFrom<i32> for CloseCode {
    type Error = InvalidCloseFrame;

    fn try_from(code: i32) -> Result<Self, InvalidCloseFrame> {
        match u16::try_from(code) {
            Ok(code) => Ok(Self(code)),
            Err(_) => Err(InvalidCloseFrame::Code { code: i64::from(code) }),
        }
    }
}

/// A code and a reason that RFC 6455 lets an endpoint send.
///
/// Whether this role or platform may send it is checked when it is used: 1010 is for clients
/// only, and a browser lets a page send only 1000 and 3000–4999.
///
/// ```
/// use ws_channel::{CloseFrame, status};
///
/// let frame = CloseFrame::new(status::GOING_AWAY, "bye")?;
/// assert_eq!(frame.reason(), "bye");
/// assert!(CloseFrame::new(status::ABNORMAL_CLOSURE, "").is_err());
/// # Ok::<(), ws_channel::InvalidCloseFrame>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    code: CloseCode,
    reason: Utf8Bytes,
}

impl CloseFrame {
    /// The longest reason, in bytes of UTF-8: a control frame's 125 less the code's 2
    /// (RFC 6455 §5.5).
    pub const MAX_REASON: usize = 123;

    /// A Close frame's content.
    ///
    /// # Errors
    ///
    /// - [`InvalidCloseFrame::Code`] for a code that nobody may send (0–999, 1004–1006, 1015–2999,
    ///   5000 and above).
    /// - [`InvalidCloseFrame::Reason`] for a reason of more than 123 bytes.
    pub fn new(code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<Self, InvalidCloseFrame> {
        let reason = reason.into();
        if !code.is_allowed_on_wire() {
            return Err(InvalidCloseFrame::Code { code: i64::from(code.as_u16()) });
        }
        if reason.len() > Self::MAX_REASON {
            return Err(InvalidCloseFrame::Reason { length: reason.len() });
        }
        Ok(Self { code, reason })
    }

    /// The code.
    pub const fn code(&self) -> CloseCode {
        self.code
    }

    /// The reason; empty if none is given.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    pub(crate) fn into_reason(self) -> Utf8Bytes {
        self.reason
    }
}

/// Why a code and a reason cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCloseFrame {
    /// Nobody may send this code.
    #[error("close code {code} may not be sent; use 1000-1003, 1007-1014 or 3000-4999")]
    #[non_exhaustive]
    Code {
        /// The number asked for.
        code: i64,
    },
    /// The code is legal, but not for this role or on this platform.
    #[error("close code {} may not be sent by a {by}", code.as_u16())]
    #[non_exhaustive]
    NotByThisEndpoint {
        /// The code asked for.
        code: CloseCode,
        /// Who may not send it, as "server" or "page".
        by: &'static str,
    },
    /// The reason does not fit into a control frame.
    #[error("close reason of {length} bytes is longer than 123; send the rest as a message before")]
    #[non_exhaustive]
    Reason {
        /// Its length in bytes of UTF-8.
        length: usize,
    },
}

impl From<Infallible> for InvalidCloseFrame {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// How a connection ended.
///
/// ```
/// # use ws_channel::{status, CloseEvent};
/// # fn look(event: &CloseEvent) {
/// match event.code {
///     status::NORMAL_CLOSURE | status::GOING_AWAY => println!("over: {}", event.reason),
///     status::ABNORMAL_CLOSURE => println!("lost"),
///     code => println!("{code} {}", event.reason),
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseEvent {
    /// The code of the Close frame received (RFC 6455 §7.1.5): 1005 if it had none, 1006 if no
    /// Close frame came.
    pub code: CloseCode,
    /// The reason of the Close frame received; empty if there was none.
    pub reason: Utf8Bytes,
    /// Whether Close frames went both ways before the transport ended.
    pub was_clean: bool,
    /// Who began the end.
    pub initiator: Initiator,
}

/// Who began the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "there are two ends")]
pub enum Initiator {
    /// This end: it closed the channel, or failed the connection for a fault of the peer or a
    /// deadline.
    Local,
    /// The peer closed, or the transport was lost.
    Peer,
}

impl fmt::Display for CloseEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)?;
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        Ok(())
    }
}
