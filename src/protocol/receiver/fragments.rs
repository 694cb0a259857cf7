//! Messages that come in fragments (RFC 6455 §5.4).

use bytes::Bytes;

use crate::protocol::fault::Fault;
use crate::protocol::frame::Opcode;
use crate::protocol::receiver::{Frame, Front, Item, Receiver};
use crate::protocol::text::ReceiveBuffer;
use crate::protocol::{Message, ProtocolError, mask};

/// A message that comes in fragments.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) text: bool,
    pub(super) payload: ReceiveBuffer,
    #[cfg(feature = "deflate")]
    pub(super) compressed: bool,
    /// All of it, in place of `payload`: inflated at once, and left where that was done.
    #[cfg(feature = "deflate")]
    pub(super) whole: Option<Message>,
}

impl Gathered {
    pub(super) fn as_slice(&self) -> &[u8] {
        #[cfg(feature = "deflate")]
        if let Some(whole) = &self.whole {
            return whole.as_bytes();
        }
        self.payload.as_slice()
    }

    /// If it is text, all of it.
    pub(super) fn text(&self) -> &str {
        #[cfg(feature = "deflate")]
        if let Some(Message::Text(whole)) = &self.whole {
            return whole;
        }
        self.payload.text()
    }
}

impl Receiver {
    /// Checks a data frame's header against the message it belongs to and the limit (§5.4).
    #[inline]
    pub(super) fn admit(&mut self, opcode: Opcode, fin: bool, length: u64) -> Result<(), Fault> {
        let gathered = match (&self.message, opcode) {
            (None, Opcode::Continuation) => {
                return Err(ProtocolError::UnexpectedContinuation.into());
            }
            (None, _) => 0,
            // What counts is what it inflates to.
            #[cfg(feature = "deflate")]
            (Some(message), Opcode::Continuation) if message.compressed => return Ok(()),
            (Some(message), Opcode::Continuation) => message.payload.len() as u64,
            (Some(_), _) => return Err(ProtocolError::ExpectedContinuation.into()),
        };
        let size = gathered.saturating_add(length);
        if size > self.max_message_size as u64 {
            return Err(Fault::TooBig { size, limit: self.max_message_size });
        }
        if !fin && opcode != Opcode::Continuation {
            let text = opcode == Opcode::Text;
            self.message = Some(Box::new(Gathered {
                text,
                payload: ReceiveBuffer::default(),
                #[cfg(feature = "deflate")]
                compressed: false,
                #[cfg(feature = "deflate")]
                whole: None,
            }));
        }
        Ok(())
    }

    /// Moves what has arrived of a fragment to its message.
    pub(super) fn gather(&mut self, frame: Frame, arrived: usize) -> Result<Option<Item>, Fault> {
        let Some(message) = &mut self.message else {
            return Err(ProtocolError::UnexpectedContinuation.into());
        };
        let whole = arrived == frame.length;
        let last = whole && frame.fin;
        let bytes = &self.buffer.as_slice()[..arrived];
        #[cfg(feature = "deflate")]
        match &mut self.inflating {
            Some(inflating) if message.compressed => {
                inflating.take_in(message, bytes, last, self.max_message_size)?;
            }
            _ => message.payload.extend(bytes),
        }
        #[cfg(not(feature = "deflate"))]
        message.payload.extend(bytes);
        self.buffer.advance(arrived);
        if message.text {
            let end = message.payload.len();
            message.payload.check(end, last).map_err(|_| Fault::NotUtf8)?;
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

    pub(super) fn take_gathered(&mut self) -> Result<Message, Fault> {
        self.front = Front::Taken;
        let Some(mut message) = self.message.take() else { return Ok(Bytes::new().into()) };
        #[cfg(feature = "deflate")]
        if let Some(whole) = message.whole {
            return Ok(whole);
        }
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
}
