//! Who listens to an object of the page.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

use super::inbox::Inbox;

/// A function that the page calls. Not `FnMut`, which must not be called again while it runs.
pub(super) type Callback = Closure<dyn Fn(JsValue)>;

/// A callback that tells an inbox what became of something of the page's.
///
/// One kind of closure for all, and one place that makes them, since each would be code of its own.
#[inline(never)]
pub(super) fn callback(
    page: &JsValue,
    inbox: &Rc<Inbox>,
    tell: fn(&JsValue, &Inbox, &JsValue),
) -> Callback {
    let (page, inbox) = (page.clone(), Rc::clone(inbox));
    Closure::new(move |event: JsValue| tell(&page, &inbox, &event))
}

/// A callback of the page; dropping it detaches it.
pub(super) struct Listener {
    target: EventTarget,
    event: &'static str,
    callback: Callback,
}

impl Listener {
    // One copy of it, as of what drops it.
    #[inline(never)]
    pub(super) fn attach(target: &EventTarget, event: &'static str, callback: Callback) -> Self {
        // It throws only for arguments of other types.
        let _ = target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
        Self { target: target.clone(), event, callback }
    }
}

impl Drop for Listener {
    #[inline(never)]
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(
            self.event,
            self.callback.as_ref().unchecked_ref(),
        );
    }
}
