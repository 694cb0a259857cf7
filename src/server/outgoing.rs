//! A message on its way out.

use crate::protocol::{Message, Prepared};

/// A message on its way to one peer, or to many.
#[derive(Debug)]
pub(super) enum Outgoing {
    One(Message),
    Shared(Prepared),
}

impl Outgoing {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(message) => message.len(),
            Self::Shared(prepared) => prepared.message().len(),
        }
    }
}
