//! What compresses: a state borrowed from the pool.

use std::fmt;

use zlib_rs::{Deflate as State, DeflateConfig, DeflateFlush};

use crate::protocol::deflate::pool::Pool;

/// Boxed, so that a connection which has none holds but a pointer.
static POOL: Pool<Box<(Settings, State)>> = Pool::new();

/// What a state is made for. Messages of one are alike for all connections that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Settings {
    pub(crate) level: u8,
    /// The window, 9 to 15.
    pub(crate) bits: u8,
    pub(crate) memory: Memory,
}

/// How much a state takes beside its window: in how long blocks it compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Memory {
    /// 287 KiB in all with the largest window. Without context this is the better choice, too: 1 KiB
    /// of JSON took 9 % less time than with zlib's default, 64 KiB became 0.4 % shorter.
    Sparing = 6,
    /// zlib's own default, 371 KiB in all: with context 64 KiB of JSON became 0.1 % shorter.
    Usual = 8,
}

impl Settings {
    /// The same for a message by itself.
    pub(crate) const fn alone(self) -> Self {
        Self { memory: Memory::Sparing, ..self }
    }
}

/// A state with an empty window at first; back in the pool when dropped.
pub(crate) struct Compressor {
    /// Taken by `drop` alone.
    state: Option<Box<(Settings, State)>>,
}

impl Compressor {
    pub(crate) fn new(settings: Settings) -> Self {
        let state = if let Some(mut state) = POOL.take(|state| state.0 == settings) {
            state.1.reset();
            state
        } else {
            let state = State::new_with_config(DeflateConfig {
                level: i32::from(settings.level),
                window_bits: -i32::from(settings.bits),
                mem_level: settings.memory as i32,
                ..DeflateConfig::default()
            });
            Box::new((settings, state))
        };
        Self { state: Some(state) }
    }

    /// Compresses all of `input`, up to a byte's border (RFC 7692 §7.2.1), into `output`, which
    /// grows as needed; returns how much that makes. That of a whole message ends with
    /// `00 00 FF FF`.
    pub(crate) fn compress(&mut self, input: &[u8], output: &mut Vec<u8>) -> usize {
        let Some((_, state)) = self.state.as_deref_mut() else { return 0 };
        let (start, begin) = (state.total_in(), state.total_out());
        let (mut used, mut made) = (0, 0);
        loop {
            let rest = input.get(used..).unwrap_or_default();
            // What cannot be compressed grows a little.
            let least = made + rest.len() + rest.len() / 8 + 64;
            if output.len() < least {
                output.resize(least, 0);
            }
            let room = output.get_mut(made..).unwrap_or_default();
            let offered = room.len();
            let before = made;
            let status = state.compress(rest, room, DeflateFlush::SyncFlush);
            debug_assert!(status.is_ok(), "{status:?}");
            used = delta(start, state.total_in());
            made = delta(begin, state.total_out());
            // Room that is left tells that all is out.
            if made - before < offered {
                return made;
            }
        }
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            POOL.give_back(state);
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

/// What a call added to a sum; no call takes or makes more than its slices hold.
pub(super) fn delta(before: u64, after: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}
