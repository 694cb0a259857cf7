//! The header of a frame (RFC 6455 §5.2), read strictly and written in its shortest form.

use crate::protocol::{ProtocolError, Role};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

impl Opcode {
    const fn parse(nibble: u8) -> Result<Self, ProtocolError> {
        Ok(match nibble {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return Err(ProtocolError::ReservedOpcode(nibble)),
        })
    }

    /// That of a message, text or not.
    #[inline]
    pub(crate) const fn of_message(text: bool) -> Self {
        if text { Self::Text } else { Self::Binary }
    }

    #[inline]
    pub(crate) const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) opcode: Opcode,
    pub(crate) fin: bool,
    pub(crate) length: u64,
    /// The mask key of a client's frame.
    pub(crate) key: Option<[u8; 4]>,
}

impl Header {
    /// The largest: two bytes, eight of length, four of key.
    pub(crate) const MAX: usize = 14;

    /// Reads a header from the front of `bytes`, which came from `sender`; `None` if it is not
    /// whole yet. Its length in bytes comes with it.
    ///
    /// What is wrong is found as soon as the byte that shows it is there.
    #[inline]
    pub(crate) fn parse(
        bytes: &[u8],
        sender: Role,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        let &[first, ref rest @ ..] = bytes else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(ProtocolError::ReservedBits);
        }
        let fin = first & 0x80 != 0;
        let opcode = Opcode::parse(first & 0x0F)?;
        if opcode.is_control() && !fin {
            return Err(ProtocolError::FragmentedControl);
        }
        let &[second, ref rest @ ..] = rest else { return Ok(None) };
        let masked = second & 0x80 != 0;
        match (masked, sender) {
            (false, Role::Client) => return Err(ProtocolError::Unmasked),
            (true, Role::Server) => return Err(ProtocolError::Masked),
            _ => {}
        }
        let short = second & 0x7F;
        if opcode.is_control() && short > 125 {
            return Err(ProtocolError::OversizeControl);
        }
        let (length, rest, mut used) = match short {
            126 => {
                let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
                let length = u64::from(u16::from_be_bytes(*length));
                if length < 126 {
                    return Err(ProtocolError::Length);
                }
                (length, rest, 4)
            }
            127 => {
                let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
                let length = u64::from_be_bytes(*length);
                if length <= 0xFFFF || length >> 63 != 0 {
                    return Err(ProtocolError::Length);
                }
                (length, rest, 10)
            }
            short => (u64::from(short), rest, 2),
        };
        let key = if masked {
            let Some(key) = rest.first_chunk() else { return Ok(None) };
            used += 4;
            Some(*key)
        } else {
            None
        };
        Ok(Some((Self { opcode, fin, length, key }, used)))
    }

    /// The header's bytes, and how many of them count.
    pub(crate) fn to_bytes(self) -> ([u8; Self::MAX], usize) {
        let mut bytes = [0; Self::MAX];
        if let Ok(length) = u16::try_from(self.length) {
            let (short, used) = match self.key {
                Some(key) => short_masked(self.opcode, self.fin, length, key),
                None => short(self.opcode, self.fin, length),
            };
            bytes[..8].copy_from_slice(&short.to_le_bytes());
            return (bytes, used);
        }
        bytes[0] = first_byte(self.opcode, self.fin);
        bytes[1] = u8::from(self.key.is_some()) << 7 | 127;
        bytes[2..10].copy_from_slice(&self.length.to_be_bytes());
        let Some(key) = self.key else { return (bytes, 10) };
        bytes[10..].copy_from_slice(&key);
        (bytes, 14)
    }
}

#[inline]
const fn first_byte(opcode: Opcode, fin: bool) -> u8 {
    (fin as u8) << 7 | opcode as u8
}

/// The header of an unmasked frame of less than 64 KiB, put together in a register: the bytes from
/// the lowest on, and how many of them count.
#[inline]
pub(crate) const fn short(opcode: Opcode, fin: bool, length: u16) -> (u64, usize) {
    let first = first_byte(opcode, fin) as u64;
    if length < 126 {
        (first | (length as u64) << 8, 2)
    } else {
        (first | 126 << 8 | (length.swap_bytes() as u64) << 16, 4)
    }
}

/// The same of a masked frame.
#[inline]
pub(crate) const fn short_masked(
    opcode: Opcode,
    fin: bool,
    length: u16,
    key: [u8; 4],
) -> (u64, usize) {
    let (header, used) = short(opcode, fin, length);
    let key = u32::from_le_bytes(key) as u64;
    (header | 1 << 15 | key << (8 * used), used + 4)
}

/// A whole data frame in the shape that nearly all have: alone a message, of less than 64 KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain {
    /// Its first eight bytes, the header among them.
    head: u64,
    /// Where its payload begins.
    pub(crate) start: usize,
    pub(crate) length: usize,
}

impl Plain {
    /// Finds such a frame in front of `bytes`, which are masked as `masked` tells. `None` is no
    /// verdict: [`Header::parse`] has it.
    #[inline]
    pub(crate) fn parse(bytes: &[u8], masked: bool) -> Option<Self> {
        let head = u64::from_le_bytes(*bytes.first_chunk()?);
        let [first, second, third, fourth, ..] = head.to_le_bytes();
        // FIN, no reserved bit, opcode 1 or 2.
        if !matches!(first, 0x81 | 0x82) {
            return None;
        }
        // The mask bit as it must be; if it is not, this is no length.
        let (length, header) = match second ^ u8::from(masked) << 7 {
            length @ ..126 => (u16::from(length), 2),
            126 => (u16::from_be_bytes([third, fourth]), 4),
            _ => return None,
        };
        if header == 4 && length < 126 {
            return None;
        }
        let start = header + 4 * usize::from(masked);
        let length = usize::from(length);
        (bytes.len() >= start + length).then_some(Self { head, start, length })
    }

    #[inline]
    pub(crate) fn is_text(&self) -> bool {
        self.head & 0xFF == 0x81
    }

    /// The mask key, if it is masked.
    #[inline]
    pub(crate) fn key(&self) -> [u8; 4] {
        // It ends where the payload starts. From the lowest byte on: the compiler sees one word.
        let [a, b, c, d, ..] = (self.head >> (8 * self.start.saturating_sub(4))).to_le_bytes();
        [a, b, c, d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, ProtocolError> {
        Header::parse(bytes, Role::Server)
    }

    #[test]
    fn a_header_reads_back_as_it_was_written_from_any_prefix() {
        for length in [0, 1, 125, 126, 127, 0xFFFF, 0x1_0000, u64::MAX >> 1] {
            for key in [None, Some([1, 2, 3, 4])] {
                let sender = if key.is_some() { Role::Client } else { Role::Server };
                for opcode in [Opcode::Continuation, Opcode::Text, Opcode::Binary] {
                    let header = Header { opcode, fin: length % 2 == 0, length, key };
                    let (bytes, used) = header.to_bytes();
                    let bytes = &bytes[..used];
                    for end in 0..bytes.len() {
                        assert_eq!(Header::parse(&bytes[..end], sender), Ok(None));
                    }
                    assert_eq!(Header::parse(bytes, sender), Ok(Some((header, used))));
                }
            }
        }
    }

    #[test]
    fn the_first_byte_alone_shows_what_is_wrong_with_it() {
        for bits in [0x10, 0x20, 0x40] {
            assert_eq!(parse(&[0x81 | bits]), Err(ProtocolError::ReservedBits));
        }
        for opcode in [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF] {
            assert_eq!(parse(&[0x80 | opcode]), Err(ProtocolError::ReservedOpcode(opcode)));
        }
        for opcode in [0x8, 0x9, 0xA] {
            assert_eq!(parse(&[opcode]), Err(ProtocolError::FragmentedControl));
        }
    }

    #[test]
    fn a_control_frame_of_more_than_125_bytes_is_refused_on_its_second_byte() {
        for opcode in [0x88, 0x89, 0x8A] {
            assert_eq!(parse(&[opcode, 126]), Err(ProtocolError::OversizeControl));
            assert_eq!(parse(&[opcode, 127]), Err(ProtocolError::OversizeControl));
        }
    }

    #[test]
    fn the_direction_decides_whether_a_frame_is_masked() {
        assert_eq!(Header::parse(&[0x82, 0x00], Role::Client), Err(ProtocolError::Unmasked));
        assert_eq!(Header::parse(&[0x82, 0x80], Role::Server), Err(ProtocolError::Masked));
    }

    #[test]
    fn a_length_that_could_be_shorter_is_refused() {
        assert_eq!(parse(&[0x82, 126, 0, 125]), Err(ProtocolError::Length));
        assert_eq!(parse(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]), Err(ProtocolError::Length));
        assert_eq!(parse(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]), Err(ProtocolError::Length));
    }
}
