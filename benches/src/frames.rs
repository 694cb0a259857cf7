//! Frames made by hand, for the workloads in which only one end is a contender's.

use crate::contender::{Kind, Role};

/// Appends one RFC 6455 frame that holds the whole message, masked with `key` if a client sends it.
pub fn encode(role: Role, kind: Kind, payload: &[u8], key: [u8; 4], out: &mut Vec<u8>) {
    let masked = role == Role::Client;
    let mask_bit = if masked { 0x80 } else { 0 };
    out.push(match kind {
        Kind::Text => 0x81,
        Kind::Binary => 0x82,
    });
    match payload.len() {
        n @ 0..=125 => out.push(mask_bit | n as u8),
        n @ 126..=0xffff => {
            out.push(mask_bit | 126);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            out.push(mask_bit | 127);
            out.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    if masked {
        out.extend_from_slice(&key);
        out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        out.extend_from_slice(payload);
    }
}
