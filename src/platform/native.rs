//! Clock, timer and random source, natively: tokio's time and the `rand` crate's secure generator.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rand::Rng;
use tokio::task::coop::{has_budget_remaining, unconstrained};

pub(crate) use tokio::time::Instant;

/// How many mask keys are made at a time.
const BATCH: usize = 64;

thread_local! {
    static KEYS: [Cell<u32>; BATCH] = const { [const { Cell::new(0) }; BATCH] };
    /// How many of them are left.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// A mask key nobody can predict (RFC 6455 §10.3), from a generator that is secure and seeded by
/// the system; made in batches, since a call of it costs more than a small frame.
#[inline]
pub(crate) fn mask_key() -> [u8; 4] {
    let left = LEFT.get();
    if left == 0 {
        refill();
        return mask_key();
    }
    LEFT.set(left - 1);
    KEYS.with(|keys| keys[(left - 1) % BATCH].get()).to_ne_bytes()
}

#[cold]
fn refill() {
    let mut rng = rand::rng();
    KEYS.with(|keys| keys.iter().for_each(|key| key.set(rng.next_u32())));
    LEFT.set(BATCH);
}

/// The 16 bytes of a `Sec-WebSocket-Key` (RFC 6455 §4.1).
pub(crate) fn handshake_key() -> [u8; 16] {
    let mut key = [0; 16];
    rand::rng().fill_bytes(&mut key);
    key
}

/// `duration` after `instant`; decades later if that cannot be said.
pub(crate) fn later(instant: Instant, duration: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);
    instant.checked_add(duration).unwrap_or_else(|| instant + DECADES)
}

/// The present.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Whether the runtime lets this task go on; if not, its reads are pending though bytes are there.
pub(crate) fn has_budget() -> bool {
    has_budget_remaining()
}

/// One deadline, which can be moved.
///
/// Outside of a tokio runtime there is no clock to wait with; the deadline then never passes.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
    /// Who was told last time; as long as it is the same, polling again would change nothing.
    waker: Option<Waker>,
}

impl Timer {
    /// Sets the deadline.
    pub(crate) fn arm(&mut self, deadline: Instant) {
        self.waker = None;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(deadline),
            None if tokio::runtime::Handle::try_current().is_ok() => {
                self.sleep = Some(Box::pin(tokio::time::sleep_until(deadline)));
            }
            None => {}
        }
    }

    /// Takes the deadline away.
    pub(crate) fn disarm(&mut self) {
        *self = Self::default();
    }

    /// The deadline, if one is set.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.sleep.as_ref().map(|sleep| sleep.deadline())
    }

    /// Whether the deadline is to come, and the task of `cx` will be woken then: polling would
    /// change nothing.
    #[inline]
    pub(crate) fn is_quiet(&self, cx: &Context<'_>) -> bool {
        match (&self.waker, &self.sleep) {
            (Some(waker), Some(sleep)) => waker.will_wake(cx.waker()) && !sleep.is_elapsed(),
            _ => false,
        }
    }

    /// Waits for the deadline.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_quiet(cx) {
            return Poll::Pending;
        }
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        // Out of tokio's cooperative budget, a poll returns Pending without having registered the waker.
        if pin!(unconstrained(sleep.as_mut())).poll(cx).is_ready() {
            self.waker = None;
            return Poll::Ready(());
        }
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

/// A timer for one wait of `duration`, from now on.
pub(crate) fn timer(duration: Duration) -> Timer {
    let mut timer = Timer::default();
    timer.arm(later(now(), duration));
    timer
}
