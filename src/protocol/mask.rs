//! Masking (RFC 6455 §5.3): an XOR with a four-byte key.
//!
//! Plain words of eight bytes: the compiler makes vector code of them that runs at the speed of a
//! copy, so there is nothing for intrinsics to gain (measured against AVX2 and AVX-512 forms).

use multiversion::multiversion;

/// From this length on, choosing the wide form costs less than it gains.
const WIDE: usize = 256;

/// Masks or unmasks `bytes`; `key` begins at the first of them.
#[inline]
pub(crate) fn apply(bytes: &mut [u8], key: [u8; 4]) {
    if bytes.len() >= WIDE {
        return apply_wide(bytes, key);
    }
    apply_words(bytes, key);
}

#[multiversion(targets("x86_64+avx2"))]
fn apply_wide(bytes: &mut [u8], key: [u8; 4]) {
    apply_words(bytes, key);
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "each of its callers is compiled for another processor")]
fn apply_words(bytes: &mut [u8], key: [u8; 4]) {
    let half = u64::from(u32::from_ne_bytes(key));
    let word = half << 32 | half;
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(chunk) = <&mut [u8; 8]>::try_from(chunk) {
            *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
        }
    }
    let mut chunks = chunks.into_remainder().chunks_exact_mut(4);
    for chunk in &mut chunks {
        if let Ok(chunk) = <&mut [u8; 4]>::try_from(chunk) {
            *chunk = (u32::from_ne_bytes(*chunk) ^ u32::from_ne_bytes(key)).to_ne_bytes();
        }
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// The key as it stands `by` bytes further on.
#[inline]
pub(crate) fn rotate(mut key: [u8; 4], by: usize) -> [u8; 4] {
    key.rotate_left(by & 3);
    key
}

/// Copies `from` to `to`, which is as long, and masks it in the same pass over memory.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    if from.len() >= WIDE {
        return copy_wide(to, from, key);
    }
    copy_words(to, from, key);
}

#[multiversion(targets("x86_64+avx2"))]
fn copy_wide(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    copy_words(to, from, key);
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "each of its callers is compiled for another processor")]
fn copy_words(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    let half = u64::from(u32::from_ne_bytes(key));
    let word = half << 32 | half;
    let mut to = to.chunks_exact_mut(8);
    let mut from = from.chunks_exact(8);
    for (to, from) in (&mut to).zip(&mut from) {
        if let (Ok(to), Ok(from)) = (<&mut [u8; 8]>::try_from(to), <[u8; 8]>::try_from(from)) {
            *to = (u64::from_ne_bytes(from) ^ word).to_ne_bytes();
        }
    }
    let to = to.into_remainder().iter_mut();
    for (at, (to, from)) in to.zip(from.remainder()).enumerate() {
        *to = from ^ key[at & 3];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(bytes: &[u8], key: [u8; 4]) -> Vec<u8> {
        bytes.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect()
    }

    #[test]
    fn masking_agrees_with_the_definition_at_every_length() {
        let key = [0x12, 0x34, 0x56, 0x78];
        for length in (0..70).chain([4095, 4096, 4101]) {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let mut masked = bytes.clone();
            apply(&mut masked, key);
            assert_eq!(masked, slow(&bytes, key));
            let mut copied = vec![1; length];
            copy(&mut copied, &bytes, key);
            assert_eq!(copied, masked);
        }
    }

    #[test]
    fn a_rotated_key_goes_on_where_the_last_piece_ended() {
        let key = [1, 2, 3, 4];
        for cut in 0..9 {
            let mut bytes = *b"a payload in two pieces";
            let (front, back) = bytes.split_at_mut(cut);
            apply(front, key);
            apply(back, rotate(key, cut));
            assert_eq!(bytes.to_vec(), slow(b"a payload in two pieces", key));
        }
    }
}
