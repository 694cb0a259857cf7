//! What a port has told, until the channel asks.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use wasm_bindgen::JsValue;

use super::PortError;
use super::frame::Frame;
use crate::stream_channel::Closed;

/// What a port has told, and how much either end has room for.
///
/// Callbacks of the page write, the channel reads; whoever waits is woken. No borrow is held while
/// anything outside is called, since that may come back here.
pub(super) struct Inbox {
    capacity: u32,
    phase: Cell<Phase>,
    queue: RefCell<VecDeque<Result<JsValue, PortError>>>,
    /// How many items the other end may still send.
    granted: Cell<u32>,
    /// How many were read here of which it does not know yet.
    read: Cell<u32>,
    /// How many items may still be sent to it.
    room: Cell<u32>,
    reader: RefCell<Option<Waker>>,
    writer: RefCell<Option<Waker>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The other end has not said what it has room for.
    Connecting,
    Open,
    /// Nothing more is sent or received; what was received can be read.
    Over,
}

impl Inbox {
    pub(super) fn new(capacity: u32) -> Self {
        Self {
            capacity,
            phase: Cell::new(Phase::Connecting),
            queue: RefCell::default(),
            granted: Cell::new(capacity),
            read: Cell::new(0),
            room: Cell::new(0),
            reader: RefCell::default(),
            writer: RefCell::default(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase.get() == Phase::Over
    }

    /// How many items wait to be read.
    pub(super) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Takes in what came through the port.
    pub(super) fn receive(&self, message: &JsValue) {
        match (self.phase.get(), Frame::of(message)) {
            (Phase::Over, _) => {}
            (_, Some(Frame::End)) => self.end(),
            (_, Some(Frame::Room(room))) => {
                self.phase.set(Phase::Open);
                self.room.set(self.room.get().saturating_add(room));
                wake(&self.writer);
            }
            (Phase::Open, Some(Frame::Item(item))) => self.push(Ok(item)),
            (Phase::Connecting, Some(Frame::Item(_))) | (_, None) => {
                self.fail(PortError::Unexpected);
            }
        }
    }

    /// Something came that could not be made in this thread.
    pub(super) fn receive_unreadable(&self) {
        match self.phase.get() {
            Phase::Over => {}
            Phase::Connecting => self.fail(PortError::Unexpected),
            Phase::Open => self.push(Err(PortError::Unreadable)),
        }
    }

    fn push(&self, item: Result<JsValue, PortError>) {
        let Some(granted) = self.granted.get().checked_sub(1) else {
            return self.fail(Closed::Overflow.into());
        };
        self.granted.set(granted);
        self.queue.borrow_mut().push_back(item);
        wake(&self.reader);
    }

    /// The other end is gone.
    pub(super) fn lose(&self) {
        if !self.is_over() {
            self.fail(PortError::Lost);
        }
    }

    fn fail(&self, error: PortError) {
        self.queue.borrow_mut().push_back(Err(error));
        self.end();
    }

    fn end(&self) {
        self.phase.set(Phase::Over);
        wake(&self.reader);
        wake(&self.writer);
    }

    /// This end closes: what came counts no more.
    pub(super) fn close(&self) {
        let unread = self.queue.take();
        self.end();
        drop(unread);
    }

    pub(super) fn poll_pop(&self, cx: &Context<'_>) -> Poll<Option<Result<JsValue, PortError>>> {
        let item = self.queue.borrow_mut().pop_front();
        match item {
            Some(item) => {
                self.read.set(self.read.get() + 1);
                Poll::Ready(Some(item))
            }
            None if self.is_over() => Poll::Ready(None),
            None => {
                wait(&self.reader, cx);
                Poll::Pending
            }
        }
    }

    /// What the other end is to be told of the room that reading has made: half of it at a time.
    pub(super) fn grant(&self) -> Option<u32> {
        if self.is_over() || self.read.get() < self.capacity.div_ceil(2) {
            return None;
        }
        let read = self.read.take();
        self.granted.set(self.granted.get() + read);
        Some(read)
    }

    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<Result<(), PortError>> {
        match self.room() {
            Err(PortError::NoRoom) => {
                wait(&self.writer, cx);
                Poll::Pending
            }
            room => Poll::Ready(room),
        }
    }

    /// Whether an item may be sent now.
    pub(super) fn room(&self) -> Result<(), PortError> {
        if self.is_over() {
            return Err(Closed::Ended.into());
        }
        if self.room.get() == 0 { Err(PortError::NoRoom) } else { Ok(()) }
    }

    /// An item was sent.
    pub(super) fn sent(&self) {
        self.room.set(self.room.get().saturating_sub(1));
    }
}

fn wait(place: &RefCell<Option<Waker>>, cx: &Context<'_>) {
    // Dropping the one before may come back here.
    let before = place.replace(Some(cx.waker().clone()));
    drop(before);
}

fn wake(place: &RefCell<Option<Waker>>) {
    let waker = place.take();
    if let Some(waker) = waker {
        waker.wake();
    }
}
