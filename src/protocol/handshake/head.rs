//! The head of an HTTP message: where it ends, and what its fields say.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::protocol::header::is_token;

/// The largest head that is read, in bytes.
pub(crate) const HEAD_LIMIT: usize = 64 << 10;

/// The most fields that a head may have.
pub(crate) const FIELD_LIMIT: usize = 128;

/// Looks for the end of a head that arrives in pieces of any size.
///
/// No byte is looked at twice, but for the two that may belong to an end that is not yet whole.
#[derive(Debug, Default)]
pub(crate) struct HeadEnd {
    scanned: usize,
}

impl HeadEnd {
    /// Lets the head begin behind the first `n` bytes.
    pub(crate) fn skip(&mut self, n: usize) {
        self.scanned = self.scanned.max(n);
    }

    /// The length of the head, once its empty line is in `input`, which begins with the head and
    /// only grows from call to call.
    pub(crate) fn find(&mut self, input: &[u8]) -> Option<usize> {
        while let Some(rest) = input.get(self.scanned..) {
            let Some(line) = rest.iter().position(|&byte| byte == b'\n') else {
                self.scanned = input.len();
                return None;
            };
            let next = self.scanned + line + 1;
            match rest.get(line + 1..).unwrap_or_default() {
                [b'\n', ..] => return Some(next + 1),
                [b'\r', b'\n', ..] => return Some(next + 2),
                // It may still become the end.
                [] | [b'\r'] => {
                    self.scanned = next - 1;
                    return None;
                }
                _ => self.scanned = next,
            }
        }
        None
    }
}

/// The fields of a head in one compact block: `name:value\n` each, checked by the parser.
#[derive(Clone, Default)]
pub(crate) struct Fields(Box<[u8]>);

impl Fields {
    pub(crate) fn new(parsed: &[httparse::Header<'_>]) -> Self {
        Self::pack(|| parsed.iter().map(|field| (field.name, field.value)))
    }

    /// Fields whose names have no colon, and that have no line break.
    pub(super) fn pack<'a, I>(fields: impl Fn() -> I) -> Self
    where
        I: Iterator<Item = (&'a str, &'a [u8])>,
    {
        let length = fields().map(|(name, value)| name.len() + value.len() + 2).sum();
        let mut block = Vec::with_capacity(length);
        for (name, value) in fields() {
            block.extend_from_slice(name.as_bytes());
            block.push(b':');
            block.extend_from_slice(value);
            block.push(b'\n');
        }
        Self(block.into_boxed_slice())
    }

    /// Names and values in their order. No line break is in either, and no colon in a
    /// name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.split(|&byte| byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((line.get(..colon)?, line.get(colon + 1..)?))
        })
    }

    /// The values of all fields of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
        fields.map(|(_, value)| value)
    }

    /// The value of the first field of this name.
    pub(crate) fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The one value of this name.
    pub(crate) fn only<'a>(&'a self, name: &'a str) -> Result<&'a [u8], Count> {
        let mut values = self.all(name);
        let value = values.next().ok_or(Count::None)?;
        if values.next().is_some() { Err(Count::Several) } else { Ok(value) }
    }

    /// The elements of a comma-separated list that may be spread over several fields
    /// (RFC 9110 §5.6.1): without blanks around them, and without empty ones.
    pub(crate) fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let values = self.all(name).flat_map(|value| value.split(|&byte| byte == b','));
        values.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
    }

    /// Whether a list has this token, in any letter case.
    pub(crate) fn list_has(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// The elements of a list of tokens; `None` if one is something else.
    pub(crate) fn tokens<'a>(&'a self, name: &'a str) -> Option<Vec<&'a str>> {
        let token =
            |element| is_token(element).then(|| std::str::from_utf8(element).ok()).flatten();
        self.list(name).map(token).collect()
    }

    pub(crate) fn to_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in self.iter() {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
            {
                // FIELD_LIMIT is far below what a map can hold.
                let _ = map.try_append(name, value);
            }
        }
        map
    }
}

/// Why a field does not stand exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    None,
    Several,
}

/// The names alone: values may be secret.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.iter().map(|(name, _)| String::from_utf8_lossy(name));
        f.debug_list().entries(names).finish()
    }
}

/// What a peer wrote, short enough for the text of an error.
pub(crate) fn excerpt(value: &[u8]) -> Box<str> {
    const LIMIT: usize = 200;
    let (shown, more) = match value.get(..LIMIT) {
        Some(start) => (start, "…"),
        None => (value, ""),
    };
    let shown = String::from_utf8_lossy(shown).replace(char::is_control, "\u{fffd}");
    format!("{shown}{more}").into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&'static str, &'static str)]) -> Fields {
        let parsed: Vec<_> = lines
            .iter()
            .map(|(name, value)| httparse::Header { name, value: value.as_bytes() })
            .collect();
        Fields::new(&parsed)
    }

    #[test]
    fn the_end_is_found_in_any_segmentation() {
        for head in ["GET / HTTP/1.1\r\na: b\r\n\r\n", "GET /\na: b\n\n", "x\r\n\n", "\n\n"] {
            let input = [head, "frame\n\n"].concat();
            assert_eq!(HeadEnd::default().find(input.as_bytes()), Some(head.len()));
            let mut end = HeadEnd::default();
            for length in 0..head.len() {
                assert_eq!(end.find(&head.as_bytes()[..length]), None, "{head:?} {length}");
            }
            assert_eq!(end.find(head.as_bytes()), Some(head.len()));
        }
    }

    #[test]
    fn no_byte_is_scanned_again_but_the_last_line_break() {
        let input = "abc\r\ndef\nghi\r\n\rjkl".repeat(100);
        let mut end = HeadEnd::default();
        for length in 0..input.len() {
            let before = end.scanned;
            assert_eq!(end.find(&input.as_bytes()[..length]), None);
            assert!(end.scanned >= before && end.scanned + 2 >= length);
        }
    }

    #[test]
    fn lists_join_fields_and_ignore_case_and_blanks() {
        let fields = fields(&[("Connection", "keep-alive ,,\t Foo"), ("CONNECTION", "uPGRADE")]);
        assert!(fields.list_has("connection", "Upgrade"));
        assert_eq!(fields.tokens("connection").unwrap(), ["keep-alive", "Foo", "uPGRADE"]);
        assert_eq!(fields.only("connection"), Err(Count::Several));
        assert_eq!(fields.only("upgrade"), Err(Count::None));
        assert_eq!(fields.to_map().get_all("connection").iter().count(), 2);
    }

    #[test]
    fn a_value_is_shortened_for_errors_and_has_no_control_characters() {
        assert_eq!(&*excerpt("a\u{9b}\u{1b}".as_bytes()), "a\u{fffd}\u{fffd}");
        assert_eq!(excerpt(&[b'a'; 300]).chars().count(), 201);
        assert_eq!(&*excerpt(b"short"), "short");
    }
}
