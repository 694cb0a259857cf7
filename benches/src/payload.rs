//! What the messages hold.

use crate::contender::Kind;

/// What a message is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Pseudo-random bytes.
    Binary,
    /// Letters and spaces of ASCII.
    Ascii,
    /// Text of many scripts, one to four bytes a character.
    Mixed,
}

/// Sentences in Latin, Greek, Cyrillic, Arabic, Devanagari, Chinese and Japanese script, with
/// accents and emoji.
const MIXED: &str =
    "Où est le café? Καλημέρα κόσμε, Доброе утро! صباح الخير، सुप्रभात 世界你好，おはよう 🌍🚀 ";

impl Content {
    pub fn kind(self) -> Kind {
        match self {
            Self::Binary => Kind::Binary,
            Self::Ascii | Self::Mixed => Kind::Text,
        }
    }

    /// The name in a column's head.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary => "bin",
            Self::Ascii => "text",
            Self::Mixed => "intl",
        }
    }

    /// Exactly `size` bytes of it.
    pub fn make(self, size: usize) -> Vec<u8> {
        match self {
            Self::Binary => {
                let mut state = 0x9e37_79b9_7f4a_7c15_u64;
                let mut next = || {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 32) as u8
                };
                (0..size).map(|_| next()).collect()
            }
            Self::Ascii => b"The quick brown fox jumps over the lazy dog. "
                .iter()
                .copied()
                .cycle()
                .take(size)
                .collect(),
            Self::Mixed => {
                let mut text = String::with_capacity(size);
                for c in MIXED.chars().cycle() {
                    if text.len() + c.len_utf8() > size {
                        break;
                    }
                    text.push(c);
                }
                let mut bytes = text.into_bytes();
                bytes.resize(size, b'.');
                bytes
            }
        }
    }
}
