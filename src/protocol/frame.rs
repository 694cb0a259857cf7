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

    /// Appends the header.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut bytes = [0; Self::MAX];
        bytes[0] = (u8::from(self.fin) << 7) | self.opcode as u8;
        let masked = u8::from(self.key.is_some()) << 7;
        let mut used = match self.length {
            length @ 0..=125 => {
                bytes[1] = masked | length as u8;
                2
            }
            length @ 126..=0xFFFF => {
                bytes[1] = masked | 126;
                bytes[2..4].copy_from_slice(&(length as u16).to_be_bytes());
                4
            }
            length => {
                bytes[1] = masked | 127;
                bytes[2..10].copy_from_slice(&length.to_be_bytes());
                10
            }
        };
        if let Some(key) = self.key {
            bytes[used..used + 4].copy_from_slice(&key);
            used += 4;
        }
        out.extend_from_slice(&bytes[..used]);
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
                    let mut bytes = Vec::new();
                    header.write(&mut bytes);
                    for end in 0..bytes.len() {
                        assert_eq!(Header::parse(&bytes[..end], sender), Ok(None));
                    }
                    assert_eq!(Header::parse(&bytes, sender), Ok(Some((header, bytes.len()))));
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
