//! One end of a connection: what came in, what goes out, and where its life stands.
//!
//! No I/O and no clock: bytes are given and taken, deadlines are the caller's.

mod lifecycle;
mod sending;

use bytes::{BufMut, Bytes, BytesMut};

use crate::Error;
use crate::protocol::connection::lifecycle::parse_close;
use crate::protocol::fault::Fault;
use crate::protocol::receiver::{Item, Receiver};
use crate::protocol::transmitter::Transmitter;
use crate::protocol::{CloseEvent, Message, MessageRef, ReadyState, Role};

pub(crate) use lifecycle::Lifecycle;

/// How many bytes of unwritten pongs make a flood.
const PONG_LIMIT: usize = 256 << 10;

/// What `receive` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A message, to be taken or looked at before the next call.
    Message(Item),
    /// More bytes are needed.
    Dry,
    /// Answers pile up: they must be written before more is understood.
    Backlog,
    /// The connection is past `Closing`.
    Over,
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    role: Role,
    receiver: Receiver,
    transmitter: Transmitter,
    lifecycle: Lifecycle,
    /// Decided when the Close frame comes or the end is certain; shown when it is over.
    event: Option<CloseEvent>,
    /// What the stream still has to tell.
    error: Option<Error>,
    /// Writing failed: what arrived is still delivered, nothing more is sent.
    broken: bool,
    /// Something that was accepted could not be written.
    dropped: bool,
    /// A pong came since this was asked last.
    ponged: bool,
}

impl Connection {
    pub(crate) fn new(role: Role, max_message_size: usize, read_ahead: BytesMut) -> Self {
        let peer = match role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        Self {
            role,
            receiver: Receiver::new(peer, max_message_size, read_ahead),
            transmitter: Transmitter::default(),
            lifecycle: Lifecycle::Open,
            event: None,
            error: None,
            broken: false,
            dropped: false,
            ponged: false,
        }
    }

    #[inline]
    pub(crate) fn lifecycle(&self) -> Lifecycle {
        self.lifecycle
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.lifecycle == Lifecycle::Open && !self.broken
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(crate) fn ready_state(&self) -> ReadyState {
        match self.lifecycle {
            Lifecycle::Open if self.broken => ReadyState::Closing,
            Lifecycle::Open => ReadyState::Open,
            Lifecycle::Ended => ReadyState::Closed,
            _ => ReadyState::Closing,
        }
    }

    /// How it ended, once it has.
    pub(crate) fn event(&self) -> Option<&CloseEvent> {
        self.event.as_ref().filter(|_| self.lifecycle == Lifecycle::Ended)
    }

    /// How it will have ended, as far as that is known.
    pub(crate) fn known_event(&self) -> Option<&CloseEvent> {
        self.event.as_ref()
    }

    /// What the stream has to tell at its end, once.
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Whether the stream still has an error to tell.
    pub(crate) fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// Whether a pong came since this was asked last.
    pub(crate) fn take_pong(&mut self) -> bool {
        std::mem::take(&mut self.ponged)
    }

    // Receiving.

    /// Understands what has been read, up to the next message.
    #[inline]
    pub(crate) fn receive(&mut self, key: impl Fn() -> [u8; 4]) -> Received {
        loop {
            if !matches!(self.lifecycle, Lifecycle::Open | Lifecycle::Closing) {
                return Received::Over;
            }
            match self.receiver.next() {
                Ok(Some(item @ (Item::Text | Item::Binary))) => {
                    if self.lifecycle == Lifecycle::Open {
                        return Received::Message(item);
                    }
                }
                Ok(None) => return Received::Dry,
                Ok(Some(Item::Ping)) => {
                    if self.is_open() {
                        let payload = Bytes::copy_from_slice(self.receiver.payload());
                        let key = self.key(&key);
                        self.transmitter.push_pong(payload, key);
                        if self.transmitter.pongs() > PONG_LIMIT {
                            return Received::Backlog;
                        }
                    }
                }
                Ok(Some(Item::Pong)) => self.ponged = true,
                Ok(Some(Item::Close)) => match parse_close(self.receiver.payload()) {
                    Ok(frame) => self.peer_closed(frame, &key),
                    Err(fault) => self.fail(fault, &key),
                },
                Err(fault) => self.fail(fault, &key),
            }
        }
    }

    /// The next message, if it is all here in the shape that nearly all have; `None` is no
    /// verdict.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call would cost a tenth of a small message")]
    pub(crate) fn plain_message(&mut self, key: impl Fn() -> [u8; 4]) -> Option<Message> {
        if self.lifecycle != Lifecycle::Open {
            return None;
        }
        match self.receiver.plain_message()? {
            Ok(message) => Some(message),
            Err(fault) => {
                self.fail(fault, key);
                None
            }
        }
    }

    /// The same, left where it stands.
    #[inline]
    pub(crate) fn plain_item(&mut self, key: impl Fn() -> [u8; 4]) -> Option<Item> {
        if self.lifecycle != Lifecycle::Open {
            return None;
        }
        match self.receiver.plain_item()? {
            Ok(item) => Some(item),
            Err(fault) => {
                self.fail(fault, key);
                None
            }
        }
    }

    /// Whether there is nothing left to understand.
    #[inline]
    pub(crate) fn is_drained(&self) -> bool {
        self.receiver.is_drained()
    }

    /// The message that `receive` found.
    #[inline]
    pub(crate) fn take_message(&mut self, item: Item) -> Result<Message, Fault> {
        self.receiver.take_message(item)
    }

    /// The message that `receive` found, lent.
    #[inline]
    pub(crate) fn message_ref(&self, item: Item) -> MessageRef<'_> {
        self.receiver.message_ref(item)
    }

    /// Whether there is a buffer to read into.
    #[inline]
    pub(crate) fn has_space(&self) -> bool {
        self.receiver.has_buffer()
    }

    /// Room for the transport to read into.
    #[inline]
    pub(crate) fn space(&mut self) -> impl BufMut + '_ {
        self.receiver.space()
    }

    /// Notes that `read` of `offered` bytes of `space` were filled.
    #[inline]
    pub(crate) fn filled(&mut self, read: usize, offered: usize) {
        self.receiver.filled(read, offered);
    }

    /// Takes bytes that were read elsewhere.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.receiver.feed(bytes);
    }

    // Memory.

    /// Gives back memory that is not in use.
    pub(crate) fn release(&mut self) {
        self.receiver.release();
        self.transmitter.release();
    }

    /// Gives back the memory of the receiving side that is not in use.
    pub(crate) fn release_input(&mut self) {
        self.receiver.release();
    }

    /// Gives back the output buffer if nothing is in it.
    pub(crate) fn release_output(&mut self) {
        self.transmitter.release();
    }
}
