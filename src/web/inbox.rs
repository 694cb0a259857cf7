//! What the page has told, until the channel asks.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::task::{Context, Waker};

use wasm_bindgen::JsValue;

use super::js::{Data, Ended};
use super::link::thrown;
use crate::platform::Instant;
use crate::protocol::{
    CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame, Message, ReadyState, Utf8Bytes,
};
use crate::{ConnectError, ConnectErrorKind, Error, Handshake, status};

/// What a message in the queue costs beside its payload, in bytes.
const OVERHEAD: usize = 64;

/// The close code that stands in for 1009, which a page may not send.
const OVERFLOW: CloseCode = CloseCode::new(4009);

/// What may come in, and with which frame the peer is told that it was too much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) message: usize,
    pub(super) queue: usize,
    pub(super) overflow: CloseCode,
}

impl Default for Limits {
    fn default() -> Self {
        let message = crate::Options::new().max_message_size;
        Self { message, queue: message, overflow: OVERFLOW }
    }
}

/// The frame that tells the peer that it was too much.
pub(super) fn overflow(code: CloseCode) -> Result<CloseFrame, InvalidCloseFrame> {
    CloseFrame::new(code, Utf8Bytes::from_static("too much to receive"))
}

/// What ended a connection other than by closing it. An [`Error`] only once somebody asks: what
/// takes one apart is much code.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A message of that many bytes.
    TooBig(usize),
    Overflow,
    NotAMessage,
    Lost,
}

/// What the page has told: the opening, messages, the end.
///
/// Callbacks of the page write, the channel reads; whoever waits is woken, at a deadline too. No
/// borrow is held while anything outside is called, since that may come back here.
#[derive(Debug)]
pub(super) struct Inbox {
    limits: Limits,
    /// What is known before the handshake is over: the URL.
    asked: Handshake,
    opened: OnceCell<Handshake>,
    event: OnceCell<CloseEvent>,
    queue: RefCell<VecDeque<Message>>,
    /// Bytes in the queue, overhead included.
    queued: Cell<usize>,
    /// This end closes: data counts no more.
    closing: Cell<bool>,
    /// The socket goes on without a channel.
    given_back: Cell<bool>,
    initiator: Cell<Initiator>,
    /// What the stream ends with.
    fault: Cell<Option<Fault>>,
    /// When a timeout rings that is set.
    alarm: Cell<Option<Instant>>,
    reader: RefCell<Option<Waker>>,
    writer: RefCell<Option<Waker>>,
}

impl Inbox {
    /// For a socket to this URL, which has no user name and password.
    pub(super) fn new(limits: Limits, url: String) -> Self {
        Self {
            limits,
            asked: Handshake::new(url),
            opened: OnceCell::new(),
            event: OnceCell::new(),
            queue: RefCell::default(),
            queued: Cell::new(0),
            closing: Cell::new(false),
            given_back: Cell::new(false),
            initiator: Cell::new(Initiator::Peer),
            fault: Cell::new(None),
            alarm: Cell::new(None),
            reader: RefCell::default(),
            writer: RefCell::default(),
        }
    }

    /// The facts of the handshake, as far as they are known.
    pub(super) fn handshake(&self) -> &Handshake {
        self.opened.get().unwrap_or(&self.asked)
    }

    /// Whether the connection is open, or was.
    pub(super) fn is_opened(&self) -> bool {
        self.opened.get().is_some()
    }

    /// How it ended, once it has.
    pub(super) fn event(&self) -> Option<&CloseEvent> {
        self.event.get()
    }

    /// Whether this end has begun to close.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.get()
    }

    /// Whether the socket is to go on when its link is dropped.
    pub(super) fn is_given_back(&self) -> bool {
        self.given_back.get()
    }

    /// The socket is to go on when its link is dropped.
    pub(super) fn give_back(&self) {
        self.given_back.set(true);
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
        self.event().is_some() && self.queue.borrow().is_empty() && self.fault.get().is_none()
    }

    pub(super) fn take_error(&self) -> Option<Error> {
        Some(match self.fault.take()? {
            Fault::TooBig(size) => {
                Error::MessageTooBig { size: size as u64, limit: self.limits.message }
            }
            Fault::Overflow => Error::ReceiveOverflow { limit: self.limits.queue },
            Fault::NotAMessage => not_a_message(),
            Fault::Lost if self.is_opened() => Error::ConnectionLost,
            Fault::Lost => ConnectError::new(self.asked.url(), ConnectErrorKind::Unknown).into(),
        })
    }

    /// Notes who is to be woken for a message or the end.
    pub(super) fn wait_to_read(&self, cx: &Context<'_>) {
        wait(&self.reader, cx);
    }

    /// Notes who is to be woken for the opening, for room, or for the end.
    pub(super) fn wait_to_write(&self, cx: &Context<'_>) {
        wait(&self.writer, cx);
    }

    /// The connection is open, with what was agreed on.
    pub(super) fn open(&self, protocol: String, extensions: String) {
        let handshake = Handshake::told(self.asked.url(), protocol, extensions);
        if self.opened.set(handshake).is_ok() {
            self.wake();
        }
    }

    /// Takes a message in, or says with which frame the connection is to be closed.
    pub(super) fn receive(&self, data: Data) -> Result<(), Option<CloseFrame>> {
        if self.is_closing() || self.event().is_some() {
            return Ok(());
        }
        let size = data.len();
        let queued = self.queued();
        if size > self.limits.message {
            return self.fail(Fault::TooBig(size));
        }
        if queued > 0 && queued + size + OVERHEAD > self.limits.queue {
            return self.fail(Fault::Overflow);
        }
        let Some(message) = data.into_message() else { return self.fail(Fault::NotAMessage) };
        self.queued.set(queued + size + OVERHEAD);
        self.queue.borrow_mut().push_back(message);
        self.wake();
        Ok(())
    }

    /// Begins the end for a fault. What came before it is still to be received.
    #[cold]
    fn fail(&self, fault: Fault) -> Result<(), Option<CloseFrame>> {
        self.closing.set(true);
        self.initiator.set(Initiator::Local);
        self.fault.set(Some(fault));
        self.wake();
        Err(match fault {
            // No fault of the peer's.
            Fault::NotAMessage => None,
            _ => overflow(self.limits.overflow).ok(),
        })
    }

    /// Begins the end at the program's wish. Data counts no more (WHATWG, "when a message has been
    /// received": only while open), unless the end had begun before.
    pub(super) fn start_close(&self, state: ReadyState) {
        if matches!(state, ReadyState::Connecting | ReadyState::Open) {
            self.initiator.set(Initiator::Local);
            self.discard();
        }
        self.closing.set(true);
        wake(&self.reader);
    }

    /// What has come counts no more.
    pub(super) fn discard(&self) {
        self.fault.set(None);
        drop(self.queue.take());
        self.queued.set(0);
    }

    /// Nobody is there any more to be told anything.
    pub(super) fn leave(&self) {
        self.closing.set(true);
        self.discard();
        drop(self.reader.take());
        drop(self.writer.take());
    }

    /// The connection was over before anybody looked.
    pub(super) fn was_over(&self) {
        self.closing.set(true);
        self.give_up();
    }

    /// The end is waited for no longer.
    pub(super) fn give_up(&self) {
        self.end(Ended::lost());
    }

    /// The connection is over.
    pub(super) fn end(&self, ended: Ended) {
        let Ended { code, reason, was_clean } = ended;
        let initiator = self.initiator.get();
        if self.event.set(CloseEvent { code, reason, was_clean, initiator }).is_err() {
            return;
        }
        if !self.is_closing() && code == status::ABNORMAL_CLOSURE {
            self.fault.set(Some(Fault::Lost));
        }
        self.wake();
    }

    /// The page has taken something out of what waits to be sent.
    pub(super) fn has_room(&self) {
        wake(&self.writer);
    }

    /// Whether a timeout is to be set for an instant, since none rings before it. Then this one is.
    pub(super) fn ring_by(&self, instant: Instant) -> bool {
        if self.alarm.get().is_some_and(|set| set <= instant) {
            return false;
        }
        self.alarm.set(Some(instant));
        true
    }

    /// Whether a timeout is set, and has not rung.
    pub(super) fn is_set(&self) -> bool {
        self.alarm.get().is_some()
    }

    /// No timeout is set.
    pub(super) fn silence(&self) {
        self.alarm.set(None);
    }

    /// A timeout rings.
    pub(super) fn ring(&self) {
        self.silence();
        self.wake();
    }

    fn wake(&self) {
        wake(&self.reader);
        wake(&self.writer);
    }
}

#[inline(never)]
fn wait(place: &RefCell<Option<Waker>>, cx: &Context<'_>) {
    let waker = match place.take() {
        Some(waker) if waker.will_wake(cx.waker()) => waker,
        _ => cx.waker().clone(),
    };
    place.replace(Some(waker));
}

// One copy of it: inlined everywhere it would be a kilobyte.
#[inline(never)]
fn wake(place: &RefCell<Option<Waker>>) {
    if let Some(waker) = place.take() {
        waker.wake();
    }
}

fn not_a_message() -> Error {
    let text = "a message is neither text nor an ArrayBuffer; did the page change `binaryType`?";
    thrown(&JsValue::from_str(text))
}
