//! The states of a connection that everybody may know.

/// Which end of a connection this is. Clients mask what they send, servers do not
/// (RFC 6455 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "complete by the standard")]
pub enum Role {
    /// The end that asked for the connection.
    Client,
    /// The end that was asked.
    Server,
}

/// WHATWG's `readyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "complete by the standard")]
pub enum ReadyState {
    /// The connection is not there yet.
    Connecting,
    /// Messages can be sent and received.
    Open,
    /// The end has begun; nothing more can be sent.
    Closing,
    /// It is over, and `close_event()` says how.
    Closed,
}
