//! Messages into frames: one output buffer with an index, many frames to a system call.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::protocol::frame::{Header, Opcode};
use crate::protocol::mask;

/// From this length on, a server's payload is written from where it is instead of being copied.
const LARGE: usize = 16 << 10;

/// How much of a client's large payload is masked at a time.
const PIECE: usize = 64 << 10;

/// How much of the buffer must have been written before the rest is moved to its front.
const COMPACT: usize = 64 << 10;

/// A frame that waits for a large one in front of it.
#[derive(Debug)]
struct Waiting {
    opcode: Opcode,
    payload: Bytes,
    key: Option<[u8; 4]>,
}

/// A payload that goes out by itself, behind what is in the buffer.
#[derive(Debug)]
struct Large {
    /// What has not been written (unmasked) or copied to the buffer (masked) yet.
    rest: Bytes,
    /// The mask key at the front of `rest`.
    key: Option<[u8; 4]>,
}

/// The sending side of a connection: frames in the order in which they go out.
///
/// That order is: `buffer` from `written` on, `large`, `waiting`.
#[derive(Debug, Default)]
pub(crate) struct Transmitter {
    buffer: Vec<u8>,
    written: usize,
    large: Option<Large>,
    waiting: VecDeque<Waiting>,
    /// The frames of `waiting`, in bytes at most: an empty message counts, too.
    waiting_bytes: usize,
    /// How many bytes of what is unwritten are pongs, at most.
    pongs: usize,
}

impl Transmitter {
    /// Accepts a frame.
    #[inline]
    pub(crate) fn push(&mut self, opcode: Opcode, payload: Bytes, key: Option<[u8; 4]>) {
        if opcode == Opcode::Pong {
            self.pongs += payload.len() + Header::MAX;
        }
        if self.large.is_some() {
            self.waiting_bytes += Header::MAX + payload.len();
            self.waiting.push_back(Waiting { opcode, payload, key });
            return;
        }
        self.encode(opcode, payload, key);
    }

    #[inline]
    fn encode(&mut self, opcode: Opcode, payload: Bytes, key: Option<[u8; 4]>) {
        self.compact();
        let header = Header { opcode, fin: true, length: payload.len() as u64, key };
        match key {
            None if payload.len() >= LARGE => {
                header.write(&mut self.buffer);
                self.large = Some(Large { rest: payload, key });
            }
            Some(_) if payload.len() > PIECE => {
                header.write(&mut self.buffer);
                self.large = Some(Large { rest: payload, key });
            }
            None => {
                self.buffer.reserve(Header::MAX + payload.len());
                header.write(&mut self.buffer);
                self.buffer.extend_from_slice(&payload);
            }
            Some(key) => {
                self.buffer.reserve(Header::MAX + payload.len());
                header.write(&mut self.buffer);
                mask::extend(&mut self.buffer, &payload, key);
            }
        }
    }

    /// What goes out next: at most two slices, to be written one behind the other; both are empty
    /// when everything has been written.
    #[inline]
    pub(crate) fn unsent(&mut self) -> (&[u8], &[u8]) {
        let mut behind: &[u8] = &[];
        if let Some(large) = &mut self.large {
            match large.key {
                None => behind = &large.rest,
                Some(key) => {
                    if self.buffer.len() - self.written < PIECE {
                        let piece = large.rest.split_to(PIECE.min(large.rest.len()));
                        mask::extend(&mut self.buffer, &piece, key);
                        large.key = Some(mask::rotate(key, piece.len()));
                    }
                }
            }
        }
        (&self.buffer[self.written..], behind)
    }

    /// Notes that the first `n` bytes of what `unsent` showed have been written.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) {
        let buffered = n.min(self.buffer.len() - self.written);
        self.written += buffered;
        if self.written == self.buffer.len() {
            self.buffer.clear();
            self.written = 0;
        }
        if let Some(large) = &mut self.large {
            if large.key.is_none() {
                // A transport that claims to have written more than it was given is not believed.
                let _ = large.rest.split_to((n - buffered).min(large.rest.len()));
            } else {
                self.compact();
            }
        }
        self.next_waiting();
        // A connection that is never quite flushed has written its pongs nevertheless.
        self.pongs = self.pongs.min(self.len());
    }

    /// Once a large payload is through, encodes what waited for it.
    fn next_waiting(&mut self) {
        while self.large.as_ref().is_none_or(|large| large.rest.is_empty()) {
            self.large = None;
            let Some(Waiting { opcode, payload, key }) = self.waiting.pop_front() else { return };
            self.waiting_bytes -= Header::MAX + payload.len();
            self.encode(opcode, payload, key);
        }
    }

    /// Moves the rest to the front, once at least as much has been written: linear over all.
    fn compact(&mut self) {
        if self.written >= COMPACT && self.written * 2 >= self.buffer.len() {
            self.buffer.drain(..self.written);
            self.written = 0;
        }
    }

    /// How many bytes were accepted and not written yet.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        let large = self.large.as_ref().map_or(0, |large| large.rest.len());
        self.buffer.len() - self.written + large + self.waiting_bytes
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.written == self.buffer.len() && self.large.is_none() && self.waiting.is_empty()
    }

    /// How many bytes of pongs wait, at most.
    pub(crate) fn pongs(&self) -> usize {
        self.pongs
    }

    /// Drops everything that was not written.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Gives back memory that is not in use.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            self.buffer = Vec::new();
            self.waiting = VecDeque::new();
        }
    }
}
