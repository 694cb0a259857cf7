//! When to look at `bufferedAmount` again: no event tells that it has fallen.

use std::task::Poll;
use std::time::Duration;

use super::alarm::Alarm;
use crate::platform::{self, Instant};

/// The shortest wait. Browsers lengthen those that follow one another to 4 ms.
const LEAST: u64 = 1;

/// The longest wait: how late a sender may learn that a stalled peer reads again.
const MOST: u64 = 128;

/// Waits for room, and looks as rarely as serves: when about half of the mark should have gone out,
/// by what went out since the last look; and twice as long if nothing did.
#[derive(Debug)]
pub(super) struct Pace {
    /// No less than what waits: the amount at the last look, and what was sent since. As long as
    /// that is below the mark, nobody need look.
    most: usize,
    /// The wait in ms, its end, and the amount at its beginning; `None` if nobody waits.
    wait: Option<(u64, Instant, usize)>,
}

impl Pace {
    /// Nobody has looked yet.
    pub(super) fn new() -> Self {
        Self { most: usize::MAX, wait: None }
    }

    /// So many bytes were handed over.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.most = self.most.saturating_add(bytes);
    }

    /// Waits until `amount` is below `mark`.
    pub(super) fn poll(
        &mut self,
        alarm: &mut Alarm,
        mark: usize,
        amount: impl Fn() -> usize,
    ) -> Poll<()> {
        let mark = mark.max(1);
        if self.most < mark {
            return Poll::Ready(());
        }
        loop {
            let now = amount();
            self.most = now;
            if now < mark {
                self.wait = None;
                return Poll::Ready(());
            }
            let wait = match self.wait {
                None => LEAST,
                Some((_, end, _)) if !alarm.has_come(end) => return Poll::Pending,
                Some((wait, _, before)) => {
                    next(wait, before.saturating_sub(now), now.saturating_sub(mark / 2))
                }
            };
            let end = platform::later(platform::now(), Duration::from_millis(wait));
            self.wait = Some((wait, end, now));
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
