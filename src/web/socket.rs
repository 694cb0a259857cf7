//! The page's `WebSocket`, and who listens to it.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, WebSocket};

use super::inbox::Inbox;
use super::js::{self, Data, Ended};
use super::link::{Link, thrown};
use super::listener::Listener;
use crate::protocol::{CloseFrame, Message, ReadyState};
use crate::{Error, Handshake};

/// The page's `WebSocket`.
pub(super) struct Socket {
    page: WebSocket,
    inbox: Rc<Inbox>,
    /// `None` once the socket was given back.
    listeners: Option<[Listener; 3]>,
}

impl Socket {
    /// Asks the page for a socket.
    pub(super) fn open(
        url: &str,
        protocols: &[String],
        inbox: Rc<Inbox>,
    ) -> Result<Box<dyn Link>, JsValue> {
        let socket = if protocols.is_empty() {
            WebSocket::new(url)?
        } else {
            WebSocket::new_with_str_sequence(url, &array(protocols))?
        };
        Ok(Box::new(Self::wrap(socket, inbox)))
    }

    /// Listens to a socket in any state.
    pub(super) fn wrap(socket: WebSocket, inbox: Rc<Inbox>) -> Self {
        socket.set_binary_type(BinaryType::Arraybuffer);
        let open = {
            let (socket, inbox) = (socket.clone(), Rc::clone(&inbox));
            move |_: JsValue| inbox.open(settled(&socket))
        };
        let message = {
            let (socket, inbox) = (socket.clone(), Rc::clone(&inbox));
            move |event: JsValue| {
                if let Err(frame) = inbox.receive(Data::of(&js::data(&event))) {
                    close(&socket, frame);
                }
            }
        };
        let close = {
            let (socket, inbox) = (socket.clone(), Rc::clone(&inbox));
            move |event: JsValue| inbox.end(Ended::of_event(&event), || public(&socket.url()))
        };
        // An `error` is always followed by a `close`, and says nothing.
        let listeners = [
            Listener::attach(&socket, "open", Closure::new(open)),
            Listener::attach(&socket, "message", Closure::new(message)),
            Listener::attach(&socket, "close", Closure::new(close)),
        ];
        match socket.ready_state() {
            WebSocket::CONNECTING => {}
            // No event tells it again.
            WebSocket::CLOSED => inbox.was_over(),
            _ => inbox.open(settled(&socket)),
        }
        Self { page: socket, inbox, listeners: Some(listeners) }
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

    fn url(&self) -> String {
        public(&self.page.url())
    }

    fn send(&self, message: &Message) -> Result<(), Error> {
        let sent = match message {
            Message::Text(text) => self.page.send_with_str(text),
            // Where the program's memory is shared with workers, the page takes no view of it.
            Message::Binary(bytes) => self.page.send_with_u8_array(bytes).or_else(|_| {
                self.page.send_with_js_u8_array(&js_sys::Uint8Array::from(&bytes[..]))
            }),
        };
        sent.map_err(|value| thrown(&value))
    }

    fn buffered(&self) -> usize {
        self.page.buffered_amount() as usize
    }

    fn close(&self, frame: Option<&CloseFrame>) {
        close(&self.page, frame);
    }

    fn socket(&self) -> Option<&WebSocket> {
        Some(&self.page)
    }

    fn into_socket(mut self: Box<Self>) -> Option<WebSocket> {
        self.listeners = None;
        Some(self.page.clone())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.listeners.is_some() && self.inbox.event().is_none() {
            close(&self.page, None);
        }
    }
}

/// The page refuses only codes and reasons that were checked before.
fn close(socket: &WebSocket, frame: Option<&CloseFrame>) {
    // An empty Close frame and one without a reason are other calls, not other values.
    let _ = match frame {
        None => socket.close(),
        Some(frame) => socket.close_with_code_and_reason(frame.code().as_u16(), frame.reason()),
    };
}

/// The facts of a handshake that is over.
fn settled(socket: &WebSocket) -> Handshake {
    Handshake::told(public(&socket.url()), socket.protocol(), socket.extensions())
}

/// Subprotocols as the page takes them; joined by commas it would refuse them.
pub(super) fn array(protocols: &[String]) -> js_sys::Array {
    protocols.iter().map(|protocol| JsValue::from_str(protocol)).collect()
}

/// A URL without user name and password: from the page, or one that the page has refused.
///
/// By bytes, since searches in text would be most of a small program.
pub(super) fn public(url: &str) -> String {
    let bytes = url.as_bytes();
    let start = bytes.windows(3).position(|three| three == b"://").map_or(0, |at| at + 3);
    let authority = bytes.iter().skip(start).take_while(|byte| !b"/?#".contains(byte)).count();
    let credentials = bytes.iter().skip(start).take(authority).rposition(|byte| *byte == b'@');
    match credentials.map(|at| (url.get(..start), url.get(start + at + 1..))) {
        Some((Some(scheme), Some(rest))) => [scheme, rest].concat(),
        _ => url.to_owned(),
    }
}
