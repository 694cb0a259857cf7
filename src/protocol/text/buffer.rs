//! The buffer in which text arrives.

use bytes::{Buf, BufMut, BytesMut};

use super::{NotUtf8, Utf8Bytes, validate};

/// How many bytes are moved to give back the memory around them.
const FEW: usize = 4 << 10;

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
