//! The WebSocket protocol (RFC 6455) without any I/O: no socket, clock, runtime or JavaScript.
//!
//! Bytes are given and taken, times and mask keys are handed in. `tests` moves them between two
//! ends by hand; `adapter` moves them for real.
//!
//! # How the data path works, and why
//!
//! What a message costs is copies, allocations, system calls and, for small ones, the
//! instructions between them. The figures are of `benches/`, of one run each, on the machine of
//! the day; ratios are to the state before.
//!
//! **Receiving** ([`receiver`], [`text`]). Bytes are read into uninitialised room behind those
//! that are there: no zero-fill, which is half of what some peers spend on a small message. A
//! message is parsed where it was read, unmasked there, validated there, and cut out of the
//! buffer as a [`Bytes`](bytes::Bytes) that shares it: no copy, and no allocation as long as the
//! last messages are dropped before the buffer is full (counted: none in 10,000).
//!
//! - Nearly all messages are one frame of less than 64 KiB that is here as a whole. Its header is
//!   parsed from eight bytes at once ([`frame::Plain`]), without any state; every other shape goes
//!   the long way. A ping-pong of 125 B went from 5,336 to 4,505 instructions with that and with
//!   not looking again at a buffer that is known to be dry.
//! - While frames are small, reads are of 16 KiB, up to 64 KiB when they fill it. From 8 KiB on a
//!   frame is read by itself, the rest of it and room for one more header, so that what follows need
//!   not be moved; and room is made for a frame as long as the last one. Ping-pong of 16 KiB took
//!   7.7 µs before that, and 3.7 µs after; of 1 MiB, 244 and 176 µs. A read that stops short of its
//!   room tells a socket that it is empty: with that, and with pieces of 256 KiB where there were 32,
//!   an echo of 64 KiB over TCP makes one call to read where it made three, and took 10 % less time.
//!   Whether a piece is unmasked in the first cache or in the second makes less of a difference.
//! - The buffer never is more than sixteen times what has arrived of a frame, or as long as the last
//!   one, up to 1 MiB: a header that announces much costs nothing.
//! - Text is validated by simdutf8 as it arrives, each byte once, and fails at the first wrong
//!   one, within a frame, too. [`text`] is the one module with `unsafe`.
//! - The borrowed form shows the message in the buffer and cuts nothing: no reference is counted.
//! - What is left of a small message in a stream, 52 to 66 ns with both its ends, is not the
//!   protocol's: the most of it are four locked counts of references, cloned and dropped by who
//!   sends, cut and dropped by who receives. Tried, and left: the shape that nearly all have compiled
//!   into the caller (41 of 411 instructions fewer, but 8 % more time), and out of it (two fifths
//!   more time).
//!
//! **Sending** ([`transmitter`]). Small messages are put into one buffer, header and payload; it
//! goes out with one write for all of them. A small message is looked at and never moved: its words
//! were just written one by one, and a wider load of them waits for the cache (a stream of 16 B went
//! from 73 to 56 ns, of 128 B from 73 to 66). The buffer goes round: what is queued goes on at the
//! front of it, where others have been written, and nothing is ever moved to make room (that took
//! 110 of 937 instructions a message in a stream of 128 B). The buffer stays initialised, so that a client's
//! payload is masked in the pass that copies it: a masked send of 64 KiB went from 2.6 to 1.6 µs.
//! A server's payload from 16 KiB on is not copied at all but written behind its header
//! (`writev`); a client's from 64 KiB on is masked piece by piece, as the transport takes it, so
//! that a message of any size costs 64 KiB of buffer. Where compression is compiled in and was not
//! agreed on, it costs a look. For that its path is no part of the small one.
//!
//! **Masking** ([`mask`]). Plain words of eight bytes; the compiler vectorises them. From 256 B on
//! the blocks are aligned, and a copy of the same loop that was compiled for AVX2 is chosen at run
//! time, by the multiversion crate: receiving 16 KiB went from 380 to 266 ns with the alignment,
//! which is more than AVX-512 brings. Keys come from a secure generator, 64 at a time for each
//! thread, since a call of it costs more than a small frame.
//!
//! **Batching** (`adapter`). Answers are written when input runs dry, not for each message; so a
//! thousand pings in one segment are answered with one write, and an echo with 32 messages in
//! flight costs a thirtieth of the system calls.
//!
//! **Memory.** A connection owns buffers only while more than 64 messages, reads and writes come
//! in a quarter of a second; until then it reads into 4 KiB on the stack, keeps what arrived and
//! no more, and frees what it wrote. An idle connection costs 1,021 B of heap, its task and timer
//! included, after messages of any size.
//!
//! **The clock.** One timer a connection. It is polled only when it may have struck or the task
//! has changed, and set anew four times a second at most; the time is read for the first 64 reads
//! between two ticks, which makes keepalive exact for a quiet peer and free for a busy one.

mod close;
pub(crate) mod connection;
#[cfg(feature = "deflate")]
pub(crate) mod deflate;
pub(crate) mod fault;
mod frame;
pub(crate) mod handshake;
pub(crate) mod header;
pub(crate) mod keepalive;
mod mask;
mod message;
mod prepared;
pub(crate) mod receiver;
pub(crate) mod request;
mod state;
mod text;
mod transmitter;
mod violation;

pub use close::{CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame};
#[cfg(feature = "deflate")]
pub use deflate::{Deflate, InvalidExtensions, SendOptions};
pub use handshake::{Handshake, HandshakeError, HandshakeFault, InvalidUpgrade, accept_key};
pub use header::InvalidHeader;
pub use message::{Message, MessageRef};
pub use prepared::Prepared;
pub(crate) use request::ValidRequest;
pub use request::{InvalidRequest, Request};
pub use state::{ReadyState, Role};
pub use text::{NotUtf8, Utf8Bytes};
pub use violation::ProtocolError;

#[cfg(test)]
mod tests;
