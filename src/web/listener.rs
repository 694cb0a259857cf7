//! Who listens to an object of the page.

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

/// A callback of the page; dropping it detaches it.
pub(super) struct Listener {
    target: EventTarget,
    event: &'static str,
    /// Not `FnMut`, which must not be called again while it runs.
    callback: Closure<dyn Fn(JsValue)>,
}

impl Listener {
    pub(super) fn attach(
        target: &EventTarget,
        event: &'static str,
        callback: Closure<dyn Fn(JsValue)>,
    ) -> Self {
        // It throws only for arguments of other types.
        let _ = target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
        Self { target: target.clone(), event, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(
            self.event,
            self.callback.as_ref().unchecked_ref(),
        );
    }
}
