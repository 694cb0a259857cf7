//! One end of a connection: what came in, what goes out, and where its life stands.
//!
//! No I/O and no clock: bytes are given and taken, deadlines are the caller's.

mod lifecycle;

#[cfg(feature = "deflate")]
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use crate::Error;
use crate::protocol::connection::lifecycle::parse_close;
#[cfg(feature = "deflate")]
use crate::protocol::deflate::{Agreed, Deflate, SendOptions};
use crate::protocol::fault::Fault;
use crate::protocol::frame::Opcode;
use crate::protocol::receiver::{Item, Receiver};
use crate::protocol::transmitter::Transmitter;
use crate::protocol::{CloseEvent, Message, MessageRef, Prepared, ReadyState, Role};

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

    // Sending.

    /// Accepts a message.
    #[inline]
    pub(crate) fn send(
        &mut self,
        message: Message,
        key: impl FnOnce() -> [u8; 4],
    ) -> Result<(), Error> {
        #[cfg(feature = "deflate")]
        if self.transmitter.deflates() {
            return self.send_with(message, SendOptions::new(), key);
        }
        if !self.is_open() {
            return Err(self.closed());
        }
        let opcode = if message.is_text() { Opcode::Text } else { Opcode::Binary };
        let key = self.key(key);
        // A small one is only looked at: to move it costs as much as to copy it.
        if !self.transmitter.append_small(opcode, message.as_bytes(), key) {
            self.transmitter.push_large(opcode, message.into_bytes(), key);
        }
        Ok(())
    }

    #[cold]
    fn closed(&self) -> Error {
        Error::closed(self.event.as_ref())
    }

    /// Accepts a message, compressed or not. Never a part of `send`, which is nearly all that is
    /// called where nothing was agreed on.
    #[cfg(feature = "deflate")]
    #[cold]
    #[inline(never)]
    pub(crate) fn send_with(
        &mut self,
        message: Message,
        options: SendOptions,
        key: impl FnOnce() -> [u8; 4],
    ) -> Result<(), Error> {
        if !self.is_open() {
            return Err(self.closed());
        }
        let opcode = if message.is_text() { Opcode::Text } else { Opcode::Binary };
        if self.transmitter.deflates() {
            self.transmitter.push_message(opcode, message.into_bytes(), options.compress);
        } else {
            self.push(opcode, message.into_bytes(), key);
        }
        Ok(())
    }

    /// Lets messages be compressed, as was agreed on; `key` gives a client's mask keys.
    #[cfg(feature = "deflate")]
    pub(crate) fn set_deflate(&mut self, agreed: Agreed, options: Deflate, key: fn() -> [u8; 4]) {
        let peer = match self.role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        self.receiver.set_inflate(agreed.of(peer));
        self.transmitter.set_deflate(self.role, agreed.of(self.role), options, key);
    }

    /// Whether messages may be compressed.
    #[cfg(feature = "deflate")]
    #[inline]
    pub(crate) fn deflates(&self) -> bool {
        self.transmitter.deflates()
    }

    /// After how long without a message the compressor is to be given back, if there is one.
    #[cfg(feature = "deflate")]
    pub(crate) fn forgets_after(&self) -> Option<Duration> {
        self.transmitter.forgets_after()
    }

    /// Gives the compressor back if nothing was compressed since this was called last.
    #[cfg(feature = "deflate")]
    pub(crate) fn forget(&mut self) {
        self.transmitter.forget();
    }

    /// Accepts a message that was encoded for many servers' connections; a client masks it anew.
    pub(crate) fn send_prepared(
        &mut self,
        prepared: &Prepared,
        key: impl FnOnce() -> [u8; 4],
    ) -> Result<(), Error> {
        if self.role == Role::Server && self.is_open() && self.push_prepared(prepared) {
            return Ok(());
        }
        self.send(prepared.message().clone(), key)
    }

    /// Accepts what others share; false if its compressed form has to wait for a large message in
    /// front of it.
    #[inline]
    fn push_prepared(&mut self, prepared: &Prepared) -> bool {
        #[cfg(feature = "deflate")]
        if let Some(settings) = self.transmitter.prepares(prepared.message().len()) {
            if let Some(frame) = prepared.deflated(settings) {
                return self.transmitter.push_deflated(frame);
            }
        }
        if !prepared.frame().is_some_and(|frame| self.transmitter.push_encoded(frame)) {
            let payload = prepared.message().clone().into_bytes();
            self.transmitter.push(prepared.opcode(), payload, None);
        }
        true
    }

    /// Asks the peer for a sign of life.
    pub(crate) fn ping(&mut self, key: impl FnOnce() -> [u8; 4]) {
        self.push(Opcode::Ping, Bytes::new(), key);
    }

    fn push(&mut self, opcode: Opcode, payload: Bytes, key: impl FnOnce() -> [u8; 4]) {
        let key = self.key(key);
        self.transmitter.push(opcode, payload, key);
    }

    /// The mask key of a frame of this end.
    #[inline]
    fn key(&self, key: impl FnOnce() -> [u8; 4]) -> Option<[u8; 4]> {
        (self.role == Role::Client).then(key)
    }

    /// What goes out next, in two slices; both empty when everything has been written.
    #[inline]
    pub(crate) fn unsent(&mut self) -> (&[u8], &[u8]) {
        self.transmitter.unsent()
    }

    /// Notes that `n` bytes of `unsent` have been written.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) {
        self.transmitter.advance(n);
    }

    /// How many bytes wait to be written.
    #[inline]
    pub(crate) fn buffered(&self) -> usize {
        self.transmitter.len()
    }

    #[inline]
    pub(crate) fn is_flushed(&self) -> bool {
        self.transmitter.is_empty()
    }

    /// Whether pongs still pile up.
    pub(crate) fn is_flooded(&self) -> bool {
        self.transmitter.pongs() > PONG_LIMIT
    }

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
