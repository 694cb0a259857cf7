//! The error of a channel that is over.

use std::io;

/// Why a channel takes or gives nothing more.
///
/// The tools of [this module](crate::stream_channel) that have to refuse something give this error,
/// as the channel's own: its error type implements `From<Closed>`. [`Error`](crate::Error),
/// [`io::Error`] and boxed errors do; another type needs one `impl`, or one attribute of `thiserror`.
///
/// ```
/// use ws_channel::stream_channel::Closed;
///
/// enum Trouble {
///     Parse(std::num::ParseIntError),
///     Closed(Closed),
/// }
///
/// impl From<Closed> for Trouble {
///     fn from(closed: Closed) -> Self {
///         Self::Closed(closed)
///     }
/// }
/// # let _ = (Trouble::Parse("x".parse::<u8>().unwrap_err()), Trouble::from(Closed::Ended));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// It has ended, at this end or at the other.
    #[error("the channel is closed")]
    Ended,
    /// Its reader fell so far behind that there was no room for what came.
    #[error("the channel was closed because its reader fell too far behind")]
    Overflow,
}

impl From<Closed> for io::Error {
    fn from(closed: Closed) -> Self {
        let kind = match closed {
            Closed::Ended => io::ErrorKind::BrokenPipe,
            Closed::Overflow => io::ErrorKind::ConnectionAborted,
        };
        Self::new(kind, closed)
    }
}
