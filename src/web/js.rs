//! The page's objects as far as they are used here.
//!
//! Every value that comes from the page is taken as any value: a page can dispatch events of its
//! own making, and what it puts into them must not end the program.

use bytes::Bytes;
use wasm_bindgen::prelude::*;

use crate::protocol::{CloseCode, Message, Utf8Bytes};

#[wasm_bindgen]
extern "C" {
    /// An event, or whatever else a callback is given.
    pub(super) type Told;

    #[wasm_bindgen(method, getter, structural)]
    fn data(this: &Told) -> JsValue;

    #[wasm_bindgen(method, getter, structural)]
    fn code(this: &Told) -> JsValue;

    #[wasm_bindgen(method, getter, structural, js_name = closeCode)]
    fn close_code(this: &Told) -> JsValue;

    #[wasm_bindgen(method, getter, structural)]
    fn reason(this: &Told) -> JsValue;

    #[wasm_bindgen(method, getter, structural, js_name = wasClean)]
    fn was_clean(this: &Told) -> JsValue;

    #[wasm_bindgen(method, getter, structural)]
    fn message(this: &Told) -> JsValue;

    #[wasm_bindgen(method, getter, structural, js_name = byteLength)]
    fn byte_length(this: &Told) -> JsValue;
}

/// What a message is, short of copying it.
pub(super) enum Data {
    Text(String),
    /// A buffer of that many bytes.
    Binary(js_sys::Uint8Array),
    /// A `Blob`, or something that no browser sends.
    Other,
}

impl Data {
    pub(super) fn of(value: &JsValue) -> Self {
        if let Some(text) = value.as_string() {
            return Self::Text(text);
        }
        // An `ArrayBuffer`, also one of another frame, or a `Uint8Array`.
        if value.is_object() && told(value).byte_length().as_f64().is_some() {
            return Self::Binary(js_sys::Uint8Array::new(value));
        }
        Self::Other
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.length() as usize,
            Self::Other => 0,
        }
    }

    pub(super) fn into_message(self) -> Option<Message> {
        match self {
            Self::Text(text) => Some(Message::Text(text.into())),
            Self::Binary(bytes) => Some(Message::Binary(Bytes::from(bytes.to_vec()))),
            Self::Other => None,
        }
    }
}

/// Lets a value be looked at; only to be called with objects.
fn told(value: &JsValue) -> &Told {
    value.unchecked_ref()
}

/// The data of a message event.
pub(super) fn data(event: &JsValue) -> JsValue {
    if event.is_object() { told(event).data() } else { JsValue::UNDEFINED }
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
        if !event.is_object() {
            return Self::lost();
        }
        let event = told(event);
        Self::new(&event.code(), &event.reason(), event.was_clean().is_truthy())
    }

    /// Of a `WebSocketCloseInfo`, or of the `WebSocketError` in its place.
    pub(super) fn of_info(info: &JsValue, was_clean: bool) -> Self {
        if !info.is_object() {
            return Self::lost();
        }
        let info = told(info);
        Self::new(&info.close_code(), &info.reason(), was_clean)
    }

    fn new(code: &JsValue, reason: &JsValue, was_clean: bool) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let code = code
            .as_f64()
            .map_or(crate::status::ABNORMAL_CLOSURE, |code| CloseCode::new(code as u16));
        let reason = reason.as_string().map(Utf8Bytes::from).unwrap_or_default();
        Self { code, reason, was_clean }
    }

    /// Without a Close frame.
    pub(super) fn lost() -> Self {
        let code = crate::status::ABNORMAL_CLOSURE;
        Self { code, reason: Utf8Bytes::default(), was_clean: false }
    }
}

/// What the page says of something that it has thrown.
pub(super) fn text(thrown: &JsValue) -> String {
    let message =
        if thrown.is_object() { told(thrown).message().as_string() } else { thrown.as_string() };
    message.unwrap_or_default()
}
