//! Deadlines of a channel.
//!
//! Whoever waits for one leaves a waker in the inbox in the same poll, so this is less than the
//! platform's timer: a timeout of the page that wakes them all.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::inbox::Inbox;
use super::js::{self, Channel};
use super::listener::{Callback, Listener, callback};
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
    /// Once it was needed.
    bell: Option<Bell>,
}

impl Alarm {
    pub(super) fn new(inbox: Rc<Inbox>) -> Self {
        let ring = ringing(&inbox);
        Self { inbox, ring, timeout: JsValue::UNDEFINED, bell: None }
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

    /// Who waits on the inbox is woken in a task of the page's own, after those that wait already.
    ///
    /// By a message, since no browser puts those off, and timeouts after one are not lengthened.
    pub(super) fn ring_soon(&mut self) {
        if !self.inbox.ring_by(platform::now()) {
            return;
        }
        self.clear();
        self.bell.get_or_insert_with(|| Bell::new(&self.inbox)).ring();
    }

    /// Whether it is still to ring.
    pub(super) fn is_set(&self) -> bool {
        self.inbox.is_set()
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

/// Calls in a task of the page's own.
struct Bell {
    port1: JsValue,
    port2: JsValue,
    _listener: Listener,
}

impl Bell {
    fn new(inbox: &Rc<Inbox>) -> Self {
        let channel = Channel::new();
        let (port1, port2) = (js::property(&channel, "port1"), js::property(&channel, "port2"));
        let ring = ringing(inbox);
        let listener = Listener::attach(port2.unchecked_ref(), "message", ring);
        js::port(&port2).start();
        Self { port1, port2, _listener: listener }
    }

    fn ring(&self) {
        js::port(&self.port1).post_message(0);
    }
}

impl Drop for Bell {
    /// A port that was started is not collected as garbage.
    fn drop(&mut self) {
        js::close(&self.port2, None);
    }
}

/// A callback that wakes who waits on the inbox.
fn ringing(inbox: &Rc<Inbox>) -> Callback {
    callback(&JsValue::UNDEFINED, inbox, |_, inbox, _| inbox.ring())
}
