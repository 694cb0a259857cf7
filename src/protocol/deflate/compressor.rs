//! What compresses: a state borrowed from the pool.

use std::fmt;

use zlib_rs::{Deflate as State, DeflateConfig, DeflateFlush};

use crate::protocol::deflate::pool::Pool;

/// A pool for each size, so that where short and long messages alternate, both find a state.
static SPARING: Pool<Box<Pooled>> = Pool::new();
static USUAL: Pool<Box<Pooled>> = Pool::new();

/// What a state is made for. Messages of one are alike for all connections that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Settings {
    pub(crate) level: u8,
    /// The window, 9 to 15.
    pub(crate) bits: u8,
    pub(crate) memory: Memory,
}

/// How much a state takes beside its window: in how long blocks it compresses. zlib-rs clears what
/// holds a block, all of it, for each: where there is more of it, a small message takes longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Memory {
    /// 287 KiB in all with the largest window. 1 KiB of JSON took 9 % less time with it.
    Sparing = 6,
    /// zlib's own default, 371 KiB in all. 64 KiB of JSON took 2 % less time; with context it became
    /// 0.1 % shorter, and without 0.4 % longer.
    Usual = 8,
}

impl Memory {
    /// What is worth having at this level and with this window.
    pub(crate) const fn most(level: u8, bits: u8) -> Self {
        // Levels 0 and 1 collect no blocks, and who makes the window smaller does so for the memory.
        if level > 1 && bits == 15 { Self::Usual } else { Self::Sparing }
    }
}

/// From this length on, a message by itself is worth the larger blocks.
const LONG: usize = 16 << 10;

impl Settings {
    /// The same for a message of this length, or the first piece of one, by itself.
    pub(crate) const fn alone(self, length: usize) -> Self {
        let memory =
            if length >= LONG { Memory::most(self.level, self.bits) } else { Memory::Sparing };
        Self { memory, ..self }
    }

    fn pool(self) -> &'static Pool<Box<Pooled>> {
        match self.memory {
            Memory::Sparing => &SPARING,
            Memory::Usual => &USUAL,
        }
    }
}

/// What becomes of the window behind a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// What comes next may refer to it.
    Kept,
    /// It is empty, as at first.
    Cleared,
}

/// A state as the pool keeps it.
struct Pooled {
    settings: Settings,
    state: State,
    /// Whether its window is empty.
    clear: bool,
}

/// A state with an empty window at first; back in the pool when dropped.
pub(crate) struct Compressor {
    /// Taken by `drop` alone. Boxed, so that a connection which has none holds but a pointer.
    pooled: Option<Box<Pooled>>,
}

impl Compressor {
    pub(crate) fn new(settings: Settings) -> Self {
        let pooled = if let Some(mut pooled) = settings.pool().take(|one| one.settings == settings)
        {
            if !pooled.clear {
                pooled.state.reset();
            }
            pooled
        } else {
            let state = State::new_with_config(DeflateConfig {
                level: i32::from(settings.level),
                window_bits: -i32::from(settings.bits),
                mem_level: settings.memory as i32,
                ..DeflateConfig::default()
            });
            Box::new(Pooled { settings, state, clear: true })
        };
        Self { pooled: Some(pooled) }
    }

    /// How much room `compress` needs for an input of this length: what zlib's `deflateBound` says
    /// of any settings, and the end of a flush.
    pub(crate) const fn bound(length: usize) -> usize {
        length + length / 8 + length / 64 + 64
    }

    /// Compresses `input`, up to a byte's border (RFC 7692 §7.2.1), into `room`, which has `bound`
    /// bytes, less than 4 GiB; returns how much that makes. That of a whole message ends with
    /// `00 00 FF FF`.
    pub(crate) fn compress(&mut self, input: &[u8], window: Window, room: &mut [u8]) -> usize {
        let Some(Pooled { state, clear, .. }) = self.pooled.as_deref_mut() else { return 0 };
        // What a reset does, but for the last block, which it clears once more.
        let flush = match window {
            Window::Kept => DeflateFlush::SyncFlush,
            Window::Cleared => DeflateFlush::FullFlush,
        };
        *clear = false;
        let before = (state.total_in(), state.total_out());
        let status = state.compress(input, room, flush);
        let used = delta(before.0, state.total_in());
        let made = delta(before.1, state.total_out());
        // Room that is left tells that all is out.
        debug_assert!(status.is_ok() && used == input.len() && made < room.len(), "{status:?}");
        *clear = window == Window::Cleared;
        made
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        if let Some(pooled) = self.pooled.take() {
            pooled.settings.pool().give_back(pooled);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that come again and again, or bytes that never do.
    fn input(length: usize, random: bool) -> Vec<u8> {
        let mut state = 0x9E37_79B9_u32;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        if random {
            return (0..length).map(|_| next().to_le_bytes()[3]).collect();
        }
        let words = std::iter::repeat_with(|| next() % 300);
        words.flat_map(|word| format!("{word},").into_bytes()).take(length).collect()
    }

    fn all_settings() -> impl Iterator<Item = Settings> {
        (0..=9).flat_map(|level| {
            [9, 12, 15].into_iter().flat_map(move |bits| {
                [Memory::Sparing, Memory::Usual].map(|memory| Settings { level, bits, memory })
            })
        })
    }

    fn compress(state: &mut Compressor, input: &[u8], window: Window) -> Vec<u8> {
        let mut room = vec![0; Compressor::bound(input.len())];
        let made = state.compress(input, window, &mut room);
        assert!(made < room.len());
        room.truncate(made);
        assert!(room.ends_with(&[0, 0, 0xFF, 0xFF]));
        room
    }

    #[test]
    fn a_cleared_window_is_as_an_empty_one() {
        for settings in all_settings() {
            let [one, other] = [input(3000, false), input(40_000, false)];
            let mut state = Compressor::new(settings);
            let first = compress(&mut state, &one, Window::Cleared);
            let second = compress(&mut state, &other, Window::Cleared);
            assert!(compress(&mut state, &one, Window::Cleared) == first, "{settings:?}");
            let kept = compress(&mut state, &other, Window::Kept);
            assert!(kept == second, "{settings:?}");
            // Here it is not empty, and a state of the pool is cleared when it is taken.
            let again = compress(&mut state, &one, Window::Kept);
            assert!(settings.level == 0 || again.len() < first.len(), "{settings:?}");
            drop(state);
            assert!(
                compress(&mut Compressor::new(settings), &one, Window::Cleared) == first,
                "{settings:?}"
            );
        }
    }

    #[test]
    fn there_is_room_for_all_that_a_message_becomes() {
        for settings in all_settings().filter(|settings| settings.bits != 12) {
            let mut state = Compressor::new(settings);
            for length in [1, 127, 4095, 65_536] {
                compress(&mut state, &input(length, true), Window::Kept);
                compress(&mut state, &input(length, true), Window::Cleared);
            }
        }
    }
}
