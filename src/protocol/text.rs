//! Text whose bytes are known to be UTF-8: [`Utf8Bytes`], and the buffer in which it arrives.
//!
//! This is the one module with `unsafe`: each type keeps a promise about bytes that were
//! validated when they came, so that `&str` costs nothing later. The proofs stand beside the two
//! calls.

#![allow(unsafe_code, reason = "from_utf8_unchecked on bytes that were validated, proofs below")]

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::protocol::Message;

/// How many bytes are moved to give back the memory around them.
const FEW: usize = 4 << 10;

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

/// A receive buffer that knows how long a prefix of it is UTF-8.
///
/// What is in front of the reader is the payload of a frame or of a message: `check` extends the
/// validated prefix as bytes arrive, so a wrong byte is found at once and no byte is looked at
/// twice. Every change of the bytes in front forgets the prefix.
#[derive(Debug, Default)]
pub(crate) struct ReceiveBuffer {
    bytes: BytesMut,
    /// `bytes[..valid]` is UTF-8. Bytes below it are never written; whatever moves the front
    /// resets it.
    valid: usize,
}

impl ReceiveBuffer {
    pub(crate) fn new(bytes: BytesMut) -> Self {
        Self { bytes, valid: 0 }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes from `start` on, to be unmasked; a validated prefix that they reach into is
    /// forgotten.
    #[inline]
    pub(crate) fn tail_mut(&mut self, start: usize) -> &mut [u8] {
        if start < self.valid {
            self.valid = 0;
        }
        &mut self.bytes[start..]
    }

    /// Drops `n` bytes in front.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) {
        self.valid = 0;
        self.bytes.advance(n);
    }

    /// Cuts off the first `n` bytes.
    #[inline]
    pub(crate) fn split_to(&mut self, n: usize) -> BytesMut {
        self.valid = 0;
        self.bytes.split_to(n)
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Extends bytes that will never be more than `limit`, in memory that is hardly more.
    #[cfg(feature = "deflate")]
    pub(crate) fn extend_within(&mut self, bytes: &[u8], limit: usize) {
        let needed = self.bytes.len() + bytes.len();
        let capacity = self.bytes.capacity();
        if capacity == 0 {
            // Nearly all are whole with that.
            self.bytes.reserve(needed);
        } else if needed > capacity {
            // It grows by doubling: so that one of the doublings ends at the limit.
            let least = needed.max(2 * capacity);
            let mut target = limit;
            while target / 2 >= least {
                target = target.div_ceil(2);
            }
            self.bytes.reserve(target.max(needed) - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Room behind the bytes for a transport to write at most `limit` bytes into. Opaque, so that
    /// whoever gets it can only append.
    #[inline]
    pub(crate) fn space(&mut self, limit: usize) -> impl BufMut + '_ {
        (&mut self.bytes).limit(limit)
    }

    /// How many bytes fit behind the present ones without an allocation.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    #[inline]
    pub(crate) fn reserve(&mut self, n: usize) {
        self.bytes.reserve(n);
    }

    /// Gives the memory back that nothing is in.
    ///
    /// A few bytes are moved to memory of their own: what they stand in may be as large as the
    /// largest message before them.
    pub(crate) fn release(&mut self) {
        if self.bytes.is_empty() {
            *self = Self::default();
        } else if self.bytes.len() <= FEW {
            self.bytes = BytesMut::from(&self.bytes[..]);
        }
    }

    /// Validates `bytes[..end]` as far as it has not been yet. A character that is cut off by
    /// `end` is left for the next call, unless `complete`.
    pub(crate) fn check(&mut self, end: usize, complete: bool) -> Result<(), NotUtf8> {
        if end < self.valid {
            self.valid = 0;
        }
        let fresh = &self.bytes[self.valid..end];
        if complete {
            validate(fresh)?;
            self.valid = end;
            return Ok(());
        }
        match simdutf8::compat::from_utf8(fresh) {
            Ok(_) => self.valid = end,
            Err(error) if error.error_len().is_none() => self.valid += error.valid_up_to(),
            Err(_) => return Err(NotUtf8),
        }
        Ok(())
    }

    /// The validated prefix.
    #[inline]
    pub(crate) fn text(&self) -> &str {
        // SAFETY: `valid` is raised only by `check`, to where it found `bytes[..valid]` to be
        // UTF-8 and ending with a whole character. After that, `tail_mut` resets it before it lends
        // bytes below it, `advance` and `split_to` reset it, `space`, `extend` and `extend_within`
        // only append, and `reserve` and `release` keep the bytes.
        unsafe { std::str::from_utf8_unchecked(&self.bytes[..self.valid]) }
    }

    /// Cuts off the validated prefix of `n` bytes as text; validates first what has not been yet.
    #[inline]
    pub(crate) fn take_text(&mut self, n: usize) -> Result<Utf8Bytes, NotUtf8> {
        if self.valid != n {
            self.check(n, true)?;
        }
        Ok(Utf8Bytes(self.split_to(n).freeze()))
    }
}
