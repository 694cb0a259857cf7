//! What waits to be sent to a peer, and who waits for that.
//!
//! Any task puts messages in; the one task that drives the peer takes them out. The lock is held
//! for a push or a pop, never across an await. The driver is woken only when it sleeps: a burst of
//! messages costs one wake.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use crate::protocol::{CloseEvent, CloseFrame, Message, Prepared, ReadyState};

/// What a message counts for beside its length, in bytes.
const OVERHEAD: usize = 64;

/// What an empty queue may hold on to, in messages.
const KEPT: usize = 4;

/// A message on its way out.
#[derive(Debug)]
pub(super) enum Outgoing {
    One(Message),
    Shared(Prepared),
}

impl Outgoing {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(message) => message.len(),
            Self::Shared(prepared) => prepared.message().len(),
        }
    }
}

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
    /// What the channel has accepted and not yet handed to the transport.
    buffered: usize,
    orders: Orders,
    /// The driver, while it sleeps.
    driver: Option<Waker>,
    /// Tasks that wait for room, for emptiness or for the end.
    waiters: Vec<Waker>,
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
        state.queue.iter().map(Outgoing::len).sum::<usize>() + state.buffered
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
        wake(state);
        Push::Queued
    }

    /// As `push`; if there is no room, the task of `cx` is woken when there is.
    pub(super) fn push_or_wait(&self, message: Outgoing, limit: usize, cx: &Context<'_>) -> Push {
        match self.push(message, limit) {
            Push::Full(message) => {
                self.lock().wait(cx);
                // Room may have been made in between.
                self.push(message, limit)
            }
            done => done,
        }
    }

    /// Whether nothing waits any more, or the end has begun; else the task of `cx` is woken then.
    pub(super) fn is_drained(&self, cx: &Context<'_>) -> Option<Drained> {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Open) {
            let event = match &state.phase {
                Phase::Ended(event) => Some((**event).clone()),
                _ => None,
            };
            return Some(Drained::Closed(event));
        }
        if state.queue.is_empty() && state.buffered == 0 {
            return Some(Drained::Empty);
        }
        state.wait(cx);
        None
    }

    /// How it ended; if it has not, the task of `cx` is woken then.
    pub(super) fn ended(&self, cx: &Context<'_>) -> Option<CloseEvent> {
        let mut state = self.lock();
        if let Phase::Ended(event) = &state.phase {
            return Some((**event).clone());
        }
        state.wait(cx);
        None
    }

    /// Begins the end, behind what is queued or, if `at_once`, in its place. Does nothing if it
    /// has begun.
    pub(super) fn close(&self, frame: CloseFrame, at_once: bool) {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Open) {
            return;
        }
        state.phase = Phase::Closing;
        let mut queue = std::mem::take(&mut state.queue);
        state.queued = 0;
        if at_once {
            queue = VecDeque::new();
        }
        state.orders.close = Some(Closing { frame, queue });
        state.wake_waiters();
        wake(state);
    }

    /// Ends the transport without a closing handshake.
    pub(super) fn terminate(&self) {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Ended(_)) {
            state.phase = Phase::Closing;
            state.clear();
            state.orders.close = None;
            state.orders.terminate = true;
            state.wake_waiters();
            wake(state);
        }
    }

    /// Terminates, and has hooks that still run dropped.
    pub(super) fn abort(&self) {
        self.terminate();
        let mut state = self.lock();
        state.orders.abort = true;
        wake(state);
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
        let abort = state.orders.abort;
        let orders = std::mem::take(&mut state.orders);
        state.orders.abort = abort;
        orders
    }

    /// The next message to send.
    pub(super) fn pop(&self) -> Option<Outgoing> {
        let mut state = self.lock();
        let message = state.queue.pop_front()?;
        state.queued -= message.len() + OVERHEAD;
        Some(message)
    }

    /// Puts the driver to sleep, unless there is something for it to do.
    ///
    /// `blocked` says that the channel takes nothing more, `buffered` what it has accepted and
    /// not yet written.
    pub(super) fn sleep(
        &self,
        cx: &Context<'_>,
        blocked: bool,
        buffered: usize,
        limit: usize,
    ) -> bool {
        let mut state = self.lock();
        state.buffered = buffered;
        if state.orders.close.is_some()
            || state.orders.terminate
            || !(blocked || state.queue.is_empty())
        {
            return false;
        }
        if !state.waiters.is_empty() && state.queued <= limit / 2 {
            state.wake_waiters();
        }
        if state.queue.is_empty() && state.queue.capacity() > KEPT {
            state.queue = VecDeque::new();
        }
        state.driver = Some(cx.waker().clone());
        true
    }

    /// Notes that the end has begun, by the peer or for a fault of it.
    pub(super) fn set_closing(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Open) {
            state.phase = Phase::Closing;
            state.clear();
            state.wake_waiters();
        }
    }

    /// Notes how it ended; the first time counts.
    pub(super) fn end(&self, event: CloseEvent) -> bool {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Ended(_)) {
            return false;
        }
        state.phase = Phase::Ended(Box::new(event));
        state.clear();
        state.buffered = 0;
        state.wake_waiters();
        true
    }
}

impl State {
    fn wait(&mut self, cx: &Context<'_>) {
        if !self.waiters.iter().any(|waiter| waiter.will_wake(cx.waker())) {
            self.waiters.push(cx.waker().clone());
        }
    }

    fn wake_waiters(&mut self) {
        for waiter in std::mem::take(&mut self.waiters) {
            waiter.wake();
        }
    }

    fn clear(&mut self) {
        self.queue = VecDeque::new();
        self.queued = 0;
    }
}

/// Wakes the driver if it sleeps, after the lock is let go.
fn wake(mut state: MutexGuard<'_, State>) {
    let driver = state.driver.take();
    drop(state);
    if let Some(driver) = driver {
        driver.wake();
    }
}
