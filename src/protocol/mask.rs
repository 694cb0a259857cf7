//! Masking (RFC 6455 §5.3): an XOR with a four-byte key.
//!
//! Plain words of eight bytes: the compiler makes vector code of them that runs at the speed of a
//! copy, so there is nothing for intrinsics to gain (measured against AVX2 and AVX-512 forms).

/// Bytes that are masked while they are still in the first-level cache.
const BLOCK: usize = 4096;

/// Masks or unmasks `bytes`; `key` begins at the first of them.
#[inline]
pub(crate) fn apply(bytes: &mut [u8], key: [u8; 4]) {
    let half = u64::from(u32::from_ne_bytes(key));
    let word = half << 32 | half;
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(chunk) = <&mut [u8; 8]>::try_from(chunk) {
            *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
        }
    }
    for (at, byte) in chunks.into_remainder().iter_mut().enumerate() {
        *byte ^= key[at & 3];
    }
}

/// The key as it stands `by` bytes further on.
#[inline]
pub(crate) fn rotate(mut key: [u8; 4], by: usize) -> [u8; 4] {
    key.rotate_left(by & 3);
    key
}

/// Appends `payload`, masked, in one pass over memory.
#[inline]
pub(crate) fn extend(out: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    // A block's length is a multiple of four, so every block begins with the key's first byte.
    for block in payload.chunks(BLOCK) {
        let start = out.len();
        out.extend_from_slice(block);
        apply(&mut out[start..], key);
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
        for length in (0..70).chain([BLOCK - 1, BLOCK, BLOCK + 5]) {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 7 % 251) as u8).collect();
            let mut masked = bytes.clone();
            apply(&mut masked, key);
            assert_eq!(masked, slow(&bytes, key));
            let mut out = vec![1, 2, 3];
            extend(&mut out, &bytes, key);
            assert_eq!(out[3..], masked);
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
