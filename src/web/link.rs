//! A socket of the page, as the channel sees it.

use std::{fmt, io};

use wasm_bindgen::JsValue;
use web_sys::WebSocket;

use super::js;
use crate::Error;
use crate::protocol::{CloseFrame, Message, ReadyState};

/// A socket of the page. What it tells goes into the channel's [`Inbox`](super::inbox::Inbox).
///
/// Dropping it closes the socket, and nothing is told from then on.
///
/// Behind a pointer, so that a program that never asks for one kind does not carry its code.
pub(super) trait Link {
    /// The state as the page has it.
    fn state(&self) -> ReadyState;

    /// Hands over a message; only in state `Open`.
    fn send(&self, message: &Message) -> Result<(), Error>;

    /// How many bytes were handed over and are not on their way yet.
    fn buffered(&self) -> usize;

    /// Begins the closing handshake.
    fn close(&self, frame: Option<&CloseFrame>);

    /// Lets the next message come, where that needs to be asked for.
    fn read(&self) {}

    /// The page's `WebSocket`, if it is one.
    fn socket(&self) -> Option<&WebSocket> {
        None
    }
}

/// The error for something that the page threw.
pub(super) fn thrown(value: &JsValue) -> Error {
    Error::Io(io::Error::other(Thrown(js::text(value))))
}

/// What the page said. Not a string, whose `Debug` would be most of a small program.
struct Thrown(String);

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Thrown {}
