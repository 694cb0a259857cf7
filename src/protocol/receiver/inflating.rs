//! Compressed messages (RFC 7692 §6.2): inflated as they arrive.

use bytes::Bytes;

use crate::protocol::deflate::{Decompressor, Direction};
use crate::protocol::fault::Fault;
use crate::protocol::frame::{Header, Opcode};
use crate::protocol::receiver::fragments::Gathered;
use crate::protocol::receiver::{Frame, Receiver};
use crate::protocol::text::ReceiveBuffer;
use crate::protocol::{Message, ProtocolError, Utf8Bytes};

/// The bit that says that a message is compressed, in the first byte of a frame (§6).
const RSV1: u8 = 0x40;

/// How much of a frame is inflated at once, if it is not all here yet: each call costs a copy of the
/// window. Until then no state is held for a peer that is slow.
const ENOUGH: usize = 32 << 10;

/// What inflates the peer's messages.
#[derive(Debug)]
pub(super) struct Inflating {
    /// Whether a message may refer to those before it.
    takeover: bool,
    /// There while a message arrives; with takeover, from the first on.
    state: Option<Decompressor>,
}

impl Receiver {
    /// Lets messages be compressed, as the peer agreed to do it.
    pub(crate) fn set_inflate(&mut self, direction: Direction) {
        let takeover = direction.takeover;
        self.inflating = Some(Box::new(Inflating { takeover, state: None }));
    }

    /// Whether the next frame has the bit, and may have it.
    #[inline]
    pub(super) fn is_compressed(&self) -> bool {
        self.inflating.is_some()
            && self.buffer.as_slice().first().is_some_and(|first| first & RSV1 != 0)
    }

    /// How much of a frame should be here before it is inflated; `None` if it is not compressed.
    #[inline]
    pub(super) fn inflated_from(&self, frame: Frame) -> Option<usize> {
        let compressed = self.message.as_ref().is_some_and(|message| message.compressed);
        (compressed && frame.opcode == Opcode::Continuation).then(|| frame.length.min(ENOUGH))
    }

    /// Takes the header of such a frame off the buffer.
    ///
    /// The message is there from then on, and the frame goes on like those that continue it.
    #[cold]
    pub(super) fn begin_compressed(&mut self) -> Result<Option<Frame>, Fault> {
        let mut head = [0; Header::MAX];
        let there = self.buffer.len().min(head.len());
        head[..there].copy_from_slice(&self.buffer.as_slice()[..there]);
        let opcode = head[0] & 0x0F;
        // §6.1: the bit stands on the first frame of a data message, and nowhere else.
        if opcode == Opcode::Continuation as u8 || opcode & 0x8 != 0 {
            return Err(ProtocolError::ReservedBits.into());
        }
        head[0] &= !RSV1;
        let Some((header, used)) = Header::parse(&head[..there], self.peer)? else {
            return Ok(None);
        };
        if self.message.is_some() {
            return Err(ProtocolError::ExpectedContinuation.into());
        }
        let Header { opcode, fin, length, key } = header;
        let limit = self.max_message_size;
        let Ok(length) = usize::try_from(length) else {
            return Err(Fault::TooBig { size: length, limit });
        };
        let text = opcode == Opcode::Text;
        let payload = ReceiveBuffer::default();
        self.message = Some(Box::new(Gathered { text, payload, compressed: true, whole: None }));
        self.buffer.advance(used);
        Ok(Some(Frame { opcode: Opcode::Continuation, fin, length, key, unmasked: 0 }))
    }
}

impl Inflating {
    /// Inflates what has arrived of a message.
    pub(super) fn take_in(
        &mut self,
        message: &mut Gathered,
        arrived: &[u8],
        last: bool,
        limit: usize,
    ) -> Result<(), Fault> {
        if arrived.is_empty() && !last {
            return Ok(());
        }
        let state = self.state.get_or_insert_with(Decompressor::new);
        // All that came so far, while it may be all that comes.
        let mut whole = None;
        state.inflate(arrived, |piece| {
            let before = message.payload.len() + whole.as_ref().map_or(0, Bytes::len);
            let size = before + piece.as_slice().len();
            if size > limit {
                return Err(Fault::TooBig { size: size as u64, limit });
            }
            if before == 0 && last {
                whole = piece.share();
                if whole.is_some() {
                    return Ok(());
                }
            }
            if let Some(first) = whole.take_if(|_| size > before) {
                message.keep(&first, limit)?;
            }
            message.keep(piece.as_slice(), limit)
        })?;
        if last {
            state.end_message()?;
            if !self.takeover {
                self.state = None;
            }
        }
        message.whole = match whole {
            Some(whole) if message.text => {
                Some(Utf8Bytes::try_from(whole).map_err(|_| Fault::NotUtf8)?.into())
            }
            whole => whole.map(Message::Binary),
        };
        Ok(())
    }

    /// Gives the state back: nothing more is inflated.
    pub(super) fn clear(&mut self) {
        self.state = None;
    }
}

impl Gathered {
    /// Takes in what comes next.
    fn keep(&mut self, piece: &[u8], limit: usize) -> Result<(), Fault> {
        self.payload.extend_within(piece, limit);
        if self.text {
            self.payload.check(self.payload.len(), false).map_err(|_| Fault::NotUtf8)?;
        }
        Ok(())
    }
}
