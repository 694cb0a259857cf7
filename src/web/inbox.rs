//! What the page has told, until the channel asks.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::task::{Context, Waker};

use wasm_bindgen::JsValue;

use super::js::{Data, Ended};
use super::link::thrown;
use crate::protocol::{
    CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame, Message, ReadyState, Utf8Bytes,
};
use crate::{ConnectError, ConnectErrorKind, Error, Handshake, status};

/// What a message in the queue costs beside its payload, in bytes.
const OVERHEAD: usize = 64;

/// The close code that stands in for 1009, which a page may not send.
const OVERFLOW: CloseCode = CloseCode::new(4009);

/// What may come in, and with which frame the peer is told that it was too much.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) message: usize,
    pub(super) queue: usize,
    pub(super) overflow: Option<CloseFrame>,
}

impl Default for Limits {
    fn default() -> Self {
        let message = crate::Options::new().max_message_size;
        Self { message, queue: message, overflow: overflow(OVERFLOW).ok() }
    }
}

/// The frame that tells the peer that it was too much.
pub(super) fn overflow(code: CloseCode) -> Result<CloseFrame, InvalidCloseFrame> {
    CloseFrame::new(code, Utf8Bytes::from_static("too much to receive"))
}

/// What the page has told: the opening, messages, the end.
///
/// Callbacks of the page write, the channel reads; whoever waits is woken. No borrow is held while
/// anything outside is called, since that may come back here.
#[derive(Debug)]
pub(super) struct Inbox {
    limits: Limits,
    opened: OnceCell<Handshake>,
    event: OnceCell<CloseEvent>,
    queue: RefCell<VecDeque<Message>>,
    /// Bytes in the queue, overhead included.
    queued: Cell<usize>,
    /// This end closes: data counts no more.
    closing: Cell<bool>,
    initiator: Cell<Initiator>,
    /// What the stream ends with.
    error: RefCell<Option<Error>>,
    reader: RefCell<Option<Waker>>,
    writer: RefCell<Option<Waker>>,
}

impl Inbox {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            opened: OnceCell::new(),
            event: OnceCell::new(),
            queue: RefCell::default(),
            queued: Cell::new(0),
            closing: Cell::new(false),
            initiator: Cell::new(Initiator::Peer),
            error: RefCell::default(),
            reader: RefCell::default(),
            writer: RefCell::default(),
        }
    }

    /// The facts of the handshake, once it is over.
    pub(super) fn handshake(&self) -> Option<&Handshake> {
        self.opened.get()
    }

    /// How it ended, once it has.
    pub(super) fn event(&self) -> Option<&CloseEvent> {
        self.event.get()
    }

    /// Whether this end has begun to close.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.get()
    }

    /// Bytes that wait to be received.
    pub(super) fn queued(&self) -> usize {
        self.queued.get()
    }

    pub(super) fn pop(&self) -> Option<Message> {
        let message = self.queue.borrow_mut().pop_front()?;
        self.queued.set(self.queued.get().saturating_sub(message.len() + OVERHEAD));
        Some(message)
    }

    /// Whether it is over, and there is nothing left to be received.
    pub(super) fn is_drained(&self) -> bool {
        self.event().is_some() && self.queue.borrow().is_empty() && self.error.borrow().is_none()
    }

    pub(super) fn take_error(&self) -> Option<Error> {
        self.error.borrow_mut().take()
    }

    /// Notes who is to be woken for a message or the end.
    pub(super) fn wait_to_read(&self, cx: &Context<'_>) {
        wait(&self.reader, cx);
    }

    /// Notes who is to be woken for the opening, for room, or for the end.
    pub(super) fn wait_to_write(&self, cx: &Context<'_>) {
        wait(&self.writer, cx);
    }

    /// The connection is open.
    pub(super) fn open(&self, handshake: Handshake) {
        if self.opened.set(handshake).is_ok() {
            self.wake();
        }
    }

    /// Takes a message in, or says with which frame the connection is to be closed.
    pub(super) fn receive(&self, data: Data) -> Result<(), Option<&CloseFrame>> {
        if self.is_closing() || self.event().is_some() {
            return Ok(());
        }
        let size = data.len();
        let queued = self.queued();
        if size > self.limits.message {
            let limit = self.limits.message;
            return self.fail(Error::MessageTooBig { size: size as u64, limit });
        }
        if queued > 0 && queued + size + OVERHEAD > self.limits.queue {
            return self.fail(Error::ReceiveOverflow { limit: self.limits.queue });
        }
        let Some(message) = data.into_message() else { return self.fail(not_a_message()) };
        self.queued.set(queued + size + OVERHEAD);
        self.queue.borrow_mut().push_back(message);
        wake(&self.reader);
        Ok(())
    }

    /// Begins the end for a fault. What came before it is still to be received.
    fn fail(&self, error: Error) -> Result<(), Option<&CloseFrame>> {
        self.closing.set(true);
        self.initiator.set(Initiator::Local);
        *self.error.borrow_mut() = Some(error);
        self.wake();
        Err(self.limits.overflow.as_ref())
    }

    /// Begins the end at the program's wish. Data counts no more (WHATWG, "when a message has been
    /// received": only while open).
    pub(super) fn start_close(&self, state: ReadyState) {
        if matches!(state, ReadyState::Connecting | ReadyState::Open) {
            self.initiator.set(Initiator::Local);
        }
        self.closing.set(true);
        self.error.borrow_mut().take();
        self.queue.borrow_mut().clear();
        self.queued.set(0);
        wake(&self.reader);
    }

    /// The connection was over before anybody looked.
    pub(super) fn was_over(&self) {
        self.closing.set(true);
        self.give_up();
    }

    /// The end is waited for no longer.
    pub(super) fn give_up(&self) {
        self.end(Ended::lost(), String::new);
    }

    /// The connection is over.
    pub(super) fn end(&self, ended: Ended, url: impl FnOnce() -> String) {
        let Ended { code, reason, was_clean } = ended;
        let initiator = self.initiator.get();
        if self.event.set(CloseEvent { code, reason, was_clean, initiator }).is_err() {
            return;
        }
        if !self.is_closing() && code == status::ABNORMAL_CLOSURE {
            *self.error.borrow_mut() = Some(match self.opened.get() {
                Some(_) => Error::ConnectionLost,
                None => ConnectError::new(url(), ConnectErrorKind::Unknown).into(),
            });
        }
        self.wake();
    }

    /// The page has taken something out of what waits to be sent.
    pub(super) fn has_room(&self) {
        wake(&self.writer);
    }

    fn wake(&self) {
        wake(&self.reader);
        wake(&self.writer);
    }
}

fn wait(place: &RefCell<Option<Waker>>, cx: &Context<'_>) {
    match &mut *place.borrow_mut() {
        Some(waker) => waker.clone_from(cx.waker()),
        empty => *empty = Some(cx.waker().clone()),
    }
}

fn wake(place: &RefCell<Option<Waker>>) {
    let waker = place.borrow_mut().take();
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn not_a_message() -> Error {
    let text = "a message is neither text nor an ArrayBuffer; did the page change `binaryType`?";
    thrown(&JsValue::from_str(text))
}
