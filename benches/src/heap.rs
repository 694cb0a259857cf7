//! An allocator that counts when it is told to, and the resident set.
//!
//! While times are taken it doesn't count: it costs them one load of a flag that never changes, per
//! call.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

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

/// The same, after glibc has given back all that it can.
pub fn trimmed() -> i64 {
    // SAFETY: there is nothing that it could get wrong.
    unsafe { libc::malloc_trim(0) };
    resident()
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
