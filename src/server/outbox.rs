//! What waits to be sent to a peer, and who waits for that.
//!
//! Any task puts messages in; the one task that drives the peer takes them out. The lock is held
//! for a push or a pop, never across an await, nor while a task is woken or a message dropped. The
//! driver is woken only when it sleeps: a burst of messages costs one wake.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use crate::protocol::{CloseEvent, CloseFrame, ReadyState};
use crate::server::outgoing::Outgoing;
use crate::server::waiters::{Event, Ticket, Waiters};

/// What a message counts for beside its length, in bytes.
const OVERHEAD: usize = 64;

/// What an empty queue may hold on to, in messages.
const KEPT: usize = 4;

/// What became of a message.
#[derive(Debug)]
pub(super) enum Push {
    Queued,
    /// There is no room: here it is back.
    Full(Outgoing),
    /// The end has begun.
    Closed,
}

/// What the driver is told to do beside sending.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub(super) close: Option<Closing>,
    pub(super) terminate: bool,
    pub(super) abort: bool,
}

/// How to close.
#[derive(Debug)]
pub(super) struct Closing {
    pub(super) frame: CloseFrame,
    /// What was queued before and goes out first.
    pub(super) queue: VecDeque<Outgoing>,
}

#[derive(Debug, Default)]
pub(super) struct Outbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    queue: VecDeque<Outgoing>,
    /// What the queue counts for, in bytes.
    queued: usize,
    /// What the driver has taken and not yet handed to the transport, in bytes.
    buffered: usize,
    /// It has taken messages, and not yet said what became of them.
    under_way: bool,
    orders: Orders,
    /// The driver, while it sleeps.
    driver: Option<Waker>,
    waiters: Waiters,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Open,
    Closing,
    Ended(Box<CloseEvent>),
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ready_state(&self) -> ReadyState {
        match self.lock().phase {
            Phase::Open => ReadyState::Open,
            Phase::Closing => ReadyState::Closing,
            Phase::Ended(_) => ReadyState::Closed,
        }
    }

    pub(super) fn close_event(&self) -> Option<CloseEvent> {
        match &self.lock().phase {
            Phase::Ended(event) => Some((**event).clone()),
            _ => None,
        }
    }

    /// How many bytes were accepted and not yet handed to the transport.
    pub(super) fn buffered_amount(&self) -> usize {
        let state = self.lock();
        state.queued - state.queue.len() * OVERHEAD + state.buffered
    }

    /// Accepts a message, if fewer than `limit` bytes wait.
    pub(super) fn push(&self, message: Outgoing, limit: usize) -> Push {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Open) {
            return Push::Closed;
        }
        if state.queued >= limit.max(1) {
            return Push::Full(message);
        }
        state.queued += message.len() + OVERHEAD;
        state.queue.push_back(message);
        state.wake_driver();
        Push::Queued
    }

    /// As `push`; if there is no room, the task of `cx` is woken when there is.
    pub(super) fn push_or_wait(
        &self,
        message: Outgoing,
        limit: usize,
        ticket: &mut Ticket,
        cx: &Context<'_>,
    ) -> Push {
        match self.push(message, limit) {
            Push::Full(message) => {
                self.lock().waiters.wait(Event::Room, ticket, cx);
                // Room may have been made in between.
                self.push(message, limit)
            }
            done => done,
        }
    }

    /// Whether nothing waits any more, or the end has begun; else the task of `cx` is woken then.
    pub(super) fn is_drained(&self, ticket: &mut Ticket, cx: &Context<'_>) -> Option<Drained> {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Open) {
            let event = match &state.phase {
                Phase::Ended(event) => Some((**event).clone()),
                _ => None,
            };
            return Some(Drained::Closed(event));
        }
        if state.queue.is_empty() && state.buffered == 0 && !state.under_way {
            return Some(Drained::Empty);
        }
        state.waiters.wait(Event::Drained, ticket, cx);
        None
    }

    /// How it ended; if it has not, the task of `cx` is woken then.
    pub(super) fn ended(&self, ticket: &mut Ticket, cx: &Context<'_>) -> Option<CloseEvent> {
        let mut state = self.lock();
        if let Phase::Ended(event) = &state.phase {
            return Some((**event).clone());
        }
        state.waiters.wait(Event::Ended, ticket, cx);
        None
    }

    /// Nobody waits with this ticket any more.
    pub(super) fn leave(&self, ticket: &Ticket) {
        if ticket.is_used() {
            let left = self.lock().waiters.leave(ticket);
            drop(left);
        }
    }

    /// Begins the end, behind what is queued or, if `at_once`, in its place; false if it has begun.
    pub(super) fn close(&self, frame: CloseFrame, at_once: bool) -> bool {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Open) {
            return false;
        }
        state.phase = Phase::Closing;
        let queue = state.clear();
        let (queue, _dropped) =
            if at_once { (VecDeque::new(), queue) } else { (queue, VecDeque::new()) };
        state.orders.close = Some(Closing { frame, queue });
        state.wake_for_end();
        true
    }

    /// Ends the transport without a closing handshake.
    pub(super) fn terminate(&self) {
        self.cut(false);
    }

    /// Terminates, and has hooks that still run dropped.
    pub(super) fn abort(&self) {
        self.cut(true);
    }

    /// Both under one lock: a driver that saw only the one would sleep over the other.
    fn cut(&self, abort: bool) {
        let mut state = self.lock();
        state.orders.abort |= abort;
        if matches!(state.phase, Phase::Ended(_)) {
            return state.wake_driver();
        }
        state.phase = Phase::Closing;
        let _dropped = (state.clear(), state.orders.close.take());
        state.orders.terminate = true;
        state.wake_for_end();
    }

    /// The hook that comes next is not cut off.
    pub(super) fn forget_abort(&self) {
        self.lock().orders.abort = false;
    }
}

/// Whether a peer has been sent everything.
#[derive(Debug)]
pub(super) enum Drained {
    Empty,
    Closed(Option<CloseEvent>),
}

/// The driver's side.
impl Outbox {
    /// The driver runs: nobody needs to wake it.
    pub(super) fn start(&self) -> Orders {
        let mut state = self.lock();
        state.driver = None;
        std::mem::take(&mut state.orders)
    }

    /// The next message to send.
    pub(super) fn pop(&self) -> Option<Outgoing> {
        let mut state = self.lock();
        let message = state.queue.pop_front()?;
        state.queued -= message.len() + OVERHEAD;
        state.buffered += message.len();
        state.under_way = true;
        Some(message)
    }

    /// Puts the driver to sleep, unless there is something for it to do.
    ///
    /// `blocked` says that the channel takes nothing more, `buffered` how much of what was taken is
    /// not yet written, in bytes.
    pub(super) fn sleep(
        &self,
        cx: &Context<'_>,
        blocked: bool,
        buffered: usize,
        limit: usize,
    ) -> bool {
        let mut state = self.lock();
        state.buffered = buffered;
        state.under_way = false;
        if state.orders.close.is_some()
            || state.orders.terminate
            || state.orders.abort
            || !(blocked || state.queue.is_empty())
        {
            return false;
        }
        if state.queue.is_empty() && state.queue.capacity() > KEPT {
            state.queue = VecDeque::new();
        }
        state.driver = Some(cx.waker().clone());
        let (has_room, is_empty) =
            (state.queued <= limit / 2, state.queue.is_empty() && buffered == 0);
        let waiters = state.waiters.take(|event| match event {
            Event::Room => has_room,
            Event::Drained => is_empty,
            Event::Ended => false,
        });
        drop(state);
        waiters.wake();
        true
    }

    /// Notes that the end has begun, by the peer or for a fault of it.
    pub(super) fn set_closing(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Open) {
            state.phase = Phase::Closing;
            let _dropped = state.clear();
            state.wake_for_end();
        }
    }

    /// Notes how it ended; the first time counts.
    pub(super) fn end(&self, event: CloseEvent) -> bool {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Ended(_)) {
            return false;
        }
        state.phase = Phase::Ended(Box::new(event));
        let _dropped = (state.clear(), state.orders.close.take());
        state.buffered = 0;
        state.wake_for_end();
        true
    }
}

impl State {
    /// What was queued, for the caller to drop behind the lock.
    fn clear(&mut self) -> VecDeque<Outgoing> {
        self.queued = 0;
        std::mem::take(&mut self.queue)
    }
}

/// Lets the lock go, and then wakes: who is woken may run at once.
trait Wake {
    /// Wakes the driver, if it sleeps.
    fn wake_driver(self);
    /// The end has begun: wakes the driver, and who would wait in vain.
    fn wake_for_end(self);
}

impl Wake for MutexGuard<'_, State> {
    fn wake_driver(mut self) {
        let driver = self.driver.take();
        drop(self);
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    fn wake_for_end(mut self) {
        let is_over = matches!(self.phase, Phase::Ended(_));
        let waiters = self.waiters.take(|event| is_over || event != Event::Ended);
        self.wake_driver();
        waiters.wake();
    }
}

#[cfg(test)]
mod tests;
