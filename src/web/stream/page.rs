//! `WebSocketStream` as the page has it; web-sys does not bind it yet.

use wasm_bindgen::prelude::*;

use super::Callback;
use crate::protocol::CloseFrame;

#[wasm_bindgen]
extern "C" {
    pub(in crate::web) type WebSocketStream;

    #[wasm_bindgen(constructor, catch)]
    pub(in crate::web) fn new(url: &str, options: &Settings) -> Result<WebSocketStream, JsValue>;

    #[wasm_bindgen(method, getter)]
    pub(in crate::web) fn url(this: &WebSocketStream) -> String;

    #[wasm_bindgen(method, getter)]
    pub(in crate::web) fn opened(this: &WebSocketStream) -> Promise;

    #[wasm_bindgen(method, getter)]
    pub(in crate::web) fn closed(this: &WebSocketStream) -> Promise;

    #[wasm_bindgen(method, catch)]
    pub(in crate::web) fn close(this: &WebSocketStream, info: &Settings) -> Result<(), JsValue>;

    /// A plain object: options, a close info, what `opened` and `read` resolve to.
    #[wasm_bindgen(js_name = Object)]
    pub(in crate::web) type Settings;

    #[wasm_bindgen(constructor, js_class = Object)]
    fn new_settings() -> Settings;

    #[wasm_bindgen(method, setter, structural)]
    pub(in crate::web) fn set_protocols(this: &Settings, protocols: &js_sys::Array);

    #[wasm_bindgen(method, setter, structural, js_name = closeCode)]
    fn set_close_code(this: &Settings, code: u16);

    #[wasm_bindgen(method, setter, structural)]
    fn set_reason(this: &Settings, reason: &str);

    #[wasm_bindgen(method, getter, structural)]
    pub(in crate::web) fn extensions(this: &Settings) -> String;

    #[wasm_bindgen(method, getter, structural)]
    pub(in crate::web) fn protocol(this: &Settings) -> String;

    #[wasm_bindgen(method, getter, structural)]
    fn readable(this: &Settings) -> Readable;

    #[wasm_bindgen(method, getter, structural)]
    fn writable(this: &Settings) -> Writable;

    #[wasm_bindgen(method, getter, structural)]
    fn done(this: &Settings) -> bool;

    #[wasm_bindgen(method, getter, structural)]
    fn value(this: &Settings) -> JsValue;

    type Readable;

    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &Readable) -> Result<Reader, JsValue>;

    type Writable;

    #[wasm_bindgen(method, catch, js_name = getWriter)]
    fn get_writer(this: &Writable) -> Result<Writer, JsValue>;

    pub(in crate::web) type Reader;

    #[wasm_bindgen(method)]
    pub(in crate::web) fn read(this: &Reader) -> Promise;

    pub(in crate::web) type Writer;

    #[wasm_bindgen(method, catch)]
    pub(in crate::web) fn write(this: &Writer, chunk: &JsValue) -> Result<Promise, JsValue>;

    pub(in crate::web) type Promise;

    #[wasm_bindgen(method)]
    pub(in crate::web) fn then(
        this: &Promise,
        fulfilled: &Callback,
        rejected: &Callback,
    ) -> JsValue;

    #[wasm_bindgen(thread_local_v2, js_name = WebSocketStream)]
    static CLASS: Option<JsValue>;
}

/// Whether the browser has it.
pub(in crate::web) fn is_supported() -> bool {
    CLASS.with(|class| class.as_ref().is_some_and(JsValue::is_function))
}

pub(super) fn options() -> Settings {
    Settings::new_settings()
}

/// Without a frame the page sends an empty one.
pub(super) fn close_info(frame: Option<&CloseFrame>) -> Settings {
    let info = Settings::new_settings();
    if let Some(frame) = frame {
        info.set_close_code(frame.code().as_u16());
        info.set_reason(frame.reason());
    }
    info
}

/// What `opened` resolves to, and both ends.
pub(super) fn ends(info: &JsValue) -> Option<(&Settings, Reader, Writer)> {
    let info: &Settings = info.unchecked_ref();
    let reader = info.readable().get_reader().ok()?;
    let writer = info.writable().get_writer().ok()?;
    Some((info, reader, writer))
}

/// What `read` resolves to, unless it is the end.
pub(super) fn chunk(result: &JsValue) -> Option<JsValue> {
    let result: &Settings = result.unchecked_ref();
    (!result.done()).then(|| result.value())
}
