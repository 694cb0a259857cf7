//! What rooms and people may be called.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// The most characters of a room's name.
pub const ROOM_LENGTH: usize = 32;

/// The most characters of a nickname.
pub const NICK_LENGTH: usize = 24;

/// The most bytes of what a client calls its messages and itself.
pub const ID_LENGTH: usize = 64;

/// The name of a room: letters, digits, `-`, `_` and `.`, in lower case. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Room(Arc<str>);

/// A nickname: letters, digits, `-`, `_` and `.`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Nick(Arc<str>);

/// Why something is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// It has no character.
    #[error("a {what} needs at least one character")]
    Empty {
        /// What is to be named.
        what: &'static str,
    },
    /// It has too many characters.
    #[error("a {what} has at most {most} characters, not {found}")]
    TooLong {
        /// What is to be named.
        what: &'static str,
        /// How many characters it may have.
        most: usize,
        /// How many it has.
        found: usize,
    },
    /// It has a character that may not be in it.
    #[error("a {what} has letters, digits, '-', '_' and '.', not {found:?}")]
    Character {
        /// What is to be named.
        what: &'static str,
        /// The first such character.
        found: char,
    },
}

impl Room {
    /// A room's name of what somebody typed; upper case is made lower.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let name = name.trim().to_lowercase();
        check("room's name", &name, ROOM_LENGTH)?;
        Ok(Self(name.into()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Nick {
    /// A nickname of what somebody typed.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let name = name.trim();
        check("nickname", name, NICK_LENGTH)?;
        Ok(Self(name.into()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What no two in a room may have in common: "Ann" and "ann" are too easily confused.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

fn check(what: &'static str, name: &str, most: usize) -> Result<(), InvalidName> {
    let found = name.chars().count();
    if found == 0 {
        return Err(InvalidName::Empty { what });
    }
    if found > most {
        return Err(InvalidName::TooLong { what, most, found });
    }
    let stray = name.chars().find(|&c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'));
    stray.map_or(Ok(()), |found| Err(InvalidName::Character { what, found }))
}

/// Whether a client may call a message, or itself, so: what is printable in ASCII, and short.
pub fn is_id(id: &str) -> bool {
    (1..=ID_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Nick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_letters_of_any_script_and_no_spaces_or_controls() {
        for good in ["Ann", "émile", "李雷", "a.b-c_1", " trimmed "] {
            assert_eq!(Nick::new(good).unwrap().as_str(), good.trim());
        }
        for bad in ["a b", "a\u{1b}[2J", "<b>", "a\u{202e}b", "a/b", "\u{200b}"] {
            assert!(matches!(Nick::new(bad), Err(InvalidName::Character { .. })), "{bad:?}");
        }
        assert_eq!(Nick::new(" "), Err(InvalidName::Empty { what: "nickname" }));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(Nick::new(&"é".repeat(NICK_LENGTH)).is_ok());
        let what = "nickname";
        let error = InvalidName::TooLong { what, most: NICK_LENGTH, found: NICK_LENGTH + 1 };
        assert_eq!(Nick::new(&"é".repeat(NICK_LENGTH + 1)), Err(error));
    }

    #[test]
    fn rooms_and_nicknames_differ_by_more_than_case() {
        assert_eq!(Room::new("Tea").unwrap(), Room::new("tEA ").unwrap());
        assert_eq!(Nick::new("Ann").unwrap().key(), Nick::new("aNN").unwrap().key());
    }

    #[test]
    fn an_id_is_short_and_printable() {
        assert!(is_id("0f8c-1") && is_id(&"x".repeat(ID_LENGTH)));
        assert!(!is_id("") && !is_id(&"x".repeat(ID_LENGTH + 1)) && !is_id("a b") && !is_id("é"));
    }
}
