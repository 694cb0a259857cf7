//! Time, instructions and allocations of a measured part.

use std::time::{Duration, Instant};

use crate::heap;

/// What a measured part took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub time: Duration,
    /// Calls of the allocator, if they are counted.
    pub allocations: u64,
}

/// Runs `part` once and says what CPU time this thread spent on it.
pub fn cpu(part: impl FnOnce()) -> Cost {
    measure(part, thread_time)
}

/// Runs `part` once and says how long it took on the wall's clock.
pub fn wall(part: impl FnOnce()) -> Cost {
    let start = Instant::now();
    measure(part, || start.elapsed())
}

fn measure(part: impl FnOnce(), now: impl Fn() -> Duration) -> Cost {
    let mut part = Some(part);
    let allocations = heap::allocations();
    let start = now();
    ws_channel_bench_measured(&mut || part.take().expect("it is run once")());
    Cost { time: now() - start, allocations: heap::allocations() - allocations }
}

/// Named so that callgrind can be told to count in here only.
#[unsafe(no_mangle)]
#[inline(never)]
fn ws_channel_bench_measured(part: &mut dyn FnMut()) {
    part();
}

fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec to write to.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "this system has no clock for a thread's CPU time");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
