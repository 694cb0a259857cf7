//! Waiting for the other thread's port.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, MessagePort};

use super::{PortChannel, PortError};
use crate::web::js;
use crate::web::listener::Listener;

/// The channel that the other thread [offers](PortChannel::offer), to be awaited; what
/// [`PortChannel::accept`] gives.
///
/// # Errors
///
/// [`PortError::Unexpected`] if the first message that comes is something else than an offer.
///
/// # Cancellation safety
///
/// Dropping it stops listening: a channel whose offer has come by then is closed, and one whose offer
/// comes later is not seen.
#[must_use = "futures do nothing unless awaited"]
pub struct AcceptingPort {
    _listeners: [Listener; 2],
    first: Rc<First>,
    capacity: usize,
}

/// The first message.
#[derive(Default)]
struct First {
    told: RefCell<Option<Result<MessagePort, PortError>>>,
    waker: RefCell<Option<Waker>>,
}

impl First {
    fn tell(&self, told: Result<MessagePort, PortError>) {
        self.told.borrow_mut().get_or_insert(told);
        let waker = self.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl AcceptingPort {
    pub(super) fn new(from: &EventTarget, capacity: usize) -> Self {
        let first = Rc::<First>::default();
        let message = {
            let first = Rc::clone(&first);
            move |event: JsValue| {
                let port = js::data(&event).dyn_into().map_err(|_| PortError::Unexpected);
                first.tell(port);
            }
        };
        let unreadable = {
            let first = Rc::clone(&first);
            move |_: JsValue| first.tell(Err(PortError::Unexpected))
        };
        let listeners = [
            Listener::attach(from, "message", Closure::new(message)),
            Listener::attach(from, "messageerror", Closure::new(unreadable)),
        ];
        if let Some(port) = from.dyn_ref::<MessagePort>() {
            // Else it keeps what comes to itself.
            port.start();
        }
        Self { _listeners: listeners, first, capacity }
    }
}

impl Future for AcceptingPort {
    type Output = Result<PortChannel, PortError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let told = self.first.told.take();
        if let Some(told) = told {
            return Poll::Ready(told.map(|port| PortChannel::new(port, self.capacity)));
        }
        let before = self.first.waker.replace(Some(cx.waker().clone()));
        drop(before);
        Poll::Pending
    }
}

impl Drop for AcceptingPort {
    fn drop(&mut self) {
        let told = self.first.told.take();
        if let Some(Ok(port)) = told {
            // Nobody will take it: so that the other end does not wait for ever.
            drop(PortChannel::new(port, self.capacity));
        }
    }
}

impl fmt::Debug for AcceptingPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptingPort").finish_non_exhaustive()
    }
}
