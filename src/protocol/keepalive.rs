//! Whether the peer still lives, by the silence of its side.

use std::time::Duration;

use crate::platform::{Instant, later};

/// How many reads in a row are stamped exactly. While more than these come between two ticks of
/// the driver, a clock call for each would cost more than the message; the tick itself then counts
/// as the time of the last of them.
const EXACT: u32 = 64;

/// What a look at the clock asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing to do before `deadline()`.
    Alive,
    /// A ping is due.
    Ping,
    /// No sign of life in time.
    Dead,
}

/// Keepalive: a ping after `interval` of silence, and `timeout` for any byte after it.
#[derive(Debug)]
pub(crate) struct Keepalive {
    /// Interval and timeout; `None` is off.
    periods: Option<(Duration, Duration)>,
    /// When something came last.
    heard: Instant,
    /// How many reads there were since the last tick.
    reads: u32,
    /// When the ping that was not answered yet went out.
    asked: Option<Instant>,
    /// It had not gone out when it was looked at last.
    held: bool,
    /// Whether something came since.
    answered: bool,
    latency: Option<Duration>,
}

impl Keepalive {
    pub(crate) fn new(periods: Option<(Duration, Duration)>, now: Instant) -> Self {
        Self {
            periods,
            heard: now,
            reads: 0,
            asked: None,
            held: false,
            answered: false,
            latency: None,
        }
    }

    /// Notes that bytes came.
    #[inline]
    pub(crate) fn heard(&mut self, clock: impl FnOnce() -> Instant) {
        self.reads = self.reads.saturating_add(1);
        self.answered = true;
        if self.reads <= EXACT {
            self.heard = clock();
        }
    }

    /// Notes that a pong came.
    pub(crate) fn ponged(&mut self, now: Instant) {
        if let Some(asked) = self.asked.take() {
            self.latency = Some(now.saturating_duration_since(asked));
        }
    }

    /// How long the last ping took to be answered.
    pub(crate) fn latency(&self) -> Option<Duration> {
        self.latency
    }

    /// Counts the reads anew.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.reads > EXACT {
            self.heard = now;
        }
        self.reads = 0;
    }

    /// Nobody has read up to `now`: the silence does not count.
    pub(crate) fn excuse(&mut self, now: Instant) {
        self.heard = now;
        self.answered = true;
    }

    /// The ping waits behind what a slow peer has yet to take: its time has not begun.
    pub(crate) fn hold(&mut self) {
        self.held = true;
    }

    /// What is due at `now`. Only to be asked after a read found nothing, so that time in which
    /// nobody read does not count against the peer.
    pub(crate) fn check(&mut self, now: Instant) -> Verdict {
        let Some((interval, timeout)) = self.periods else { return Verdict::Alive };
        if self.answered {
            self.asked = None;
        }
        match self.asked {
            None if now >= later(self.heard, interval) => {
                self.asked = Some(now);
                self.held = false;
                self.answered = false;
                Verdict::Ping
            }
            Some(asked) if now >= later(asked, timeout) => {
                if !std::mem::take(&mut self.held) {
                    return Verdict::Dead;
                }
                self.asked = Some(now);
                Verdict::Alive
            }
            _ => Verdict::Alive,
        }
    }

    /// When to look again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (interval, timeout) = self.periods?;
        Some(match self.asked {
            Some(asked) if !self.answered => later(asked, timeout),
            _ => later(self.heard, interval),
        })
    }

    /// How long a ping is waited for, and a write that makes no progress.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.periods.map(|(_, timeout)| timeout)
    }
}
