//! The page's `WebSocket`, and who listens to it.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, WebSocket};

use super::channel::{BrowserChannel, Settings};
use super::inbox::{Inbox, Limits};
use super::js::{self, Data, Ended};
use super::link::{Link, thrown};
use super::listener::{Listener, callback};
use crate::Error;
use crate::protocol::{CloseFrame, Message, ReadyState};

/// The page's `WebSocket`.
pub(super) struct Socket {
    page: WebSocket,
    inbox: Rc<Inbox>,
    _listeners: [Listener; 3],
}

impl Socket {
    /// Asks the page for a socket.
    pub(super) fn open(
        url: &str,
        protocols: &[String],
        limits: Limits,
        settings: Settings,
    ) -> Result<BrowserChannel, JsValue> {
        let socket = WebSocket::new_with_str_sequence(url, &array(protocols))?;
        Ok(Self::wrap(socket, limits, settings))
    }

    /// Listens to a socket in any state.
    pub(super) fn wrap(socket: WebSocket, limits: Limits, settings: Settings) -> BrowserChannel {
        socket.set_binary_type(BinaryType::Arraybuffer);
        let inbox = Rc::new(Inbox::new(limits, public(&js::text_of(&socket, "url"))));
        let listen = |event, tell: fn(&JsValue, &Inbox, &JsValue)| {
            Listener::attach(&socket, event, callback(&socket, &inbox, tell))
        };
        // An `error` is always followed by a `close`, and says nothing.
        let listeners =
            [listen("open", opened), listen("message", received), listen("close", ended)];
        match socket.ready_state() {
            WebSocket::CONNECTING => {}
            // No event tells it again.
            WebSocket::CLOSED => inbox.was_over(),
            _ => opened(&socket, &inbox, &JsValue::UNDEFINED),
        }
        let link = Self { page: socket, inbox: Rc::clone(&inbox), _listeners: listeners };
        BrowserChannel::new(link, inbox, settings)
    }
}

impl Link for Socket {
    fn state(&self) -> ReadyState {
        match self.page.ready_state() {
            WebSocket::CONNECTING => ReadyState::Connecting,
            WebSocket::OPEN => ReadyState::Open,
            // Closed is what has an event.
            _ => ReadyState::Closing,
        }
    }

    fn send(&self, message: &Message) -> Result<(), Error> {
        let sent = match message {
            Message::Text(text) => self.page.send_with_str(text),
            // Where the program's memory is shared with workers, the page takes no view of it.
            Message::Binary(bytes) => self
                .page
                .send_with_u8_array(bytes)
                .or_else(|_| js::page(&self.page).send(&js_sys::Uint8Array::from(&bytes[..]))),
        };
        sent.map_err(|value| thrown(&value))
    }

    fn buffered(&self) -> usize {
        self.page.buffered_amount() as usize
    }

    fn close(&self, frame: Option<&CloseFrame>) {
        js::close(&self.page, frame);
    }

    fn socket(&self) -> Option<&WebSocket> {
        Some(&self.page)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Whatever its events said, which a page can make up.
        if !self.inbox.is_given_back() {
            js::close(&self.page, None);
        }
    }
}

/// The handshake is over.
fn opened(socket: &JsValue, inbox: &Inbox, _: &JsValue) {
    inbox.open(js::text_of(socket, "protocol"), js::text_of(socket, "extensions"));
}

/// A message has come.
fn received(socket: &JsValue, inbox: &Inbox, event: &JsValue) {
    if let Err(frame) = inbox.receive(Data::of(&js::data(event))) {
        js::close(socket, frame.as_ref());
    }
}

/// The connection is over.
fn ended(_: &JsValue, inbox: &Inbox, event: &JsValue) {
    inbox.end(Ended::of_event(event));
}

/// Subprotocols as the page takes them; joined by commas it would refuse them.
pub(super) fn array(protocols: &[String]) -> js_sys::Array {
    protocols.iter().map(|protocol| JsValue::from_str(protocol)).collect()
}

/// A URL without user name and password: from the page, or one that the page has refused.
///
/// WHATWG, "URL parsing": slashes of any number and kind stand before the user name, two at least
/// where there is no scheme; blanks are skipped. By bytes, since searches in text would be most of a
/// small program.
pub(super) fn public(url: &str) -> String {
    let bytes = url.as_bytes();
    let (mut scheme, mut slashes, mut start, mut host) = (false, 0, 0, 0);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b':' if !scheme && slashes == 0 => (scheme, start) = (true, at + 1),
            b'/' | b'\\' if at == start => (slashes, start) = (slashes + 1, at + 1),
            ..=b' ' if at == start => start = at + 1,
            b'/' | b'\\' | b'?' | b'#' => break,
            b'@' => host = at + 1,
            _ => {}
        }
    }
    // Else it is a path.
    let host = if scheme || slashes > 1 { host.max(start) } else { start };
    let mut public = url.get(..start).unwrap_or_default().to_owned();
    public.push_str(url.get(host..).unwrap_or_default());
    public
}
