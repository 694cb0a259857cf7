//! Time and allocations of a measured part.

use std::time::Instant;

use crate::heap;

/// What a measured part cost, or one message of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Seconds on the clock that the workload goes by.
    pub time: f64,
    /// Seconds of CPU time.
    pub cpu: f64,
    /// Calls of the allocator, if they are counted.
    pub allocations: u64,
}

impl Cost {
    /// The time of each of `count` messages.
    pub fn over(self, count: u64) -> Self {
        Self { time: self.time / count as f64, cpu: self.cpu / count as f64, ..self }
    }
}

/// Runs `part` once and says what CPU time this thread spent on it.
pub fn cpu(part: impl FnOnce()) -> Cost {
    let cost = measure(part, libc::CLOCK_THREAD_CPUTIME_ID);
    Cost { time: cost.cpu, ..cost }
}

/// Runs `part` once and says how long it took, and what CPU time all threads spent meanwhile.
pub fn wall(part: impl FnOnce()) -> Cost {
    let start = Instant::now();
    let cost = measure(part, libc::CLOCK_PROCESS_CPUTIME_ID);
    Cost { time: start.elapsed().as_secs_f64(), ..cost }
}

fn measure(part: impl FnOnce(), clock: libc::clockid_t) -> Cost {
    let mut part = Some(part);
    let allocations = heap::allocations();
    let start = seconds(clock);
    ws_channel_bench_measured(&mut || part.take().expect("it is run once")());
    let cpu = seconds(clock) - start;
    Cost { cpu, allocations: heap::allocations() - allocations, ..Cost::default() }
}

/// Named so that callgrind can be told to count in here only.
#[unsafe(no_mangle)]
#[inline(never)]
fn ws_channel_bench_measured(part: &mut dyn FnMut()) {
    part();
}

fn seconds(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec to write to.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(failed, 0, "this system has no clock for CPU time");
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
