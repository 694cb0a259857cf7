//! Compression of messages: permessage-deflate (RFC 7692), without any I/O.
//!
//! The extension is this crate's own: the negotiation ([`agreed`]), the options ([`options`]), and
//! the hooks where frames become messages (`receiver::inflating`) and messages frames
//! (`transmitter::deflating`). The deflate format itself is zlib-rs's, used by itself rather than
//! through flate2: it has no dependencies, and lets the memory of a state be set. It is what
//! flate2 recommends as its backend; `miniz_oxide`, flate2's default, knows no smaller windows.
//!
//! **States** ([`pool`]) are large: 287 to 371 KiB to compress, 46 KiB to inflate. Where context takeover
//! is off, one is borrowed for as long as a message takes; compressing a message is one call or, for
//! a large one, goes on while it is written, and inflating goes on while the message arrives, a frame
//! or 32 KiB at a time: a peer that is slow within a frame holds no state. The
//! pools are the process's, one for each of the two sizes that compress and one to inflate, each
//! behind a lock that is held for a push or a pop: a connection moves
//! between threads, and pools of threads would together hold as many states as the busiest moment of
//! each. One keeps at most as many as the machine runs threads.
//!
//! **Steps are bounded.** Inflating goes through 64 KiB at a time, checked against the limit of a
//! message and for UTF-8 before the next; so a bomb costs what it may cost at most. Compressing takes
//! 64 KiB of a message at a time, when the last piece has nearly been written, each a fragment.
//!
//! **Copies are few.** A frame is compressed to where it is written from; for that the buffer has room
//! for a seventh more than the piece of the message that goes into it, until it is flushed. A message
//! is inflated to memory of its thread and copied from there, when it is known that it may be kept;
//! one of 48 to 64 KiB is shown where it is, and the thread uses that memory again if nobody has the
//! message when it inflates the next.
//!
//! **Not negotiated** it costs an `Option` in the receiver and the transmitter, looked at once a
//! message.

mod agreed;
mod compressor;
mod decompressor;
mod options;
mod pool;

pub use agreed::InvalidExtensions;
pub(crate) use agreed::{Agreed, Direction};
#[cfg(test)]
pub(crate) use compressor::Memory;
pub(crate) use compressor::{Compressor, Settings, Window};
pub(crate) use decompressor::{Corrupt, Decompressor};
pub(crate) use options::Choice;
pub use options::{Deflate, SendOptions};
