//! When to look at `bufferedAmount` again: no event tells that it has fallen.

use std::task::Poll;
use std::time::Duration;

use super::alarm::Alarm;
use crate::platform::{self, Instant};

/// How long to look task by task, in ms. Browsers lengthen timeouts that follow one another to 4 ms,
/// in which a fast peer takes many times what may wait.
const TASKS: u64 = 2;

/// The shortest timeout, in ms.
const LEAST: u64 = 1;

/// The longest timeout, in ms: how late a sender may learn that a stalled peer reads again.
const MOST: u64 = 128;

/// Waits for room, and looks as rarely as serves.
///
/// When a message comes, since a peer that answers has read. Else by timeouts: when about half of the
/// mark should have gone out, by what went out since the last look; and after twice the time if that
/// was little. Who waited for the shortest of them alone has a peer that takes much and says nothing:
/// from then on in each task of the page, for as long as that serves.
#[derive(Debug)]
pub(super) struct Pace {
    /// No less than what waits: the amount at the last look, and what was sent since. As long as
    /// that is below the mark, nobody need look.
    most: usize,
    /// The first timeout of a wait; 0 if tasks are before it.
    first: u64,
    /// The timeout in ms (0 for tasks), its end, and the amount at its beginning; `None` if nobody
    /// waits.
    wait: Option<(u64, Instant, usize)>,
}

impl Pace {
    /// Nobody has looked yet.
    pub(super) fn new() -> Self {
        Self { most: usize::MAX, first: LEAST, wait: None }
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
        let now = amount();
        self.most = now;
        if now < mark {
            if let Some((wait, ..)) = self.wait.take() {
                let told = alarm.is_set();
                self.first = if wait == self.first && !told { 0 } else { LEAST };
                alarm.silence();
            }
            return Poll::Ready(());
        }
        loop {
            let wait = match self.wait {
                None => self.first,
                Some((0, end, _)) if platform::now() < end => {
                    alarm.ring_soon();
                    return Poll::Pending;
                }
                Some((1.., end, _)) if !alarm.has_come(end) => return Poll::Pending,
                Some((wait, _, before)) => {
                    next(wait, before.saturating_sub(now), now.saturating_sub(mark / 2))
                }
            };
            let length = if wait == 0 { TASKS } else { wait };
            let end = platform::later(platform::now(), Duration::from_millis(length));
            self.wait = Some((wait, end, now));
        }
    }
}

/// The wait after one of `wait` ms in which `drained` bytes went out, until `excess` more have.
fn next(wait: u64, drained: usize, excess: usize) -> u64 {
    let longest = (wait * 2).clamp(LEAST, MOST);
    // Far from overflow: `wait` has eight bits, and a page's memory is one of 32.
    (wait * excess as u64).checked_div(drained as u64).unwrap_or(longest).clamp(LEAST, longest)
}
