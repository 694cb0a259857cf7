//! Frames into messages: parsed, unmasked and validated in the buffer they were read into.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::protocol::fault::Fault;
use crate::protocol::frame::{Header, Opcode, Plain};
use crate::protocol::mask;
use crate::protocol::text::ReceiveBuffer;
use crate::protocol::{Message, MessageRef, ProtocolError, Role, Utf8Bytes};

/// What is read at once while frames are small, at first.
const CHUNK: usize = 16 << 10;

/// What it grows to when reads fill it.
const MAX_CHUNK: usize = 64 << 10;

/// From this length on, a frame's payload is read by itself: exactly the rest, so that nothing
/// behind it has to be moved.
const LARGE: usize = 32 << 10;

/// How many times what has arrived of a frame the buffer may be: memory grows with bytes that
/// came, not with bytes announced.
const AHEAD: usize = 16;

/// Up to this length, room is made for a frame because the last one was as long.
const FORESEEN: usize = 1 << 20;

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
    /// The first bytes of `buffer`.
    Frame(usize),
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

/// A message that comes in fragments.
#[derive(Debug)]
struct Gathered {
    text: bool,
    payload: ReceiveBuffer,
}

/// The receiving side of a connection.
#[derive(Debug)]
pub(crate) struct Receiver {
    buffer: ReceiveBuffer,
    front: Front,
    frame: Option<Frame>,
    message: Option<Box<Gathered>>,
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
    #[inline]
    pub(crate) fn plain_message(&mut self) -> Option<Result<Message, Fault>> {
        let plain = self.plain()?;
        let mut frame = self.buffer.split_to(plain.start + plain.length);
        if self.peer == Role::Client {
            mask::apply(&mut frame[plain.start..], plain.key);
        }
        self.expected = plain.length;
        let mut payload = frame.freeze();
        payload.advance(plain.start);
        Some(if plain.text {
            Utf8Bytes::try_from(payload).map(Message::Text).map_err(|_| Fault::NotUtf8)
        } else {
            Ok(Message::Binary(payload))
        })
    }

    /// The same, left where it stands.
    #[inline]
    fn plain_item(&mut self) -> Option<Result<Item, Fault>> {
        let plain = self.plain()?;
        self.buffer.advance(plain.start);
        if self.peer == Role::Client {
            mask::apply(&mut self.buffer.tail_mut(0)[..plain.length], plain.key);
        }
        self.front = Front::Frame(plain.length);
        if !plain.text {
            return Some(Ok(Item::Binary));
        }
        let checked = self.buffer.check(plain.length, true);
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
            self.front = Front::Frame(frame.length);
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

    /// Checks a data frame's header against the message it belongs to and the limit (§5.4).
    #[inline]
    fn admit(&mut self, opcode: Opcode, fin: bool, length: u64) -> Result<(), Fault> {
        let gathered = match (&self.message, opcode) {
            (None, Opcode::Continuation) => {
                return Err(ProtocolError::UnexpectedContinuation.into());
            }
            (None, _) => 0,
            (Some(message), Opcode::Continuation) => message.payload.len() as u64,
            (Some(_), _) => return Err(ProtocolError::ExpectedContinuation.into()),
        };
        let size = gathered.saturating_add(length);
        if size > self.max_message_size as u64 {
            return Err(Fault::TooBig { size, limit: self.max_message_size });
        }
        if !fin && opcode != Opcode::Continuation {
            let text = opcode == Opcode::Text;
            self.message = Some(Box::new(Gathered { text, payload: ReceiveBuffer::default() }));
        }
        Ok(())
    }

    /// Moves what has arrived of a fragment to its message.
    fn gather(&mut self, frame: Frame, arrived: usize) -> Result<Option<Item>, Fault> {
        let Some(message) = &mut self.message else {
            return Err(ProtocolError::UnexpectedContinuation.into());
        };
        message.payload.extend(&self.buffer.as_slice()[..arrived]);
        self.buffer.advance(arrived);
        let whole = arrived == frame.length;
        if message.text {
            let end = message.payload.len();
            message.payload.check(end, whole && frame.fin).map_err(|_| Fault::NotUtf8)?;
        }
        if !whole {
            let key = frame.key.map(|key| mask::rotate(key, arrived));
            self.frame = Some(Frame { length: frame.length - arrived, key, unmasked: 0, ..frame });
            return Ok(None);
        }
        if !frame.fin {
            return Ok(None);
        }
        self.front = Front::Message;
        Ok(Some(if message.text { Item::Text } else { Item::Binary }))
    }

    /// The payload that `next` found.
    #[inline]
    pub(crate) fn payload(&self) -> &[u8] {
        match self.front {
            Front::Taken => &[],
            Front::Frame(length) => &self.buffer.as_slice()[..length],
            Front::Message => {
                self.message.as_ref().map_or(&[], |message| message.payload.as_slice())
            }
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
            Front::Frame(_) => self.buffer.text(),
            Front::Message => self.message.as_ref().map_or("", |message| message.payload.text()),
        })
    }

    /// The message that `next` found, cut out of the buffer.
    #[inline]
    pub(crate) fn take_message(&mut self, item: Item) -> Result<Message, Fault> {
        let Front::Frame(length) = self.front else { return self.take_gathered() };
        self.front = Front::Taken;
        self.expected = length;
        if item == Item::Text {
            return self.buffer.take_text(length).map(Message::Text).map_err(|_| Fault::NotUtf8);
        }
        Ok(Message::Binary(self.buffer.split_to(length).freeze()))
    }

    fn take_gathered(&mut self) -> Result<Message, Fault> {
        self.front = Front::Taken;
        let Some(mut message) = self.message.take() else { return Ok(Bytes::new().into()) };
        let length = message.payload.len();
        if message.text {
            return message
                .payload
                .take_text(length)
                .map(Message::Text)
                .map_err(|_| Fault::NotUtf8);
        }
        Ok(Message::Binary(message.payload.split_to(length).freeze()))
    }

    /// Drops the payload that `next` found, unless it was taken.
    fn discard(&mut self) {
        match self.front {
            Front::Taken => return,
            Front::Frame(length) => {
                self.expected = length;
                self.buffer.advance(length);
            }
            Front::Message => self.message = None,
        }
        self.front = Front::Taken;
    }

    /// Whether the receiver owns a buffer to read into.
    #[inline]
    pub(crate) fn has_buffer(&self) -> bool {
        self.buffer.capacity() != 0
    }

    /// Room for the transport to read into. Every byte it writes there has arrived.
    #[inline]
    pub(crate) fn space(&mut self) -> impl BufMut + '_ {
        if self.front != Front::Taken {
            self.discard();
        }
        let limit = self.make_room();
        self.buffer.space(limit)
    }

    /// Makes room, and says how much of it to fill.
    #[inline]
    fn make_room(&mut self) -> usize {
        let room = self.buffer.room();
        if self.frame.is_none() && self.expected < LARGE {
            // The next message should fit, and a good part of a chunk.
            if room < (self.expected + Header::MAX).max(self.chunk / 4) {
                self.buffer.reserve(self.chunk.max(self.expected + Header::MAX));
            }
            return self.buffer.room();
        }
        self.make_room_for_more()
    }

    /// The same, when a frame's length is known or foreseen.
    fn make_room_for_more(&mut self) -> usize {
        let have = self.buffer.len();
        let length = self.frame.map_or(0, |frame| frame.length);
        if length >= LARGE {
            let rest = length.saturating_sub(have);
            if self.buffer.room() < rest.min(CHUNK) {
                self.buffer.reserve(rest.min((have * AHEAD).max(CHUNK)));
            }
            return rest.min(self.buffer.room());
        }
        let rest = length.saturating_sub(have);
        if self.expected >= LARGE && have == 0 {
            // Room for another one like the last, and no more than that is read: if it is one, it
            // comes whole and nothing behind it has to be moved.
            let foreseen = self.expected.min(FORESEEN) + self.header(self.expected);
            if self.buffer.room() < foreseen {
                self.buffer.reserve(foreseen);
            }
            return foreseen;
        }
        if self.buffer.room() < rest.max(self.chunk / 4) {
            self.buffer.reserve(self.chunk.max(rest));
        }
        self.buffer.room()
    }

    /// How long the peer's header of a large frame is.
    fn header(&self, length: usize) -> usize {
        let extended = if length > 0xFFFF { 8 } else { 2 };
        let key = if self.peer == Role::Client { 4 } else { 0 };
        2 + extended + key
    }

    /// Notes that `read` of `offered` bytes were filled.
    #[inline]
    pub(crate) fn filled(&mut self, read: usize, offered: usize) {
        if read == offered && self.frame.is_none_or(|frame| frame.length < LARGE) {
            self.chunk = (self.chunk * 2).min(MAX_CHUNK);
        }
    }

    /// Takes bytes that were read elsewhere.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.discard();
        self.buffer.extend(bytes);
    }

    /// Drops everything that was received and not handed out: nothing more is parsed.
    pub(crate) fn clear(&mut self) {
        self.buffer = ReceiveBuffer::default();
        self.front = Front::Taken;
        self.frame = None;
        self.message = None;
    }

    /// Gives back memory that is not in use.
    pub(crate) fn release(&mut self) {
        self.buffer.release();
        self.chunk = CHUNK;
        self.expected = 0;
    }
}
