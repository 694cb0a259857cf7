//! Clock, timer and random source in the browser: those that pages and workers have alike.

use std::cell::Cell;
use std::task::{Context, Poll};
use std::time::Duration;

use js_sys::Uint8Array;
use wasm_bindgen::prelude::wasm_bindgen;

use self::alarm::Alarm;

mod alarm;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(array: &Uint8Array);
}

/// How many mask keys are made at a time.
const BATCH: usize = 64;

thread_local! {
    static KEYS: [Cell<[u8; 4]>; BATCH] = const { [const { Cell::new([0; 4]) }; BATCH] };
    /// How many of them are left.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// A mask key nobody can predict (RFC 6455 §10.3), from Web Crypto's generator; made in batches,
/// since a call into JavaScript costs more than a small frame.
#[inline]
pub(crate) fn mask_key() -> [u8; 4] {
    let left = LEFT.get();
    if left == 0 {
        refill();
        return mask_key();
    }
    LEFT.set(left - 1);
    KEYS.with(|keys| keys[(left - 1) % BATCH].get())
}

#[cold]
fn refill() {
    let mut bytes = random::<{ BATCH * 4 }>().into_iter();
    let mut next = || bytes.next().unwrap_or_default();
    KEYS.with(|keys| keys.iter().for_each(|key| key.set([next(), next(), next(), next()])));
    LEFT.set(BATCH);
}

/// The 16 bytes of a `Sec-WebSocket-Key` (RFC 6455 §4.1).
pub(crate) fn handshake_key() -> [u8; 16] {
    random()
}

/// By way of an array of JavaScript's own, since Web Crypto refuses memory that workers share.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let length = u32::try_from(N).unwrap_or(u32::MAX);
    let array = Uint8Array::new_with_length(length);
    get_random_values(&array);
    array.copy_to(&mut bytes);
    bytes
}

/// A point of the time that `performance.now()` tells, in microseconds: std's has no clock in a
/// browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(u64);

impl Instant {
    /// The time since `earlier`; none if that is yet to come.
    pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The whole milliseconds until then, rounded up.
    pub(crate) fn milliseconds(self) -> u64 {
        self.0.saturating_sub(now().0).div_ceil(1000)
    }
}

/// `duration` after `instant`; the end of time if that cannot be said.
pub(crate) fn later(instant: Instant, duration: Duration) -> Instant {
    Instant(instant.0.saturating_add(microseconds(duration.as_secs_f64())))
}

/// The present.
pub(crate) fn now() -> Instant {
    Instant(microseconds(performance_now() / 1000.0))
}

/// Seconds in whole microseconds, in floating point since that is the least code.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn microseconds(seconds: f64) -> u64 {
    (seconds * 1e6) as u64
}

/// Whether the runtime lets this task go on: a browser's has no say in that.
pub(crate) fn has_budget() -> bool {
    true
}

/// One deadline, which can be moved.
///
/// The page may be late: browsers put off the timers of a tab in the background.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    deadline: Option<Instant>,
    /// There is one while somebody waits for the deadline.
    alarm: Option<Alarm>,
}

impl Timer {
    /// Sets the deadline.
    pub(crate) fn arm(&mut self, deadline: Instant) {
        *self = Self { deadline: Some(deadline), alarm: None };
    }

    /// Takes the deadline away.
    pub(crate) fn disarm(&mut self) {
        *self = Self::default();
    }

    /// The deadline, if one is set.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether an alarm is set for the deadline, which is to come, and now wakes the task of `cx`.
    #[inline]
    pub(crate) fn is_quiet(&self, cx: &Context<'_>) -> bool {
        self.alarm.as_ref().is_some_and(|alarm| alarm.wakes(cx.waker()))
    }

    /// Waits for the deadline.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        while !self.is_quiet(cx) {
            if deadline <= now() {
                self.alarm = None;
                return Poll::Ready(());
            }
            self.alarm = Some(Alarm::new(deadline));
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
