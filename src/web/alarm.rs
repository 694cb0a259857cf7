//! Deadlines of a channel.
//!
//! Whoever waits for one leaves a waker in the inbox in the same poll, so this is less than the
//! platform's timer: a timeout of the page that wakes them all.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::inbox::Inbox;
use super::listener::{Callback, callback};
use crate::platform::{self, Instant};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Callback, milliseconds: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

/// Wakes who waits on an inbox, at the first of the instants that were asked for.
///
/// Those who wait for a later one are woken as well, ask again, and so set it anew.
pub(super) struct Alarm {
    inbox: Rc<Inbox>,
    ring: Callback,
    /// The last timeout that was set; clearing it again does nothing.
    timeout: JsValue,
}

impl Alarm {
    pub(super) fn new(inbox: Rc<Inbox>) -> Self {
        let ring = callback(&JsValue::UNDEFINED, &inbox, |_, inbox, _| inbox.ring());
        Self { inbox, ring, timeout: JsValue::UNDEFINED }
    }

    /// Whether an instant has come; if not, who waits on the inbox is woken by then.
    pub(super) fn has_come(&mut self, instant: Instant) -> bool {
        if instant <= platform::now() {
            return true;
        }
        if self.inbox.ring_by(instant) {
            self.clear();
            // A longer wait than `setTimeout` takes is made of several.
            let wait = i32::try_from(instant.milliseconds()).unwrap_or(i32::MAX);
            self.timeout = set_timeout(&self.ring, wait);
        }
        false
    }

    /// Nobody waits for an instant any more.
    pub(super) fn silence(&self) {
        self.inbox.silence();
        self.clear();
    }

    fn clear(&self) {
        clear_timeout(&self.timeout);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clear();
    }
}
