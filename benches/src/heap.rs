//! An allocator that counts when it is told to, and the resident set.
//!
//! While times are taken it doesn't count: it costs them one load of a flag that never changes, per call.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
};

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);

/// Starts to count, for good.
pub fn count() {
    COUNTING.store(true, Relaxed);
}

/// Calls since counting began that asked for new or larger memory.
pub fn allocations() -> u64 {
    ALLOCATIONS.load(Relaxed)
}

/// Bytes asked for and not yet given back, against those at the time when counting began.
pub fn live() -> i64 {
    LIVE.load(Relaxed)
}

/// Bytes of this process that are in memory.
pub fn resident() -> i64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells the resident set");
    let pages: i64 =
        statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("its second field is a number");
    // SAFETY: there is nothing that it could get wrong.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) }
}

/// Tells glibc to keep what was freed, so that no contender pays for pages coming and going.
///
/// Whether it would keep it otherwise depends on how large a block the process has ever freed, that
/// is on what ran before.
pub fn keep_freed() {
    // The first is the highest that it takes.
    for (setting, bytes) in [(libc::M_MMAP_THRESHOLD, 32 << 20), (libc::M_TRIM_THRESHOLD, 1 << 30)]
    {
        // SAFETY: it is called before there are other threads.
        let done = unsafe { libc::mallopt(setting, bytes) };
        assert_eq!(done, 1, "this is glibc's allocator");
    }
}

struct Counter;

#[global_allocator]
static COUNTER: Counter = Counter;

fn counted(allocations: u64, bytes: i64) {
    if COUNTING.load(Relaxed) {
        ALLOCATIONS.fetch_add(allocations, Relaxed);
        LIVE.fetch_add(bytes, Relaxed);
    }
}

// SAFETY: every call is the system allocator's.
unsafe impl GlobalAlloc for Counter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        counted(1, layout.size() as i64);
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        counted(1, layout.size() as i64);
        // SAFETY: as the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        counted(0, -(layout.size() as i64));
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        counted(1, size as i64 - layout.size() as i64);
        // SAFETY: as the caller's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
