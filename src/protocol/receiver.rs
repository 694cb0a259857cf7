//! Frames into messages: parsed, unmasked and validated in the buffer they were read into.

mod fragments;
#[cfg(feature = "deflate")]
mod inflating;
mod room;

use bytes::{Buf, BytesMut};

use crate::protocol::fault::Fault;
use crate::protocol::frame::{Header, Opcode, Plain};
use crate::protocol::mask;
use crate::protocol::receiver::fragments::Gathered;
use crate::protocol::receiver::room::CHUNK;
use crate::protocol::text::{self, NotUtf8, ReceiveBuffer};
use crate::protocol::{Message, MessageRef, Role};

/// A whole payload that stands in front of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Text,
    Binary,
    Ping,
    Pong,
    Close,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Front {
    /// Nothing was handed out, or it has been taken.
    Taken,
    /// The bytes of `buffer` behind its first ones, a header; there is none before a text.
    Frame { start: usize, length: usize },
    /// All of `message`.
    Message,
}

/// A frame whose header has been read; its payload comes next in the buffer.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: Opcode,
    fin: bool,
    /// What is still to come of the payload, counted from the front of the buffer.
    length: usize,
    /// The mask key at the front of the buffer.
    key: Option<[u8; 4]>,
    /// How much of it has been unmasked already.
    unmasked: usize,
}

/// The receiving side of a connection.
#[derive(Debug)]
pub(crate) struct Receiver {
    buffer: ReceiveBuffer,
    front: Front,
    frame: Option<Frame>,
    message: Option<Box<Gathered>>,
    /// If the peer may compress.
    #[cfg(feature = "deflate")]
    inflating: Option<Box<inflating::Inflating>>,
    peer: Role,
    max_message_size: usize,
    /// How much is read at once.
    chunk: usize,
    /// The length of the last message's frame: the next one is probably as long.
    expected: usize,
}

impl Receiver {
    /// A receiver of what `peer` sends, with what has been read of it.
    pub(crate) fn new(peer: Role, max_message_size: usize, read_ahead: BytesMut) -> Self {
        Self {
            buffer: ReceiveBuffer::new(read_ahead),
            front: Front::Taken,
            frame: None,
            message: None,
            #[cfg(feature = "deflate")]
            inflating: None,
            peer,
            max_message_size,
            chunk: CHUNK,
            expected: 0,
        }
    }

    /// The next whole message or control frame, left where it stands; `None` if more bytes are
    /// needed. What was handed out before and not taken is dropped.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Fault> {
        if let Some(item) = self.plain_item() {
            return item.map(Some);
        }
        self.next_of_any_kind()
    }

    /// The next message, cut out of the buffer, if it has the shape that nearly all have and is
    /// all here. `None` is no verdict.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call would cost a tenth of a small message")]
    pub(crate) fn plain_message(&mut self) -> Option<Result<Message, Fault>> {
        let plain = self.plain()?;
        let mut frame = self.buffer.split_to(plain.start + plain.length);
        if self.peer == Role::Client {
            mask::apply(&mut frame[plain.start..], plain.key());
        }
        self.expected = plain.length;
        let mut payload = frame.freeze();
        payload.advance(plain.start);
        Some(text::message(payload, plain.is_text()).map_err(|NotUtf8| Fault::NotUtf8))
    }

    /// The same, left where it stands.
    #[inline]
    pub(crate) fn plain_item(&mut self) -> Option<Result<Item, Fault>> {
        let plain = self.plain()?;
        let Plain { start, length, .. } = plain;
        if self.peer == Role::Client {
            mask::apply(&mut self.buffer.tail_mut(start)[..length], plain.key());
        }
        if !plain.is_text() {
            self.front = Front::Frame { start, length };
            return Some(Ok(Item::Binary));
        }
        self.buffer.advance(start);
        self.front = Front::Frame { start: 0, length };
        let checked = self.buffer.check(length, true);
        Some(checked.map(|()| Item::Text).map_err(|_| Fault::NotUtf8))
    }

    #[inline]
    fn plain(&mut self) -> Option<Plain> {
        if self.front != Front::Taken {
            self.discard();
        }
        if self.frame.is_some() || self.message.is_some() {
            return None;
        }
        let plain = Plain::parse(self.buffer.as_slice(), self.peer == Role::Client)?;
        (plain.length <= self.max_message_size).then_some(plain)
    }

    /// Whether there is nothing left to understand.
    #[inline]
    pub(crate) fn is_drained(&self) -> bool {
        self.buffer.len() == 0
    }

    /// What any other shape has: fragments, control frames, payloads that come in pieces.
    fn next_of_any_kind(&mut self) -> Result<Option<Item>, Fault> {
        loop {
            let frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.begin()? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            let arrived = self.buffer.len().min(frame.length);
            if let Some(key) = frame.key {
                let fresh = &mut self.buffer.tail_mut(frame.unmasked)[..arrived - frame.unmasked];
                mask::apply(fresh, mask::rotate(key, frame.unmasked));
            }
            if frame.opcode == Opcode::Continuation || !frame.fin {
                #[cfg(feature = "deflate")]
                if self.inflated_from(frame).is_some_and(|length| arrived < length) {
                    self.frame = Some(Frame { unmasked: arrived, ..frame });
                    return Ok(None);
                }
                if let Some(item) = self.gather(frame, arrived)? {
                    return Ok(Some(item));
                }
                if self.frame.is_some() {
                    return Ok(None);
                }
                continue;
            }
            let whole = arrived == frame.length;
            if frame.opcode == Opcode::Text {
                self.buffer.check(arrived, whole).map_err(|_| Fault::NotUtf8)?;
            }
            if !whole {
                self.frame = Some(Frame { unmasked: arrived, ..frame });
                return Ok(None);
            }
            self.front = Front::Frame { start: 0, length: frame.length };
            return Ok(Some(match frame.opcode {
                Opcode::Text => Item::Text,
                Opcode::Binary | Opcode::Continuation => Item::Binary,
                Opcode::Ping => Item::Ping,
                Opcode::Pong => Item::Pong,
                Opcode::Close => Item::Close,
            }));
        }
    }

    /// Takes the next header off the buffer.
    #[inline]
    fn begin(&mut self) -> Result<Option<Frame>, Fault> {
        #[cfg(feature = "deflate")]
        if self.is_compressed() {
            return self.begin_compressed();
        }
        let Some((header, used)) = Header::parse(self.buffer.as_slice(), self.peer)? else {
            return Ok(None);
        };
        let Header { opcode, fin, length, key } = header;
        if !opcode.is_control() {
            self.admit(opcode, fin, length)?;
        }
        self.buffer.advance(used);
        // `admit` has compared it with a `usize`; a control frame has at most 125 bytes.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Some(Frame { opcode, fin, length, key, unmasked: 0 }))
    }

    /// The payload that `next` found.
    #[inline]
    pub(crate) fn payload(&self) -> &[u8] {
        match self.front {
            Front::Taken => &[],
            Front::Frame { start, length } => &self.buffer.as_slice()[start..][..length],
            Front::Message => self.message.as_ref().map_or(&[], |message| message.as_slice()),
        }
    }

    /// The message that `next` found, lent.
    #[inline]
    pub(crate) fn message_ref(&self, item: Item) -> MessageRef<'_> {
        if item != Item::Text {
            return MessageRef::Binary(self.payload());
        }
        MessageRef::Text(match self.front {
            Front::Taken => "",
            Front::Frame { .. } => self.buffer.text(),
            Front::Message => self.message.as_ref().map_or("", |message| message.text()),
        })
    }

    /// The message that `next` found, cut out of the buffer.
    #[inline]
    pub(crate) fn take_message(&mut self, item: Item) -> Result<Message, Fault> {
        let Front::Frame { start, length } = self.front else { return self.take_gathered() };
        self.front = Front::Taken;
        let message = if item == Item::Text {
            // It stands in front, and is known to be text: to advance would forget that.
            Message::Text(self.buffer.take_text(length).map_err(|_| Fault::NotUtf8)?)
        } else {
            self.buffer.advance(start);
            Message::Binary(self.buffer.split_to(length).freeze())
        };
        self.is_past(length);
        Ok(message)
    }

    /// Drops the payload that `next` found, unless it was taken.
    fn discard(&mut self) {
        match self.front {
            Front::Taken => return,
            Front::Frame { start, length } => {
                self.buffer.advance(start + length);
                self.is_past(length);
            }
            Front::Message => self.message = None,
        }
        self.front = Front::Taken;
    }

    /// Drops everything that was received and not handed out: nothing more is parsed.
    pub(crate) fn clear(&mut self) {
        self.buffer = ReceiveBuffer::default();
        self.front = Front::Taken;
        self.frame = None;
        self.message = None;
        #[cfg(feature = "deflate")]
        if let Some(inflating) = &mut self.inflating {
            inflating.clear();
        }
    }
}
