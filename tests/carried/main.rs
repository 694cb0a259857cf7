//! What a channel carries: a byte stream, and whole protocols inside of it.

#![cfg(not(target_family = "wasm"))]

#[path = "../wire/mod.rs"]
mod wire;

mod byte_view;
mod chunkings;
mod inside;
mod multiplexer;
