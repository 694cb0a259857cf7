//! What was written and is not a message yet.

use std::io::{self, IoSlice};

use bytes::BytesMut;

use crate::protocol::{Message, NotUtf8, Utf8Bytes};

/// How many bytes become a message unless set.
///
/// As much as the adapter unmasks and writes with hardly any cost of its own, and as TLS and TCP
/// take at a time.
const FRAME_SIZE: usize = 64 << 10;

/// The longest character of UTF-8: a message has room for one.
const CHARACTER: usize = 4;

/// Which kind of message is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Framing {
    #[default]
    Binary,
    Text,
}

/// The bytes of the next message.
#[derive(Debug)]
pub(super) struct Outgoing {
    bytes: BytesMut,
    frame_size: usize,
    framing: Framing,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self { bytes: BytesMut::new(), frame_size: FRAME_SIZE, framing: Framing::default() }
    }
}

impl Outgoing {
    pub(super) fn set_framing(&mut self, framing: Framing) {
        self.framing = framing;
    }

    pub(super) fn set_frame_size(&mut self, bytes: usize) {
        self.frame_size = bytes.max(CHARACTER);
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= self.frame_size
    }

    /// Takes as much as there is room for.
    pub(super) fn accept(&mut self, bytes: &[u8]) -> usize {
        let room = self.frame_size.saturating_sub(self.bytes.len());
        let taken = &bytes[..bytes.len().min(room)];
        self.bytes.extend_from_slice(taken);
        taken.len()
    }

    /// Takes as much of the slices, in order, as there is room for.
    pub(super) fn accept_slices(&mut self, slices: &[IoSlice<'_>]) -> usize {
        let before = self.bytes.len();
        for slice in slices {
            if self.accept(slice) < slice.len() {
                break;
            }
        }
        self.bytes.len() - before
    }

    /// The next message; `None` if there is nothing, or less than a character.
    ///
    /// Bytes that are not UTF-8 stay, and so does the error.
    pub(super) fn take(&mut self) -> io::Result<Option<Message>> {
        let end = match self.framing {
            Framing::Binary => self.bytes.len(),
            Framing::Text => text_length(&self.bytes)?,
        };
        if end == 0 {
            return Ok(None);
        }
        let bytes = self.bytes.split_to(end).freeze();
        Ok(Some(match self.framing {
            Framing::Binary => Message::Binary(bytes),
            Framing::Text => Message::Text(Utf8Bytes::try_from(bytes).map_err(not_utf8)?),
        }))
    }

    /// Gives the memory back that nothing is in.
    pub(super) fn release(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = BytesMut::new();
        }
    }

    /// Forgets what cannot be sent any more; it is an error if that is anything.
    pub(super) fn give_up(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.bytes);
        if rest.is_empty() { Ok(()) } else { Err(not_utf8(NotUtf8)) }
    }
}

/// How many of the bytes are whole characters.
fn text_length(bytes: &[u8]) -> io::Result<usize> {
    match simdutf8::compat::from_utf8(bytes) {
        Ok(_) => Ok(bytes.len()),
        Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
        Err(_) => Err(not_utf8(NotUtf8)),
    }
}

fn not_utf8(error: NotUtf8) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Outgoing {
        let mut outgoing = Outgoing::default();
        outgoing.set_framing(Framing::Text);
        outgoing
    }

    #[test]
    fn a_message_takes_no_more_than_its_size() {
        let mut outgoing = Outgoing::default();
        outgoing.set_frame_size(5);
        assert_eq!(outgoing.accept(b"abc"), 3);
        let slices = [IoSlice::new(b"d"), IoSlice::new(b"ef"), IoSlice::new(b"g")];
        assert_eq!(outgoing.accept_slices(&slices), 2);
        assert!(outgoing.is_full());
        assert_eq!(outgoing.accept(b"x"), 0);
        assert_eq!(outgoing.take().unwrap(), Some(Message::from(b"abcde")));
        assert_eq!(outgoing.take().unwrap(), None);
    }

    #[test]
    fn a_character_is_never_cut_in_two() {
        let mut outgoing = text();
        outgoing.accept("grü".as_bytes().split_at(3).0);
        assert_eq!(outgoing.take().unwrap().unwrap(), "gr");
        assert_eq!(outgoing.take().unwrap(), None);
        outgoing.accept("grüße".as_bytes().split_at(3).1);
        assert_eq!(outgoing.take().unwrap().unwrap(), "üße");
        outgoing.accept(b"\xc3");
        assert_eq!(outgoing.give_up().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn what_is_no_text_stays_an_error() {
        let mut outgoing = text();
        outgoing.accept(b"ok\xff");
        for _ in 0..2 {
            assert_eq!(outgoing.take().unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
