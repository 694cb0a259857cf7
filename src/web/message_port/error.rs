//! What can go wrong between two threads of a browser.

use wasm_bindgen::JsValue;

use crate::stream_channel::Closed;
use crate::web::js;

/// Why something did not get through a [`PortChannel`](super::PortChannel).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The channel is over. The stream says [`Closed::Overflow`] if the other end sent more than it
    /// was told that there is room for.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// What came through the port is nothing that a `PortChannel` sends.
    #[error("what came through the port was not sent by a `PortChannel`")]
    Unexpected,
    /// The other end is gone without having closed the channel: its worker was terminated, or its
    /// port closed by hand.
    #[error("the other end of the port is gone")]
    Lost,
    /// An item came that cannot be made here, such as memory that this thread may not share.
    #[error("an item that came cannot be read in this thread")]
    Unreadable,
    /// The page does not send the value; nothing was sent, and the channel can be used on.
    #[error("the browser does not send this to another thread: {reason}")]
    #[non_exhaustive]
    Refused {
        /// What the browser says.
        reason: String,
    },
    /// It was sent without waiting for room, as `send` does; nothing was sent.
    #[error("there is no room at the other end; wait for `poll_ready`")]
    NoRoom,
}

impl PortError {
    /// For something that the page threw.
    pub(super) fn refused(thrown: &JsValue) -> Self {
        Self::Refused { reason: js::text(thrown) }
    }
}
