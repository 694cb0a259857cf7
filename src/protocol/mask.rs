//! Masking (RFC 6455 §5.3): an XOR with a four-byte key.
//!
//! Plain words of eight bytes in blocks: the compiler makes vector code of them that runs at the
//! speed of a copy, so there is nothing for intrinsics to gain (measured against AVX2 and AVX-512
//! forms). What is left behind the last whole block is masked as the last sixteen bytes at once,
//! some of them for a second time from the same source: no loop over bytes.

use multiversion::multiversion;

/// From this length on, choosing the wide form costs less than it gains.
const WIDE: usize = 256;

/// Masks or unmasks `bytes`; `key` begins at the first of them.
#[inline]
pub(crate) fn apply(bytes: &mut [u8], key: [u8; 4]) {
    if bytes.len() >= WIDE {
        return apply_wide(bytes, key);
    }
    apply_blocks::<32>(bytes, key);
}

#[multiversion(targets("x86_64+avx2"))]
fn apply_wide(bytes: &mut [u8], key: [u8; 4]) {
    apply_blocks::<128>(bytes, key);
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "each of its callers is compiled for another processor")]
fn apply_blocks<const N: usize>(bytes: &mut [u8], key: [u8; 4]) {
    let word = word(key);
    // Read now: the blocks reach into it.
    let Some(&last) = bytes.last_chunk::<16>() else { return apply_few(bytes, word) };
    let last = mask(last, at(word, bytes.len()));
    let mut blocks = bytes.chunks_exact_mut(N);
    for block in &mut blocks {
        if let Ok(block) = <&mut [u8; N]>::try_from(block) {
            *block = mask(*block, word);
        }
    }
    for block in blocks.into_remainder().chunks_exact_mut(16) {
        if let Ok(block) = <&mut [u8; 16]>::try_from(block) {
            *block = mask(*block, word);
        }
    }
    if let Some(end) = bytes.last_chunk_mut() {
        *end = last;
    }
}

/// Fewer than sixteen bytes.
#[inline]
fn apply_few(bytes: &mut [u8], word: u64) {
    if let Some(&last) = bytes.last_chunk::<8>() {
        let last = mask(last, at(word, bytes.len()));
        if let Some(first) = bytes.first_chunk_mut::<8>() {
            *first = mask(*first, word);
        }
        if let Some(end) = bytes.last_chunk_mut() {
            *end = last;
        }
        return;
    }
    for (byte, key) in bytes.iter_mut().zip(word.to_le_bytes()) {
        *byte ^= key;
    }
}

/// The key twice.
#[inline]
fn word(key: [u8; 4]) -> u64 {
    let half = u64::from(u32::from_le_bytes(key));
    half << 32 | half
}

/// The key twice as it stands `by` bytes further on, or as many less a multiple of four.
#[inline]
fn at(word: u64, by: usize) -> u64 {
    word.rotate_right(bits(by))
}

/// By how many bits a key is turned that begins `by` bytes further on.
#[inline]
fn bits(by: usize) -> u32 {
    u32::try_from(8 * (by & 3)).unwrap_or_default()
}

/// `bytes`, a multiple of eight of them, masked.
#[inline(always)]
#[allow(clippy::inline_always, reason = "each of its callers is compiled for another processor")]
fn mask<const N: usize>(mut bytes: [u8; N], word: u64) -> [u8; N] {
    for bytes in bytes.chunks_exact_mut(8) {
        if let Ok(bytes) = <&mut [u8; 8]>::try_from(bytes) {
            *bytes = (u64::from_le_bytes(*bytes) ^ word).to_le_bytes();
        }
    }
    bytes
}

/// The key as it stands `by` bytes further on.
#[inline]
pub(crate) fn rotate(key: [u8; 4], by: usize) -> [u8; 4] {
    u32::from_le_bytes(key).rotate_right(bits(by)).to_le_bytes()
}

/// Copies `from` to `to`, which is as long, and masks it in the same pass over memory.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    if from.len() >= WIDE {
        return copy_wide(to, from, key);
    }
    copy_blocks::<32>(to, from, key);
}

#[multiversion(targets("x86_64+avx2"))]
fn copy_wide(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    copy_blocks::<128>(to, from, key);
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "each of its callers is compiled for another processor")]
fn copy_blocks<const N: usize>(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    let word = word(key);
    let Some(&last) = from.last_chunk::<16>() else {
        to.copy_from_slice(from);
        return apply_few(to, word);
    };
    let blocks = from.len() - from.len() % N;
    let (to_blocks, to_rest) = to.split_at_mut(blocks);
    let (from_blocks, from_rest) = from.split_at(blocks);
    for (to, from) in to_blocks.chunks_exact_mut(N).zip(from_blocks.chunks_exact(N)) {
        if let (Ok(to), Ok(from)) = (<&mut [u8; N]>::try_from(to), <[u8; N]>::try_from(from)) {
            *to = mask(from, word);
        }
    }
    for (to, from) in to_rest.chunks_exact_mut(16).zip(from_rest.chunks_exact(16)) {
        if let (Ok(to), Ok(from)) = (<&mut [u8; 16]>::try_from(to), <[u8; 16]>::try_from(from)) {
            *to = mask(from, word);
        }
    }
    if let Some(end) = to.last_chunk_mut() {
        *end = mask(last, at(word, from.len()));
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
        for length in (0..600).chain([4095, 4096, 4101]) {
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
