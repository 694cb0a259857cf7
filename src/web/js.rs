//! The page's objects as far as they are used here.
//!
//! Every value that comes from the page is taken as any value: a page can dispatch events of its
//! own making, and what it puts into them must not end the program.

use bytes::Bytes;
use wasm_bindgen::prelude::*;

use crate::protocol::{CloseCode, CloseFrame, Message, Utf8Bytes};

#[wasm_bindgen]
extern "C" {
    /// Whatever the page has: an event, what a promise came to, a socket.
    type Told;

    // Not caught, which takes a closure a message: a getter that throws is the page's own, and throws
    // to the page.
    #[wasm_bindgen(method, getter, structural)]
    fn data(this: &Told) -> JsValue;

    #[wasm_bindgen(method, getter, structural, catch, js_name = byteLength)]
    fn byte_length(this: &Told) -> Result<JsValue, JsValue>;

    /// A `Uint8Array`.
    #[wasm_bindgen(js_name = Uint8Array)]
    pub(super) type View;

    /// Throws for a buffer that was given away, and for what only looks like one.
    #[wasm_bindgen(catch, constructor, js_class = Uint8Array)]
    fn new(buffer: &JsValue) -> Result<View, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn length(this: &View) -> u32;

    /// Itself, which becomes a copy in one call: js-sys takes three and another view.
    #[wasm_bindgen(method, js_name = valueOf)]
    fn copy(this: &View) -> Vec<u8>;

    /// Any other property: few are asked for often enough for code of their own.
    #[wasm_bindgen(method, structural, indexing_getter, catch)]
    fn get(this: &Told, property: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// A `WebSocket` whose methods take any argument that they take in JavaScript: web-sys has a call
    /// for each kind.
    pub(super) type Page;

    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn send(this: &Page, message: &JsValue) -> Result<(), JsValue>;

    /// What is left out stays out: an empty Close frame is one without a code.
    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn close(
        this: &Page,
        code: Option<u16>,
        reason: Option<&str>,
    ) -> Result<(), JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// Two ports: what is posted to the one comes out of the other, in a task of its own.
    #[wasm_bindgen(js_name = MessageChannel)]
    pub(super) type Channel;

    #[wasm_bindgen(constructor, js_class = MessageChannel)]
    pub(super) fn new() -> Channel;

    /// One of them.
    pub(super) type Port;

    #[wasm_bindgen(method, structural)]
    pub(super) fn start(this: &Port);

    #[wasm_bindgen(method, structural, js_name = postMessage)]
    pub(super) fn post_message(this: &Port, message: u32);
}

/// What a message is, short of copying it.
pub(super) enum Data {
    Text(String),
    /// A buffer of that many bytes.
    Binary(usize, View),
    /// A `Blob`, or something that no browser sends.
    Other,
}

impl Data {
    pub(super) fn of(value: &JsValue) -> Self {
        if value.is_instance_of::<js_sys::ArrayBuffer>() {
            return Self::of_buffer(value);
        }
        match value.as_string() {
            Some(text) => Self::Text(text),
            None => Self::of_other(value),
        }
    }

    fn of_buffer(value: &JsValue) -> Self {
        match View::new(value) {
            Ok(view) => Self::Binary(view.length() as usize, view),
            Err(_) => Self::Other,
        }
    }

    /// An `ArrayBuffer` of another frame, a `Uint8Array`, or what is none of these.
    #[cold]
    fn of_other(value: &JsValue) -> Self {
        let is_buffer = told(value).byte_length().is_ok_and(|length| length.as_f64().is_some());
        if is_buffer { Self::of_buffer(value) } else { Self::Other }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(length, _) => *length,
            Self::Other => 0,
        }
    }

    pub(super) fn into_message(self) -> Option<Message> {
        match self {
            Self::Text(text) => Some(Message::Text(text.into())),
            Self::Binary(_, bytes) => Some(Message::Binary(Bytes::from(bytes.copy()))),
            Self::Other => None,
        }
    }
}

/// Lets a value be looked at, which throws if it is `null` or `undefined`.
fn told(value: &JsValue) -> &Told {
    value.unchecked_ref()
}

pub(super) fn page(socket: &JsValue) -> &Page {
    socket.unchecked_ref()
}

pub(super) fn port(port: &JsValue) -> &Port {
    port.unchecked_ref()
}

/// Closes a socket, or a port. The page refuses only codes and reasons that were checked before.
#[inline(never)]
pub(super) fn close(page: &JsValue, frame: Option<&CloseFrame>) {
    let code = frame.map(|frame| frame.code().as_u16());
    let _ = self::page(page).close(code, frame.map(CloseFrame::reason));
}

/// The data of a message event.
pub(super) fn data(event: &JsValue) -> JsValue {
    told(event).data()
}

/// A property of any value; `undefined` if that has none.
#[inline(never)]
pub(super) fn property(value: &JsValue, name: &str) -> JsValue {
    told(value).get(name).unwrap_or_default()
}

/// A property that should be text; empty if it is not.
pub(super) fn text_of(value: &JsValue, name: &str) -> String {
    property(value, name).as_string().unwrap_or_default()
}

/// How a connection ended, as the page tells it.
pub(super) struct Ended {
    pub(super) code: CloseCode,
    pub(super) reason: Utf8Bytes,
    pub(super) was_clean: bool,
}

impl Ended {
    /// Of a `CloseEvent`.
    pub(super) fn of_event(event: &JsValue) -> Self {
        Self::new(event, "code", property(event, "wasClean").is_truthy())
    }

    /// Of a `WebSocketCloseInfo`, or of the `WebSocketError` in its place.
    pub(super) fn of_info(info: &JsValue, was_clean: bool) -> Self {
        Self::new(info, "closeCode", was_clean)
    }

    fn new(told: &JsValue, code: &str, was_clean: bool) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let code = property(told, code)
            .as_f64()
            .map_or(crate::status::ABNORMAL_CLOSURE, |code| CloseCode::new(code as u16));
        let reason = text_of(told, "reason").into();
        Self { code, reason, was_clean: was_clean && code != crate::status::ABNORMAL_CLOSURE }
    }

    /// Without a Close frame.
    pub(super) fn lost() -> Self {
        let code = crate::status::ABNORMAL_CLOSURE;
        Self { code, reason: Utf8Bytes::default(), was_clean: false }
    }
}

/// What the page says of something that it has thrown.
pub(super) fn text(thrown: &JsValue) -> String {
    thrown.as_string().unwrap_or_else(|| text_of(thrown, "message"))
}
