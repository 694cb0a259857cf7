//! What inflates: a state borrowed from the pool.

use std::cell::RefCell;
use std::fmt;

use bytes::{Bytes, BytesMut};
use zlib_rs::{Inflate as State, InflateFlush, Status};

use crate::protocol::deflate::compressor::delta;
use crate::protocol::deflate::pool::Pool;

/// Boxed, so that a connection which has none holds but a pointer.
static POOL: Pool<Box<State>> = Pool::new();

/// How much is inflated at a time. 64 KiB of JSON took 20 % less time in one step than in four: each
/// copies its end into the window, and looks there for what it refers to.
const STEP: usize = 64 << 10;

/// How much room there is behind that. With less than 260 bytes of it left zlib-rs takes a slower way,
/// and where there is none it has to be called once more.
const SLACK: usize = 320;

thread_local! {
    /// Where it is inflated to, before it is known whether it may be kept. A message that was left
    /// there may still be in use; then there is new memory.
    static SCRATCH: RefCell<Bytes> = const { RefCell::new(Bytes::new()) };
}

/// What ends each message and is not sent (RFC 7692 §7.2.2); and a byte that no message can
/// begin with in its place: as the rest of the block's length it would be wrong.
const TAIL: [u8; 5] = [0x00, 0x00, 0xFF, 0xFF, 0xFF];

/// The bytes are no deflate data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// A state with an empty window at first; back in the pool when dropped.
///
/// All have a window of 15 bits, which understands what was compressed with any.
pub(crate) struct Decompressor {
    /// Taken by `drop` alone.
    state: Option<Box<State>>,
    /// Whether the last block said that it was the last (RFC 7692 §7.2.3.4), and nothing came since.
    ended: bool,
}

impl Decompressor {
    pub(crate) fn new() -> Self {
        let state = match POOL.take(|_| true) {
            Some(mut state) => {
                state.reset(false);
                state
            }
            None => Box::new(State::new(false, 15)),
        };
        Self { state: Some(state), ended: false }
    }

    /// Inflates all of `input`, and gives `keep` what comes out of it piece by piece, until that
    /// fails.
    pub(crate) fn inflate<E: From<Corrupt>>(
        &mut self,
        mut input: &[u8],
        mut keep: impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(state) = &mut self.state else { return Err(Corrupt.into()) };
        SCRATCH.with_borrow_mut(|scratch| {
            loop {
                if input.is_empty() && self.ended {
                    return Ok(());
                }
                let mut room = match std::mem::take(scratch).try_into_mut() {
                    Ok(room) if !room.is_empty() => room,
                    _ => BytesMut::zeroed(STEP + SLACK),
                };
                let before = (state.total_in(), state.total_out());
                let status = state.decompress(input, &mut room, InflateFlush::NoFlush);
                let used = delta(before.0, state.total_in());
                let made = delta(before.1, state.total_out());
                input = input.get(used..).unwrap_or_default();
                self.ended &= used == 0;
                let room_is_left = made < room.len();
                *scratch = room.freeze();
                keep(Piece { scratch, made })?;
                match status {
                    Ok(Status::StreamEnd) => {
                        // More blocks may follow; who ends a stream of them begins the next with
                        // an empty window.
                        state.reset(false);
                        self.ended = true;
                    }
                    Ok(_) if input.is_empty() && room_is_left => return Ok(()),
                    Ok(_) if used == 0 && made == 0 => return Err(Corrupt.into()),
                    Ok(_) => {}
                    Err(_) => return Err(Corrupt.into()),
                }
            }
        })
    }

    /// Ends a message: puts back what was not sent of it, which has to complete a block.
    pub(crate) fn end_message(&mut self) -> Result<(), Corrupt> {
        let Some(state) = &mut self.state else { return Err(Corrupt) };
        if std::mem::take(&mut self.ended) {
            // There should have been an empty block behind the last one; it says nothing.
            return Ok(());
        }
        let before = (state.total_in(), state.total_out());
        let status = state.decompress(&TAIL, &mut [0; 1], InflateFlush::Block);
        let used = delta(before.0, state.total_in());
        match status {
            // Stops behind a block: here, if the message was whole.
            Ok(Status::Ok) if used == TAIL.len() - 1 && state.total_out() == before.1 => Ok(()),
            _ => Err(Corrupt),
        }
    }
}

/// What came out of a step.
pub(crate) struct Piece<'a> {
    scratch: &'a Bytes,
    made: usize,
}

impl Piece<'_> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.scratch.get(..self.made).unwrap_or_default()
    }

    /// The bytes where they are, if the memory around them is hardly more. Where it is full, more
    /// comes, and wants it.
    pub(crate) fn share(&self) -> Option<Bytes> {
        let worth = (STEP / 4 * 3..self.scratch.len()).contains(&self.made);
        worth.then(|| self.scratch.slice(..self.made))
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            POOL.give_back(state);
        }
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").field("ended", &self.ended).finish_non_exhaustive()
    }
}
