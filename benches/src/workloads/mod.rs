//! What is done with a connection: a file each.
//!
//! A sample makes a fresh connection, warms it up, and then measures a number of messages.

use tokio::runtime::Runtime;

use crate::payload::Content;

pub mod pingpong;
pub mod receive;
pub mod send;
pub mod stream;
pub mod tcp;

/// What each message is.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub content: Content,
    pub size: usize,
}

impl Load {
    /// The head of the column.
    pub fn name(&self) -> String {
        format!("{} {}", self.content.name(), size(self.size))
    }
}

/// `size` as people say it.
pub fn size(size: usize) -> String {
    match size {
        n if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{} MiB", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => format!("{} KiB", n >> 10),
        n => format!("{n} B"),
    }
}

/// Bytes that the pipe in memory holds in each direction.
pub const PIPE: usize = 64 << 10;

/// How many of the messages to measure are sent before, to warm up.
pub fn warm_up(messages: u64) -> u64 {
    (messages / 8).clamp(2, 1000)
}

/// A runtime that does everything on this thread.
pub fn one_thread() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
}
