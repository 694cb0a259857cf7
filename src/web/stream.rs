//! The page's `WebSocketStream`, which holds back a peer that is too fast.
//!
//! Everything it tells comes as a promise. Promises cannot be detached from, so the callbacks own
//! what they write to, and let go of it when the last promise has settled: all of them settle once
//! the socket is closed, and dropping the link closes it.

mod page;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use wasm_bindgen::prelude::*;

use self::page::{Promise, Reader, WebSocketStream, Writer};
use super::channel::{BrowserChannel, Settings};
use super::inbox::{Inbox, Limits};
use super::js::{Data, Ended};
use super::link::{Link, thrown};
use super::socket::{array, public};
use crate::Error;
use crate::protocol::{CloseFrame, Message, ReadyState};

pub(super) use self::page::is_supported;

/// How many bytes may wait in the inbox for the next message to be asked for ahead, at most.
const READ_AHEAD: usize = 64 << 10;

type Callback = Closure<dyn Fn(JsValue)>;

/// Asks the page for a stream.
pub(super) fn open(
    url: &str,
    protocols: &[String],
    limits: Limits,
    settings: Settings,
) -> Result<BrowserChannel, JsValue> {
    if !is_supported() {
        return Err(JsValue::from_str("this browser has no WebSocketStream"));
    }
    let options = page::options();
    options.set_protocols(&array(protocols));
    let page = WebSocketStream::new(url, &options)?;
    let read_ahead = READ_AHEAD.min(limits.queue);
    // What was asked for always has room.
    let limits = Limits { queue: usize::MAX, ..limits };
    let inbox = Rc::new(Inbox::new(limits, public(&page.url())));
    let (opened, closed) = (page.opened(), page.closed());
    let shared = Rc::new(Shared {
        page,
        inbox: Rc::clone(&inbox),
        read_ahead,
        ends: RefCell::default(),
        reading: Cell::new(false),
        writes: RefCell::default(),
        buffered: Cell::new(0),
        closing: RefCell::default(),
        dropped: Cell::new(false),
        over: Cell::new(false),
        pending: Cell::new(0),
        callbacks: RefCell::default(),
    });
    *shared.callbacks.borrow_mut() = Some(Rc::new(Callbacks::new(&shared)));
    shared.on(&opened, |callbacks| (&callbacks.opened, &callbacks.settled));
    shared.on(&closed, |callbacks| (&callbacks.closed, &callbacks.lost));
    Ok(BrowserChannel::new(Streams(shared), inbox, settings))
}

/// The link: as long as it is there, the page's stream is.
struct Streams(Rc<Shared>);

struct Shared {
    page: WebSocketStream,
    inbox: Rc<Inbox>,
    /// How many bytes may wait for the next message to be asked for.
    read_ahead: usize,
    /// Once it is open.
    ends: RefCell<Option<(Reader, Writer)>>,
    /// Whether a message is asked for.
    reading: Cell<bool>,
    /// The sizes of the messages that are being written, the oldest first.
    writes: RefCell<VecDeque<usize>>,
    /// Their sum.
    buffered: Cell<usize>,
    /// The close that waits for the messages before it.
    closing: RefCell<Closing>,
    /// Nobody wants to know any more.
    dropped: Cell<bool>,
    /// The page has said how it ended. That may be after the channel has ceased to wait.
    over: Cell<bool>,
    /// How many promises have not settled.
    pending: Cell<usize>,
    callbacks: RefCell<Option<Rc<Callbacks>>>,
}

/// How far a close of this end is.
#[derive(Default)]
enum Closing {
    #[default]
    No,
    /// Until the writes before it are done.
    Waits(Option<CloseFrame>),
    Begun,
}

struct Callbacks {
    opened: Callback,
    closed: Callback,
    lost: Callback,
    read: Callback,
    written: Callback,
    /// A failure of which `closed` tells, too.
    settled: Callback,
}

impl Callbacks {
    fn new(shared: &Rc<Shared>) -> Self {
        let callback = |tell: fn(&Shared, &JsValue)| {
            let shared = Rc::clone(shared);
            Callback::new(move |value: JsValue| {
                tell(&shared, &value);
                shared.settle();
            })
        };
        Self {
            opened: callback(Shared::opened),
            closed: callback(|shared, info| shared.ended(Ended::of_info(info, true))),
            lost: callback(|shared, error| shared.ended(Ended::of_info(error, false))),
            read: callback(Shared::received),
            written: callback(|shared, _| shared.written()),
            settled: callback(|_, _| ()),
        }
    }
}

impl Shared {
    /// Has callbacks told of a promise.
    fn on(&self, promise: &Promise, of: impl FnOnce(&Callbacks) -> (&Callback, &Callback)) {
        let callbacks = self.callbacks.borrow().clone();
        if let Some(callbacks) = &callbacks {
            let (fulfilled, rejected) = of(callbacks);
            self.pending.set(self.pending.get() + 1);
            promise.then(fulfilled, rejected);
        }
    }

    /// One promise less is pending. After the last one nothing holds the callbacks.
    fn settle(&self) {
        let pending = self.pending.get().saturating_sub(1);
        self.pending.set(pending);
        if pending == 0 {
            let callbacks = self.callbacks.borrow_mut().take();
            drop(callbacks);
        }
    }

    fn opened(&self, info: &JsValue) {
        let Some((info, reader, writer)) = page::ends(info) else { return self.close_now(None) };
        *self.ends.borrow_mut() = Some((reader, writer));
        if self.dropped.get() {
            return self.close_now(None);
        }
        self.inbox.open(info.protocol(), info.extensions());
    }

    fn ended(&self, ended: Ended) {
        self.over.set(true);
        self.inbox.end(ended);
    }

    /// Asks for the next message, unless one is asked for already.
    fn read(&self) {
        if self.reading.get() || self.over.get() {
            return;
        }
        let reading = self.ends.borrow().as_ref().map(|(reader, _)| reader.read());
        if let Some(promise) = reading {
            self.reading.set(true);
            self.on(&promise, |callbacks| (&callbacks.read, &callbacks.settled));
        }
    }

    fn received(&self, result: &JsValue) {
        let Some(value) = page::chunk(result) else { return };
        self.reading.set(false);
        if let Err(frame) = self.inbox.receive(Data::of(&value)) {
            self.close(frame);
        }
        // While this end closes, what comes is dropped until the peer's Close frame does.
        if self.inbox.is_closing() || self.dropped.get() || self.inbox.queued() < self.read_ahead {
            self.read();
        }
    }

    fn written(&self) {
        let size = self.writes.borrow_mut().pop_front().unwrap_or_default();
        self.buffered.set(self.buffered.get().saturating_sub(size));
        self.inbox.has_room();
        self.close_if_written();
    }

    /// Begins the closing handshake behind what is being written.
    fn close(&self, frame: Option<CloseFrame>) {
        if matches!(*self.closing.borrow(), Closing::No) {
            *self.closing.borrow_mut() = Closing::Waits(frame);
            self.close_if_written();
        }
        self.read();
    }

    fn close_if_written(&self) {
        if !self.writes.borrow().is_empty() {
            return;
        }
        let frame = match &mut *self.closing.borrow_mut() {
            Closing::Waits(frame) => frame.take(),
            Closing::No | Closing::Begun => return,
        };
        self.close_now(frame.as_ref());
    }

    fn close_now(&self, frame: Option<&CloseFrame>) {
        *self.closing.borrow_mut() = Closing::Begun;
        // The page refuses only codes and reasons that were checked before.
        let _ = self.page.close(&page::close_info(frame));
    }
}

impl Link for Streams {
    fn state(&self) -> ReadyState {
        if self.0.ends.borrow().is_some() { ReadyState::Open } else { ReadyState::Connecting }
    }

    fn send(&self, message: &Message) -> Result<(), Error> {
        let shared = &*self.0;
        let chunk = match message {
            Message::Text(text) => JsValue::from_str(text),
            // A copy: the page takes it later.
            Message::Binary(bytes) => js_sys::Uint8Array::from(&bytes[..]).into(),
        };
        let written = shared.ends.borrow().as_ref().map(|(_, writer)| writer.write(&chunk));
        let Some(written) = written else { return Err(Error::closed(None)) };
        let promise = written.map_err(|value| thrown(&value))?;
        shared.writes.borrow_mut().push_back(message.len());
        shared.buffered.set(shared.buffered.get() + message.len());
        shared.on(&promise, |callbacks| (&callbacks.written, &callbacks.written));
        Ok(())
    }

    fn buffered(&self) -> usize {
        self.0.buffered.get()
    }

    fn close(&self, frame: Option<&CloseFrame>) {
        self.0.close(frame.cloned());
    }

    fn read(&self) {
        self.0.read();
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.0.dropped.set(true);
        self.0.inbox.leave();
        if !self.0.over.get() {
            self.0.close_now(None);
            self.0.read();
        }
    }
}
