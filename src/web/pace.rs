//! When to look at `bufferedAmount` again: no event tells that it has fallen.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::platform::{self, Timer};

/// The shortest wait. Browsers lengthen those that follow one another to 4 ms.
const LEAST: u64 = 1;

/// The longest wait: how late a sender may learn that a stalled peer reads again.
const MOST: u64 = 128;

/// Waits for room, and looks as rarely as serves: when about half of the mark should have gone out,
/// by what went out since the last look; and twice as long if nothing did.
#[derive(Debug, Default)]
pub(super) struct Pace {
    timer: Timer,
    /// The wait in ms, and the amount at its beginning; `None` if nobody waits.
    wait: Option<(u64, usize)>,
}

impl Pace {
    /// Waits until `amount` is below `mark`.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mark: usize,
        amount: impl Fn() -> usize,
    ) -> Poll<()> {
        loop {
            let now = amount();
            if now < mark.max(1) {
                if self.wait.take().is_some() {
                    self.timer.disarm();
                }
                return Poll::Ready(());
            }
            let wait = match self.wait {
                None => LEAST,
                Some((wait, before)) => {
                    ready!(self.timer.poll(cx));
                    next(wait, before.saturating_sub(now), now.saturating_sub(mark / 2))
                }
            };
            self.wait = Some((wait, now));
            self.timer.arm(platform::later(platform::now(), Duration::from_millis(wait)));
        }
    }
}

/// The wait after one of `wait` ms in which `drained` bytes went out, until `excess` more have.
fn next(wait: u64, drained: usize, excess: usize) -> u64 {
    let next = match drained {
        0 => wait * 2,
        // Far from overflow: `wait` has eight bits, and a page's memory is one of 32.
        _ => wait * excess as u64 / drained as u64,
    };
    next.clamp(LEAST, MOST)
}
