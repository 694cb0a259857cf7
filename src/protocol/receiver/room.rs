//! How much is read at once, and into how much memory.

use bytes::BufMut;

use crate::protocol::Role;
use crate::protocol::frame::Header;
use crate::protocol::receiver::{Front, Receiver};

/// What is read at once while frames are small, at first.
pub(super) const CHUNK: usize = 16 << 10;

/// What it grows to when reads fill it.
const MAX_CHUNK: usize = 64 << 10;

/// From this length on, a frame's payload is read by itself: the rest and hardly more, so that
/// nothing to speak of behind it has to be moved.
const LARGE: usize = 8 << 10;

/// What may be read behind such a frame: the next header. Where nothing has come behind the frame,
/// the read stops short of the room, and by that a transport knows that it has nothing left: it
/// need not be asked once more.
const BEHIND: usize = Header::MAX;

/// How much of such a frame is read at once: what was read is unmasked, and text is checked, while
/// it is still in a cache. Smaller pieces cost more calls of a socket than the nearer cache saves.
const PIECE: usize = 256 << 10;

/// How many times what has arrived of a frame the buffer may be: memory grows with bytes that
/// came, not with bytes announced.
const AHEAD: usize = 16;

/// Up to this length, room is made for a frame because the last one was as long.
const FORESEEN: usize = 1 << 20;

impl Receiver {
    /// Whether the receiver owns a buffer to read into.
    #[inline]
    pub(crate) fn has_buffer(&self) -> bool {
        self.buffer.capacity() != 0
    }

    /// Room for the transport to read into. Every byte it writes there has arrived.
    #[inline]
    pub(crate) fn space(&mut self) -> impl BufMut + '_ {
        if self.front != Front::Taken {
            self.discard();
        }
        let limit = self.make_room();
        self.buffer.space(limit)
    }

    /// Makes room, and says how much of it to fill.
    #[inline]
    fn make_room(&mut self) -> usize {
        let room = self.buffer.room();
        if self.frame.is_none() && self.expected < LARGE {
            // The next message should fit, and a good part of a chunk.
            if room < (self.expected + Header::MAX).max(self.chunk / 4) {
                self.buffer.reserve(self.chunk.max(self.expected + Header::MAX));
            }
            return self.buffer.room();
        }
        self.make_room_for_more()
    }

    /// The same, when a frame's length is known or foreseen.
    fn make_room_for_more(&mut self) -> usize {
        let have = self.buffer.len();
        let length = self.frame.map_or(0, |frame| frame.length);
        #[cfg(feature = "deflate")]
        let length = self.frame.and_then(|frame| self.inflated_from(frame)).unwrap_or(length);
        let rest = length.saturating_sub(have);
        // Room for another one like the last.
        let foreseen = self.expected.min(FORESEEN) + BEHIND;
        if length >= LARGE {
            let wanted = rest.saturating_add(BEHIND);
            if self.buffer.room() < rest.min(CHUNK) {
                let most = (have * AHEAD).max(CHUNK).max(foreseen);
                self.buffer.reserve(wanted.min(most));
            }
            return wanted.min(self.buffer.room()).min(PIECE);
        }
        if self.expected >= LARGE && have == 0 {
            // If it is one like the last, it comes whole, and little behind it has to be moved.
            let foreseen = foreseen + self.header(self.expected);
            if self.buffer.room() < foreseen {
                self.buffer.reserve(foreseen);
            }
            return foreseen.min(PIECE);
        }
        if self.buffer.room() < rest.max(self.chunk / 4) {
            self.buffer.reserve(self.chunk.max(rest));
        }
        self.buffer.room()
    }

    /// How long the peer's header of a large frame is.
    fn header(&self, length: usize) -> usize {
        let extended = if length > 0xFFFF { 8 } else { 2 };
        let key = if self.peer == Role::Client { 4 } else { 0 };
        2 + extended + key
    }

    /// Notes that `read` of `offered` bytes were filled.
    #[inline]
    pub(crate) fn filled(&mut self, read: usize, offered: usize) {
        if read == offered
            && self.expected < LARGE
            && self.frame.is_none_or(|frame| frame.length < LARGE)
        {
            self.chunk = (self.chunk * 2).min(MAX_CHUNK);
        }
    }

    /// Notes that a frame of this `length` is no longer in the buffer.
    #[inline]
    pub(super) fn is_past(&mut self, length: usize) {
        self.expected = length;
        if length > MAX_CHUNK && self.buffer.len() <= BEHIND {
            self.leave_memory();
        }
    }

    /// Moves the few bytes that were read behind a large frame: a small message in its memory would
    /// keep all of that. Where there are none, the memory may be of use again.
    #[cold]
    fn leave_memory(&mut self) {
        if self.buffer.len() != 0 {
            self.buffer.release();
        }
    }

    /// Takes bytes that were read elsewhere.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.discard();
        self.buffer.extend(bytes);
    }

    /// Gives back memory that is not in use.
    pub(crate) fn release(&mut self) {
        self.buffer.release();
        self.chunk = CHUNK;
        self.expected = 0;
    }
}
