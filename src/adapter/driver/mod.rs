//! What moves bytes between a connection and its transport, and keeps the deadlines.
//!
//! Every poll follows one order: understand what has been read; when that runs dry, write all
//! answers at once; then read; and only when reading is pending look at the clock. So many
//! messages go with one system call both ways, and silence is judged only when nothing was there
//! to read.
//!
//! `receive` is polled for messages, `send` accepts and writes them, `leave` goes through the end,
//! and `clock` keeps the deadlines of all of them.

mod clock;
mod kept;
mod leave;
mod receive;
mod send;

use std::time::Duration;

use bytes::BytesMut;

use crate::adapter::driver::kept::Kept;
use crate::adapter::options::{Keepalive as Periods, Options};
use crate::platform::{self, Instant, Timer};
use crate::protocol::connection::Connection;
#[cfg(feature = "deflate")]
use crate::protocol::deflate::{Agreed, Deflate};
use crate::protocol::keepalive::Keepalive;
use crate::protocol::{CloseEvent, Role};

/// The transport, the connection over it, and its clock.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each of one poll function")]
pub(crate) struct Driver<S> {
    io: S,
    connection: Connection,
    keepalive: Keepalive,
    timer: Timer,
    /// When closing has to be over, once it has begun.
    close_by: Option<Instant>,
    close_timeout: Duration,
    /// Since when neither a write nor a flush has made progress.
    stalled: Option<Instant>,
    write_buffer_size: usize,
    kept: Option<Box<Kept>>,
    /// Messages, reads and writes since the last tick.
    activity: u32,
    /// Whether a tick is due that gives buffers back.
    busy: bool,
    /// Whether the transport was written to since it was flushed.
    unflushed: bool,
    /// Whether the stream side was polled since the last flush. That flush then looks for no
    /// control frames: who sends and receives in turns reads once a turn, and a program that only
    /// sends from now on answers a ping one flush later.
    received: bool,
    /// Whether all that was read has been understood.
    dry: bool,
    /// When to look whether the compressor is still in use.
    #[cfg(feature = "deflate")]
    forget_by: Option<Instant>,
}

impl<S> Driver<S> {
    pub(crate) fn new(io: S, role: Role, options: &Options, read_ahead: BytesMut) -> Self {
        let periods = options.keepalive.map(|Periods { interval, timeout }| (interval, timeout));
        Self {
            io,
            connection: Connection::new(role, options.max_message_size, read_ahead),
            keepalive: Keepalive::new(periods, platform::now()),
            timer: Timer::default(),
            close_by: None,
            close_timeout: options.close_timeout,
            stalled: None,
            write_buffer_size: options.write_buffer_size,
            kept: None,
            activity: 0,
            busy: false,
            unflushed: false,
            received: false,
            dry: false,
            #[cfg(feature = "deflate")]
            forget_by: None,
        }
    }

    /// Lets messages be compressed, as was agreed on.
    #[cfg(feature = "deflate")]
    pub(crate) fn with_deflate(mut self, agreed: Agreed, options: &Options) -> Self {
        // Who agreed and turned it off still has to inflate.
        let deflate = options.deflate.unwrap_or(Deflate::new().threshold(usize::MAX));
        self.connection.set_deflate(agreed, deflate, platform::mask_key);
        self
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn event(&self) -> Option<&CloseEvent> {
        self.connection.event()
    }

    /// Whether the stream has nothing more to yield.
    pub(crate) fn is_terminated(&self) -> bool {
        self.connection.event().is_some() && !self.connection.has_error() && self.kept.is_none()
    }

    pub(crate) fn latency(&self) -> Option<Duration> {
        self.keepalive.latency()
    }

    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    pub(crate) fn io_mut(&mut self) -> &mut S {
        &mut self.io
    }

    pub(crate) fn into_io(self) -> S {
        self.io
    }
}
