//! What goes out: messages that are accepted, and the bytes of them that are written.

#[cfg(feature = "deflate")]
use std::time::Duration;

use bytes::Bytes;

use crate::Error;
use crate::protocol::connection::{Connection, PONG_LIMIT};
#[cfg(feature = "deflate")]
use crate::protocol::deflate::{Agreed, Deflate, SendOptions};
use crate::protocol::frame::Opcode;
use crate::protocol::{Message, Prepared, Role};

impl Connection {
    /// Accepts a message if it is small and nothing is in its way; false if it is for `send`.
    ///
    /// It is only looked at: to move one costs as much as to copy its payload.
    #[inline]
    pub(crate) fn send_small(
        &mut self,
        text: bool,
        payload: &[u8],
        key: impl FnOnce() -> [u8; 4],
    ) -> bool {
        #[cfg(feature = "deflate")]
        if self.transmitter.deflates() {
            return false;
        }
        if !self.is_open() || !self.transmitter.takes_small(payload.len()) {
            return false;
        }
        let opcode = Opcode::of_message(text);
        self.transmitter.append(opcode, payload, self.key(key));
        true
    }

    /// Accepts a message.
    pub(crate) fn send(
        &mut self,
        message: Message,
        key: impl FnOnce() -> [u8; 4],
    ) -> Result<(), Error> {
        if !self.is_open() {
            return Err(self.closed());
        }
        #[cfg(feature = "deflate")]
        if self.transmitter.deflates() {
            return self.send_with(message, SendOptions::new(), key);
        }
        self.push(Opcode::of_message(message.is_text()), message.into_bytes(), key);
        Ok(())
    }

    #[cold]
    fn closed(&self) -> Error {
        Error::closed(self.event.as_ref())
    }

    /// Accepts a message, compressed or not.
    #[cfg(feature = "deflate")]
    #[cold]
    pub(crate) fn send_with(
        &mut self,
        message: Message,
        options: SendOptions,
        key: impl FnOnce() -> [u8; 4],
    ) -> Result<(), Error> {
        if !self.is_open() {
            return Err(self.closed());
        }
        let opcode = Opcode::of_message(message.is_text());
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
        let key = self.key(key);
        self.transmitter.push_ping(key);
    }

    /// Whether the last ping has not been written yet.
    pub(crate) fn has_ping(&self) -> bool {
        self.transmitter.has_ping()
    }

    pub(super) fn push(&mut self, opcode: Opcode, payload: Bytes, key: impl FnOnce() -> [u8; 4]) {
        let key = self.key(key);
        self.transmitter.push(opcode, payload, key);
    }

    /// The mask key of a frame of this end.
    #[inline]
    pub(super) fn key(&self, key: impl FnOnce() -> [u8; 4]) -> Option<[u8; 4]> {
        (self.role == Role::Client).then(key)
    }

    /// What goes out next, if it is all that is queued and stands in one place, as nearly always.
    #[inline]
    pub(crate) fn one_run(&self) -> Option<&[u8]> {
        self.transmitter.one_run()
    }

    /// What goes out next, in two slices; both empty when everything has been written.
    #[inline]
    pub(crate) fn unsent(&mut self) -> (&[u8], &[u8]) {
        self.transmitter.unsent()
    }

    /// Notes that `n` bytes of `unsent` have been written; true if that was all.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) -> bool {
        self.transmitter.advance(n)
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
}
