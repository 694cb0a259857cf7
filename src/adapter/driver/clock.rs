//! The deadlines: keepalive, stalled writes, the end, and when to give buffers back.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::adapter::driver::Driver;
use crate::platform::{self, Instant};
use crate::protocol::connection::Lifecycle;
use crate::protocol::keepalive::Verdict;
use crate::{Error, status};

/// How often a busy connection looks whether it still needs its buffers.
const TICK: Duration = Duration::from_millis(250);

/// How many messages, reads and writes between two ticks make a connection busy. Until then it
/// gives its buffers back at once: ten thousand connections that say a word now and then hold
/// none, and the allocator's pages are shared by all of them.
const BUSY: u32 = 64;

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Waits for the next deadline; ready when one has changed the connection.
    ///
    /// `silent` tells that a read has just found nothing.
    #[inline]
    pub(super) fn poll_clock(&mut self, cx: &mut Context<'_>, silent: bool) -> Poll<()> {
        if self.timer.is_quiet(cx) {
            return Poll::Pending;
        }
        self.poll_timer(cx, silent)
    }

    #[cold]
    fn poll_timer(&mut self, cx: &mut Context<'_>, silent: bool) -> Poll<()> {
        // Out of tokio's budget, a read is pending though bytes are there.
        let silent = silent && platform::has_budget();
        if self.timer.deadline().is_none() {
            self.rearm();
        }
        while self.timer.poll(cx).is_ready() {
            let before = (self.connection.lifecycle(), self.connection.is_broken());
            self.strike(platform::now(), silent);
            self.rearm();
            if self.connection.lifecycle() == before.0 {
                self.write_answers(cx);
            }
            if self.connection.has_ping() {
                self.keepalive.hold();
            }
            if (self.connection.lifecycle(), self.connection.is_broken()) != before {
                // The connection has something to say, whether or not more bytes come.
                self.dry = false;
                if self.connection.lifecycle() == Lifecycle::Ended
                    && before.0 != Lifecycle::Lingering
                {
                    // Out of time: the transport ends here as far as it can without a wait. One
                    // that lingers has been shut down.
                    let _ = Pin::new(&mut self.io).poll_shutdown(cx);
                }
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

impl<S> Driver<S> {
    /// What is due at `now`.
    fn strike(&mut self, now: Instant, silent: bool) {
        self.keepalive.tick(now);
        if self.busy {
            if self.activity <= BUSY {
                self.busy = false;
                self.connection.release();
            }
            self.activity = 0;
        }
        #[cfg(feature = "deflate")]
        if self.forget_by.is_some_and(|by| now >= by) {
            self.connection.forget();
            self.forget_by = None;
            self.plan_to_forget();
        }
        if self.close_by.is_some_and(|by| now >= by) {
            self.connection.expire();
            return;
        }
        if self.connection.lifecycle() != Lifecycle::Open {
            return;
        }
        if let (Some(stalled), Some(after)) = (self.stalled, self.keepalive.timeout()) {
            if now >= platform::later(stalled, after) {
                if !platform::has_budget() {
                    // It was the runtime that put the write off.
                    self.stalled = Some(now);
                    return;
                }
                let what = "the peer did not take what was written to it";
                let error = Error::Timeout { what, after };
                self.connection.give_up(status::INTERNAL_SERVER_ERROR, error, platform::mask_key);
                self.connection.abandon();
                return;
            }
        }
        if !silent {
            self.keepalive.excuse(now);
            return;
        }
        match self.keepalive.check(now) {
            Verdict::Alive => {}
            Verdict::Ping => self.connection.ping(platform::mask_key),
            Verdict::Dead => {
                let after = self.keepalive.timeout().unwrap_or_default();
                let error = Error::Timeout { what: "the peer did not answer a ping", after };
                self.connection.give_up(status::INTERNAL_SERVER_ERROR, error, platform::mask_key);
            }
        }
    }

    /// Sets the timer to the next deadline there is.
    fn rearm(&mut self) {
        let now = platform::now();
        let tick = self.busy.then(|| platform::later(now, TICK));
        // Once closing has begun, its own deadline is the only one of the peer's.
        let open = self.connection.lifecycle() == Lifecycle::Open;
        let stalled = match (self.stalled, self.keepalive.timeout()) {
            (Some(since), Some(timeout)) if open => Some(platform::later(since, timeout)),
            _ => None,
        };
        let keepalive = if open { self.keepalive.deadline() } else { None };
        #[cfg(feature = "deflate")]
        let tick = [tick, self.forget_by].into_iter().flatten().min();
        let deadline = [self.close_by, stalled, tick, keepalive].into_iter().flatten().min();
        match deadline {
            Some(deadline) => self.timer.arm(deadline),
            None => self.timer.disarm(),
        }
    }

    /// Sets when to look whether the compressor is still in use, if there is one to give back.
    #[cfg(feature = "deflate")]
    #[inline]
    pub(super) fn plan_to_forget(&mut self) {
        if self.connection.deflates() && self.forget_by.is_none() {
            if let Some(after) = self.connection.forgets_after() {
                let by = platform::later(platform::now(), after);
                self.forget_by = Some(by);
                self.wake_by(by);
            }
        }
    }

    /// Makes the timer fire at `deadline` at the latest.
    pub(super) fn wake_by(&mut self, deadline: Instant) {
        if self.timer.deadline().is_none_or(|present| deadline < present) {
            self.timer.arm(deadline);
        }
    }

    /// Notes that a write or a flush makes no progress.
    pub(super) fn stall(&mut self) {
        if self.stalled.is_none() {
            if let Some(timeout) = self.keepalive.timeout() {
                let now = platform::now();
                self.stalled = Some(now);
                self.wake_by(platform::later(now, timeout));
            }
        }
    }

    pub(super) fn note_pong(&mut self) {
        if self.connection.take_pong() {
            self.keepalive.ponged(platform::now());
        }
    }

    /// Counts a read or a write, and notices when there are many.
    #[inline]
    pub(super) fn count(&mut self) {
        self.activity = self.activity.wrapping_add(1);
        if self.activity > BUSY && !self.busy {
            self.become_busy();
        }
    }

    #[cold]
    fn become_busy(&mut self) {
        self.busy = true;
        self.wake_by(platform::later(platform::now(), TICK));
    }
}
