//! One end of a connection: what came in, what goes out, and where its life stands.
//!
//! No I/O and no clock: bytes are given and taken, deadlines are the caller's.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};

use crate::protocol::fault::Fault;
use crate::protocol::frame::Opcode;
use crate::protocol::receiver::{Item, Receiver};
use crate::protocol::transmitter::Transmitter;
use crate::protocol::{
    CloseCode, CloseEvent, CloseFrame, Initiator, InvalidCloseFrame, Message, MessageRef,
    ProtocolError, ReadyState, Role, Utf8Bytes,
};
use crate::{Error, status};

/// How many bytes of unwritten pongs make a flood.
const PONG_LIMIT: usize = 256 << 10;

/// Where the life of a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    /// Messages go both ways.
    Open,
    /// This end sent Close and waits for the peer's; data that comes is dropped (RFC 6455 §1.4).
    Closing,
    /// Nothing more is understood; what is queued goes out, up to and including a Close frame.
    Flushing {
        /// Whether to wait for the end of input after the shutdown.
        linger: bool,
    },
    /// The transport's write side is being shut down.
    ShuttingDown {
        /// As above.
        linger: bool,
    },
    /// Input is read and dropped until it ends: a client leaves it to the server to close first
    /// (§7.1.1), and a peer with data in flight must not lose the Close frame to a reset.
    Lingering,
    /// Over.
    Ended,
}

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
    #[inline]
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

    fn peer_closed(&mut self, frame: Option<CloseFrame>, key: impl Fn() -> [u8; 4]) {
        let initiator = match self.lifecycle {
            Lifecycle::Closing => Initiator::Local,
            _ => Initiator::Peer,
        };
        if initiator == Initiator::Peer {
            self.push_close(frame.as_ref(), key);
        }
        let (code, reason) = match frame {
            Some(frame) => (frame.code(), frame.into_reason()),
            None => (status::NO_STATUS_RECEIVED, Utf8Bytes::default()),
        };
        let was_clean = !self.broken;
        self.event = Some(CloseEvent { code, reason, was_clean, initiator });
        self.leave(self.role == Role::Client);
    }

    /// Fails the connection (RFC 6455 §7.1.7): tells the peer why, then leaves.
    pub(crate) fn fail(&mut self, fault: Fault, key: impl Fn() -> [u8; 4]) {
        if self.lifecycle == Lifecycle::Open {
            let reason = fault.to_string();
            self.push_close(CloseFrame::new(fault.code(), reason).ok().as_ref(), key);
            self.error.get_or_insert(fault.into());
        }
        self.event = Some(lost(Initiator::Local));
        self.leave(true);
    }

    fn leave(&mut self, linger: bool) {
        self.receiver.clear();
        self.lifecycle = Lifecycle::Flushing { linger };
    }

    // Sending.

    /// Accepts a message.
    #[inline]
    pub(crate) fn send(
        &mut self,
        message: Message,
        key: impl FnOnce() -> [u8; 4],
    ) -> Result<(), Error> {
        if !self.is_open() {
            return Err(Error::closed(self.event.as_ref()));
        }
        match message {
            Message::Text(text) => self.push(Opcode::Text, text.into_bytes(), key),
            Message::Binary(bytes) => self.push(Opcode::Binary, bytes, key),
        }
        Ok(())
    }

    /// Asks the peer for a sign of life.
    pub(crate) fn ping(&mut self, key: impl FnOnce() -> [u8; 4]) {
        self.push(Opcode::Ping, Bytes::new(), key);
    }

    /// Begins the closing handshake; does nothing if the end has begun already.
    pub(crate) fn close(
        &mut self,
        frame: Option<&CloseFrame>,
        key: impl FnOnce() -> [u8; 4],
    ) -> Result<(), Error> {
        // RFC 6455 §7.4.1: 1010 is how a client says which extensions it misses.
        let code = frame.map(CloseFrame::code);
        if code == Some(status::MISSING_MANDATORY_EXTENSION) && self.role == Role::Server {
            let code = status::MISSING_MANDATORY_EXTENSION;
            return Err(InvalidCloseFrame::NotByThisEndpoint { code, by: "server" }.into());
        }
        if self.lifecycle == Lifecycle::Open {
            self.push_close(frame, key);
            self.lifecycle = Lifecycle::Closing;
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, opcode: Opcode, payload: Bytes, key: impl FnOnce() -> [u8; 4]) {
        let key = self.key(key);
        self.transmitter.push(opcode, payload, key);
    }

    /// The mask key of a frame of this end.
    #[inline]
    fn key(&self, key: impl FnOnce() -> [u8; 4]) -> Option<[u8; 4]> {
        (self.role == Role::Client).then(key)
    }

    fn push_close(&mut self, frame: Option<&CloseFrame>, key: impl FnOnce() -> [u8; 4]) {
        if self.broken {
            return;
        }
        let payload = frame.map_or_else(Bytes::new, |frame| {
            let code = frame.code().as_u16().to_be_bytes();
            [&code, frame.reason().as_bytes()].concat().into()
        });
        self.push(Opcode::Close, payload, key);
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

    /// Whether something that was accepted could not be written, and never will be.
    #[inline]
    pub(crate) fn has_dropped(&self) -> bool {
        self.dropped
    }

    fn drop_unsent(&mut self) {
        self.dropped |= !self.transmitter.is_empty();
        self.transmitter.clear();
    }

    // The end.

    /// Writing failed. What has arrived is still delivered.
    pub(crate) fn write_failed(&mut self, error: io::Error) {
        self.broken = true;
        self.drop_unsent();
        match self.lifecycle {
            Lifecycle::Open => {
                self.error.get_or_insert(Error::Io(error));
            }
            Lifecycle::Closing => {}
            _ => self.end_unclean(),
        }
    }

    /// The transport's input ended.
    pub(crate) fn end_of_input(&mut self) {
        match self.lifecycle {
            Lifecycle::Open => {
                self.error.get_or_insert(Error::ConnectionLost);
                self.event = Some(lost(Initiator::Peer));
            }
            Lifecycle::Closing => self.event = Some(lost(Initiator::Local)),
            _ => return,
        }
        self.leave(false);
    }

    /// Reading failed.
    pub(crate) fn read_failed(&mut self, error: io::Error) {
        if self.lifecycle == Lifecycle::Open {
            self.error.get_or_insert(Error::Io(error));
        }
        self.end_of_input();
    }

    /// The present step of leaving is done: everything is written, the transport is shut down, or
    /// input has ended.
    pub(crate) fn step(&mut self) {
        match self.lifecycle {
            Lifecycle::Flushing { linger } => self.lifecycle = Lifecycle::ShuttingDown { linger },
            Lifecycle::ShuttingDown { linger: true } => self.lifecycle = Lifecycle::Lingering,
            _ => self.end(),
        }
    }

    /// Writing has no prospect: ends at once.
    pub(crate) fn abandon(&mut self) {
        self.end_unclean();
    }

    /// The time for closing is over.
    pub(crate) fn expire(&mut self) {
        match self.lifecycle {
            Lifecycle::Lingering | Lifecycle::ShuttingDown { .. } => self.end(),
            _ => self.end_unclean(),
        }
    }

    /// Gives the peer up for lost; it is told `code`, if that can be written at once.
    pub(crate) fn give_up(&mut self, code: CloseCode, error: Error, key: impl Fn() -> [u8; 4]) {
        if self.lifecycle == Lifecycle::Open {
            let reason = error.to_string();
            self.push_close(CloseFrame::new(code, reason).ok().as_ref(), key);
            self.error.get_or_insert(error);
        }
        self.event = Some(lost(Initiator::Local));
        self.receiver.clear();
        self.lifecycle = Lifecycle::Flushing { linger: false };
    }

    fn end_unclean(&mut self) {
        let event = self.event.get_or_insert_with(|| lost(Initiator::Local));
        event.was_clean = false;
        self.end();
    }

    fn end(&mut self) {
        self.lifecycle = Lifecycle::Ended;
        self.receiver.clear();
        self.drop_unsent();
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

/// The event of a connection that ends without a Close frame (RFC 6455 §7.1.5).
fn lost(initiator: Initiator) -> CloseEvent {
    let code = status::ABNORMAL_CLOSURE;
    CloseEvent { code, reason: Utf8Bytes::default(), was_clean: false, initiator }
}

/// Reads the payload of a Close frame (RFC 6455 §5.5.1, §7.4).
fn parse_close(payload: &[u8]) -> Result<Option<CloseFrame>, Fault> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(ProtocolError::CloseLength.into()) };
    };
    let code = CloseCode::new(u16::from_be_bytes(*code));
    let reason = Utf8Bytes::try_from(Bytes::copy_from_slice(reason));
    if !code.is_allowed_on_wire() {
        let reason = reason.map_or_else(|_| Box::default(), |reason| reason.as_str().into());
        return Err(ProtocolError::CloseCode { code, reason }.into());
    }
    let reason = reason.map_err(|_| Fault::NotUtf8)?;
    match CloseFrame::new(code, reason) {
        Ok(frame) => Ok(Some(frame)),
        // A control frame's length leaves no room for a longer reason.
        Err(_) => Err(ProtocolError::OversizeControl.into()),
    }
}
