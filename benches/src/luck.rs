//! Takes luck out of the race: what a process's copies and buffers cost by chance of where they
//! lie.
//!
//! Some processors copy many times slower with `rep movsb`, which glibc uses from 2 KiB on, if
//! source and target lie at certain offsets of their pages. Where a contender's buffers lie depends
//! on what was allocated before, so such a processor gives prizes by lot, the same ones for as long
//! as a process lives.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// glibc's setting of the size from which it copies so.
const TUNABLE: &str = "glibc.cpu.x86_rep_movsb_threshold";

/// Where glibc reads its settings.
const VARIABLE: &str = "GLIBC_TUNABLES";

/// Starts this program again, with a glibc that copies with vector instructions only.
pub fn copy_with_vectors() {
    let set = env::var(VARIABLE).unwrap_or_default();
    if set.contains(TUNABLE) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let separator = if set.is_empty() { "" } else { ":" };
    let set = format!("{set}{separator}{TUNABLE}={}", 1 << 30);
    // It returns only if it failed; then the copies are as they are.
    let _ = Command::new(program).args(env::args_os().skip(1)).env(VARIABLE, set).exec();
}

/// Makes `command` run with the glibc that everybody has.
pub fn stock(command: &mut Command) {
    command.env_remove(VARIABLE);
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

/// Where buffers will lie: blocks and holes of random sizes in the heap, different for each sample.
#[derive(Default)]
pub struct Terrain {
    blocks: Vec<Vec<u8>>,
    state: u64,
}

impl Terrain {
    /// Lays new blocks, every other of which is a hole.
    pub fn shift(&mut self) {
        self.blocks.clear();
        let mut blocks: Vec<Vec<u8>> = (0..64).map(|_| Vec::with_capacity(self.random())).collect();
        let mut keep = false;
        blocks.retain(|_| {
            keep = !keep;
            keep
        });
        self.blocks = blocks;
    }

    /// 1 B to 256 KiB.
    fn random(&mut self) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        1 + (self.state >> 46) as usize
    }
}
