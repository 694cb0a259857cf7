//! Text whose bytes are known to be UTF-8: [`Utf8Bytes`], and the buffer in which it arrives.
//!
//! This is the one module with `unsafe`: each type keeps a promise about bytes that were
//! validated when they came, so that `&str` costs nothing later. The proofs stand beside the two
//! calls.

#![allow(unsafe_code, reason = "from_utf8_unchecked on bytes that were validated, proofs below")]

mod buffer;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use bytes::Bytes;

use crate::protocol::Message;

pub(crate) use buffer::ReceiveBuffer;

/// Below this length, in bytes, text is looked at for ASCII first.
const SHORT: usize = 256;

/// Text that is cheap to clone and to cut out of a receive buffer: [`Bytes`] known to be UTF-8.
///
/// Dereferences to `str`.
///
/// ```
/// use ws_channel::Utf8Bytes;
///
/// let text = Utf8Bytes::from("hello");
/// assert_eq!(text.len(), 5);
/// assert_eq!(text.clone(), "hello");
/// assert!(Utf8Bytes::try_from(bytes::Bytes::from_static(b"\xff")).is_err());
///
/// let by_name = std::collections::HashMap::from([(text, 1)]);
/// assert_eq!(by_name.get("hello"), Some(&1));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utf8Bytes(Bytes);

impl Utf8Bytes {
    /// Text that is part of the program; does not allocate.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // SAFETY: every constructor takes a `str` or validates, and `Bytes` never changes. `take_text`
        // of `ReceiveBuffer` hands over only bytes it has validated.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// The bytes of the text, without a copy.
    #[inline]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for Utf8Bytes {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for Utf8Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<str> for Utf8Bytes {
    fn borrow(&self) -> &str {
        self
    }
}

/// As `str` hashes, since it can be borrowed as one.
impl Hash for Utf8Bytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

impl From<&String> for Utf8Bytes {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Utf8Bytes> for Bytes {
    fn from(text: Utf8Bytes) -> Self {
        text.0
    }
}

impl From<Utf8Bytes> for String {
    fn from(text: Utf8Bytes) -> Self {
        text.as_str().to_owned()
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = NotUtf8;

    #[inline]
    fn try_from(bytes: Bytes) -> Result<Self, NotUtf8> {
        validate(&bytes)?;
        Ok(Self(bytes))
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Utf8Bytes {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Utf8Bytes> for str {
    fn eq(&self, other: &Utf8Bytes) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Utf8Bytes> for &str {
    fn eq(&self, other: &Utf8Bytes) -> bool {
        *self == other.as_str()
    }
}

/// Bytes are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not UTF-8")]
#[non_exhaustive]
pub struct NotUtf8;

/// Whether bytes are UTF-8.
///
/// Most short texts are ASCII, and a call of the vector code costs more than to look for that.
#[inline]
fn validate(bytes: &[u8]) -> Result<(), NotUtf8> {
    if bytes.len() < SHORT && bytes.is_ascii() {
        return Ok(());
    }
    simdutf8::basic::from_utf8(bytes).map(|_| ()).map_err(|_| NotUtf8)
}

/// A message of `payload`, which is checked if it is text.
///
/// One check and then one way for both kinds: the payload is not moved for either.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the message is built where it is wanted")]
pub(crate) fn message(payload: Bytes, text: bool) -> Result<Message, NotUtf8> {
    if text {
        validate(&payload)?;
    }
    Ok(if text { Message::Text(Utf8Bytes(payload)) } else { Message::Binary(payload) })
}
