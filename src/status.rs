//! The predefined close codes, for `use ws_channel::status`.
//!
//! The names and meanings are those of RFC 6455 §7.4.1 and of IANA's registry of WebSocket close
//! codes. Codes from 3000 to 3999 are for libraries and frameworks, from 4000 to 4999 for private
//! use: write those as numbers, `channel.close(4000, "…")`.
//!
//! ```
//! use ws_channel::{CloseCode, status};
//!
//! assert_eq!(status::GOING_AWAY.as_u16(), 1001);
//! assert_eq!(status::GOING_AWAY.name(), Some("going away"));
//! assert_eq!(CloseCode::from(4000u16).name(), None);
//! ```

use crate::CloseCode;

/// Writes number, name, text and documentation of each code once.
macro_rules! close_codes {
    ($($(#[$doc:meta])* $code:literal $name:ident $text:literal;)+) => {
        $(
            $(#[$doc])*
            pub const $name: CloseCode = CloseCode::new($code);
        )+

        /// The registered name of a code, in lower case.
        pub(crate) const fn name(code: u16) -> Option<&'static str> {
            match code {
                $($code => Some($text),)+
                _ => None,
            }
        }
    };
}

close_codes! {
    /// The purpose of the connection has been fulfilled.
    #[doc(alias = "normalClosure")]
    1000 NORMAL_CLOSURE "normal closure";
    /// An endpoint is going away: a server shuts down, a page is left.
    #[doc(alias = "goingAway")]
    1001 GOING_AWAY "going away";
    /// The peer broke the WebSocket protocol.
    #[doc(alias = "protocolError")]
    1002 PROTOCOL_ERROR "protocol error";
    /// The peer sent a type of data that this endpoint cannot accept.
    #[doc(alias = "unsupportedData")]
    1003 UNSUPPORTED_DATA "unsupported data";
    /// The peer's Close frame had no code. Reported only, never sent.
    #[doc(alias = "noStatusReceived")]
    1005 NO_STATUS_RECEIVED "no status received";
    /// The connection was lost without a Close frame. Reported only, never sent.
    #[doc(alias = "abnormalClosure")]
    1006 ABNORMAL_CLOSURE "abnormal closure";
    /// The data of a message does not fit its type, such as text that is not UTF-8.
    #[doc(alias = "invalidFramePayloadData")]
    1007 INVALID_FRAME_PAYLOAD_DATA "invalid frame payload data";
    /// A message broke the endpoint's policy; for want of a better code.
    #[doc(alias = "policyViolation")]
    1008 POLICY_VIOLATION "policy violation";
    /// A message is too big to be processed.
    #[doc(alias = "messageTooBig")]
    1009 MESSAGE_TOO_BIG "message too big";
    /// The server did not negotiate an extension that the client needs. Sent by clients only.
    #[doc(alias = "missingMandatoryExtension")]
    1010 MISSING_MANDATORY_EXTENSION "missing mandatory extension";
    /// An unexpected condition keeps the endpoint from going on.
    #[doc(alias = "internalServerError")]
    1011 INTERNAL_SERVER_ERROR "internal server error";
    /// The service restarts; reconnect after a random delay.
    1012 SERVICE_RESTART "service restart";
    /// The service is overloaded; try again later, or elsewhere.
    1013 TRY_AGAIN_LATER "try again later";
    /// A gateway got an invalid response from upstream, as HTTP's 502.
    1014 BAD_GATEWAY "bad gateway";
    /// The TLS handshake failed. Reported only, never sent.
    #[doc(alias = "tlsHandshakeFailed")]
    1015 TLS_HANDSHAKE_FAILED "TLS handshake failed";
    /// The client has to authenticate first, as HTTP's 401.
    3000 UNAUTHORIZED "unauthorized";
    /// The client may not do this, as HTTP's 403.
    3003 FORBIDDEN "forbidden";
    /// The client took too long, as HTTP's 408.
    3008 TIMEOUT "timeout";
}
