//! What the error hook is told.

use std::any::Any;
use std::fmt;

use crate::Error;
use crate::error::Chain;
use crate::server::hooks::{BoxError, Hook};

/// Why a peer ends otherwise than by a closing handshake; told to
/// [`Hooks::error`](crate::server::Hooks::error).
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The connection broke.
    #[error(transparent)]
    Connection(Error),
    /// A hook returned an error; the peer is told 1011.
    #[error("the hook `{}` failed", .hook.name())]
    #[non_exhaustive]
    Failed {
        /// Which hook.
        hook: Hook,
        /// What it returned.
        source: BoxError,
    },
    /// A hook panicked; the peer is told 1011.
    #[error("the hook `{}` panicked: {message}", .hook.name())]
    #[non_exhaustive]
    Panicked {
        /// Which hook.
        hook: Hook,
        /// What it said, if that is text.
        message: String,
    },
}

impl PeerError {
    pub(super) fn panicked(hook: Hook, payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::Panicked { hook, message: text.unwrap_or("(not a text)").to_owned() }
    }
}

/// As [`Display`](fmt::Display) with the causes, after the variant's name.
impl fmt::Debug for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Connection(_) => "Connection",
            Self::Failed { .. } => "Failed",
            Self::Panicked { .. } => "Panicked",
        };
        write!(f, "{name}({:?})", Chain(self))
    }
}
