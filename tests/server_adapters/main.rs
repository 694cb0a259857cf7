//! What the adapters of crossws and the WebSockets of spry are tested for, on each way in.
//!
//! The tables at the end of the two modules have each of their tests, by its name there, and the
//! rule that translates it.
#![cfg(all(feature = "server", not(target_family = "wasm")))]

#[macro_use]
#[path = "../mounted/mod.rs"]
mod mounted;

mod crossws;
mod spry;

const UPGRADE: &str = "Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
