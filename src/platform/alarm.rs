//! Alarms of this thread, rung by one `setTimeout` for all of them.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use futures::task::AtomicWaker;
use wasm_bindgen::prelude::{Closure, JsValue, wasm_bindgen};

use super::{Instant, now};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Closure<dyn FnMut()>, milliseconds: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

thread_local! {
    static BELL: RefCell<Bell> = const { RefCell::new(Bell { set: Vec::new(), timeout: None, handler: None }) };
}

/// Wakes a task at one instant; dropped, it does not.
///
/// It holds nothing of JavaScript's, so that who holds it may be `Send`.
#[derive(Debug)]
pub(super) struct Alarm(Arc<Ringing>);

#[derive(Debug, Default)]
struct Ringing {
    has_rung: AtomicBool,
    waker: AtomicWaker,
}

impl Alarm {
    pub(super) fn new(deadline: Instant) -> Self {
        let ringing = Arc::<Ringing>::default();
        BELL.with_borrow_mut(|bell| {
            bell.set.push((deadline, ringing.clone()));
            bell.rearm();
        });
        Self(ringing)
    }

    /// Says whom it wakes; `false` if it has rung.
    pub(super) fn wakes(&self, waker: &Waker) -> bool {
        // In this order: where it rings meanwhile, in another thread, one of the two is seen.
        self.0.waker.register(waker);
        !self.0.has_rung.load(Ordering::Acquire)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.waker.take();
        // In another thread than its own it stays in that one's list until its time has come. At
        // the end of a thread there may be no list any more.
        let _ = BELL.try_with(|bell| {
            let mut bell = bell.borrow_mut();
            bell.set.retain(|(_, ringing)| !Arc::ptr_eq(ringing, &self.0));
            bell.rearm();
        });
    }
}

/// What rings the alarms of a thread.
struct Bell {
    set: Vec<(Instant, Arc<Ringing>)>,
    /// The one `setTimeout` there is, and when it is due.
    timeout: Option<(Instant, JsValue)>,
    /// Made once: JavaScript holds it while there is a timeout.
    handler: Option<Closure<dyn FnMut()>>,
}

impl Bell {
    /// Has JavaScript call at the first deadline, and not at all if there is none.
    fn rearm(&mut self) {
        let first = self.set.iter().map(|(deadline, _)| *deadline).min();
        if first == self.timeout.as_ref().map(|(due, _)| *due) {
            return;
        }
        if let Some((_, id)) = self.timeout.take() {
            clear_timeout(&id);
        }
        if let Some(first) = first {
            let handler = self.handler.get_or_insert_with(|| Closure::new(ring));
            // A longer wait than `setTimeout` takes is made of several.
            let wait = i32::try_from(first.milliseconds()).unwrap_or(i32::MAX);
            self.timeout = Some((first, set_timeout(handler, wait)));
        }
    }
}

/// Wakes those whose time has come.
fn ring() {
    let due = BELL.with_borrow_mut(|bell| {
        bell.timeout = None;
        let now = now();
        let mut due = Vec::new();
        bell.set.retain(|(by, ringing)| {
            let waits = *by > now;
            if !waits {
                due.push((*by, ringing.clone()));
            }
            waits
        });
        bell.rearm();
        due
    });
    // What is woken may set alarms, so nothing is borrowed here.
    for (_, ringing) in due {
        ringing.has_rung.store(true, Ordering::Release);
        ringing.waker.wake();
    }
}
