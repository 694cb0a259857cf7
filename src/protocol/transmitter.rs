//! Messages into frames: one output buffer, many frames to a system call.

#[cfg(feature = "deflate")]
mod deflating;
mod pending;
mod queue;

use std::collections::VecDeque;

use bytes::Bytes;

use crate::protocol::frame::{Header, Opcode, short, short_masked};
use crate::protocol::mask;
use crate::protocol::transmitter::pending::Pending;
use crate::protocol::transmitter::queue::Queue;

#[cfg(feature = "deflate")]
pub(crate) use deflating::deflated;

/// From this length on, a payload is not put into the buffer: a server's is written from where it
/// is, a client's is masked in pieces as it is written.
pub(crate) const LARGE: usize = 16 << 10;

/// How much of a client's large payload is masked at a time.
const PIECE: usize = 64 << 10;

/// A frame that waits for a large one in front of it.
#[derive(Debug)]
struct Waiting {
    opcode: Opcode,
    payload: Bytes,
    key: Option<[u8; 4]>,
    /// If it is to be compressed.
    #[cfg(feature = "deflate")]
    form: Option<deflating::Form>,
}

/// A payload that goes out by itself, behind what is in the buffer.
#[derive(Debug)]
struct Large {
    /// What has not been written (unmasked) or copied to the buffer (masked) yet.
    rest: Bytes,
    /// The mask key at the front of `rest`.
    key: Option<[u8; 4]>,
    /// If it is compressed as it goes out.
    #[cfg(feature = "deflate")]
    form: Option<deflating::Form>,
}

/// The sending side of a connection: frames in the order in which they go out.
///
/// That order is: `queue`, `large`, `waiting`.
#[derive(Debug, Default)]
pub(crate) struct Transmitter {
    queue: Queue,
    large: Option<Large>,
    waiting: VecDeque<Waiting>,
    /// The frames of `waiting`, in bytes at most: an empty message counts, too.
    waiting_bytes: usize,
    /// Which control frames are unwritten.
    pending: Pending,
    /// If this end may compress.
    #[cfg(feature = "deflate")]
    deflating: Option<Box<deflating::Deflating>>,
}

impl Transmitter {
    /// Accepts a frame.
    pub(crate) fn push(&mut self, opcode: Opcode, payload: Bytes, key: Option<[u8; 4]>) {
        if self.takes_small(payload.len()) {
            self.append(opcode, &payload, key);
        } else {
            self.push_large(opcode, payload, key);
        }
    }

    /// Whether a frame with a payload of `length` bytes can be put into the buffer.
    #[inline]
    pub(crate) fn takes_small(&self, length: usize) -> bool {
        length < LARGE && self.large.is_none()
    }

    /// Accepts a pong.
    pub(crate) fn push_pong(&mut self, payload: Bytes, key: Option<[u8; 4]>) {
        let size = payload.len() + Header::MAX;
        self.push(Opcode::Pong, payload, key);
        self.pending.push_pong(size, self.len());
    }

    /// Accepts a ping.
    pub(crate) fn push_ping(&mut self, key: Option<[u8; 4]>) {
        self.push(Opcode::Ping, Bytes::new(), key);
        self.pending.push_ping(self.len());
    }

    /// Accepts a server's frame that is encoded already; false if there is a large one in front of
    /// it.
    #[inline]
    pub(crate) fn push_encoded(&mut self, frame: &Bytes) -> bool {
        if self.large.is_some() {
            return false;
        }
        if frame.len() < LARGE {
            self.queue.push(frame.len(), frame.len()).copy_from_slice(frame);
        } else {
            let rest = frame.clone();
            self.large = Some(Large {
                rest,
                key: None,
                #[cfg(feature = "deflate")]
                form: None,
            });
        }
        true
    }

    /// Puts a frame into the buffer, which `takes_small` has allowed.
    #[inline]
    pub(crate) fn append(&mut self, opcode: Opcode, payload: &[u8], key: Option<[u8; 4]>) {
        // It is less than `LARGE`.
        let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
        if let Some(key) = key {
            let header = short_masked(opcode, true, length, key);
            mask::copy(self.place(header, payload.len()), payload, key);
        } else {
            let header = short(opcode, true, length);
            self.place(header, payload.len()).copy_from_slice(payload);
        }
    }

    /// Puts a header into the buffer, and makes place for its payload of `length` bytes.
    #[inline]
    fn place(&mut self, (header, used): (u64, usize), length: usize) -> &mut [u8] {
        let header = header.to_le_bytes();
        let place = self.queue.push(header.len() + length, used + length);
        // All of the array, since a copy of `used` bytes would be a call.
        place[..header.len()].copy_from_slice(&header);
        &mut place[used..][..length]
    }

    /// Puts a large frame's header into the buffer and leaves its payload where it is; or, behind
    /// a large frame, keeps it waiting.
    pub(crate) fn push_large(&mut self, opcode: Opcode, payload: Bytes, key: Option<[u8; 4]>) {
        if self.large.is_some() {
            self.waiting_bytes += Header::MAX + payload.len();
            self.waiting.push_back(Waiting {
                opcode,
                payload,
                key,
                #[cfg(feature = "deflate")]
                form: None,
            });
            return;
        }
        let length = payload.len() as u64;
        let (header, used) = Header { opcode, fin: true, length, key }.to_bytes();
        self.queue.push(used, used).copy_from_slice(&header[..used]);
        self.large = Some(Large {
            rest: payload,
            key,
            #[cfg(feature = "deflate")]
            form: None,
        });
    }

    /// What goes out next, if it is all that is queued and stands in one place.
    #[inline]
    pub(crate) fn one_run(&self) -> Option<&[u8]> {
        if self.large.is_some() { None } else { self.queue.one_run() }
    }

    /// What goes out next: at most two slices, to be written one behind the other; both are empty
    /// when everything has been written.
    #[inline]
    pub(crate) fn unsent(&mut self) -> (&[u8], &[u8]) {
        if self.large.is_some() {
            self.mask_piece();
        }
        let (first, second) = self.queue.runs();
        match &self.large {
            Some(Large { rest, key: None, .. }) if second.is_empty() => (first, rest),
            _ => (first, second),
        }
    }

    /// Puts the next piece of a masked large payload into the buffer.
    fn mask_piece(&mut self) {
        #[cfg(feature = "deflate")]
        if self.large.as_ref().is_some_and(|large| large.form.is_some()) {
            return self.compress_piece();
        }
        let Some(Large { rest, key: Some(key), .. }) = &mut self.large else { return };
        if self.queue.len() >= PIECE {
            return;
        }
        let (piece, from) = (rest.split_to(PIECE.min(rest.len())), *key);
        *key = mask::rotate(from, piece.len());
        mask::copy(self.queue.push(piece.len(), piece.len()), &piece, from);
    }

    /// Notes that the first `n` bytes of what `unsent` showed have been written; true if that was
    /// all there is.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) -> bool {
        if self.large.is_none() && self.queue.finish(n) {
            self.pending = Pending::default();
            return true;
        }
        self.advance_some(n);
        self.is_empty()
    }

    #[inline(never)]
    fn advance_some(&mut self, n: usize) {
        let buffered = self.queue.advance(n);
        if self.large.is_some() {
            self.advance_large(n - buffered);
        }
        self.pending.advance(n, self.is_empty());
    }

    fn advance_large(&mut self, n: usize) {
        if let Some(Large { rest, key: None, .. }) = &mut self.large {
            // A transport that claims to have written more than it was given is not believed.
            let _ = rest.split_to(n.min(rest.len()));
        }
        self.next_waiting();
    }

    /// Once a large payload is through, encodes what waited for it.
    fn next_waiting(&mut self) {
        while self.large.as_ref().is_none_or(|large| large.rest.is_empty()) {
            self.large = None;
            let Some(next) = self.waiting.pop_front() else { return };
            let Waiting { opcode, payload, key, .. } = next;
            self.waiting_bytes -= Header::MAX + payload.len();
            #[cfg(feature = "deflate")]
            if let Some(form) = next.form {
                self.push_message(opcode, payload, form.choice);
                continue;
            }
            self.push(opcode, payload, key);
        }
    }

    /// How many bytes were accepted and not written yet.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match &self.large {
            // What waits does so for a large one.
            None => self.queue.len(),
            Some(large) => self.queue.len() + large.rest.len() + self.waiting_bytes,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.large.is_none()
    }

    /// How many bytes of pongs wait, at most.
    pub(crate) fn pongs(&self) -> usize {
        self.pending.pongs()
    }

    /// Whether the last ping waits.
    pub(crate) fn has_ping(&self) -> bool {
        self.pending.has_ping()
    }

    /// Drops everything that was not written.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Gives back memory that is not in use.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            self.queue = Queue::default();
            self.waiting = VecDeque::new();
        }
    }
}
