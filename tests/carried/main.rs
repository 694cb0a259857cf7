//! What a channel carries: a byte stream, and whole protocols inside of it; documents and lines.

#![cfg(not(target_family = "wasm"))]

#[path = "../wire/mod.rs"]
mod wire;

mod byte_view;
mod chunkings;
#[cfg(all(feature = "codec", feature = "json"))]
mod coded;
mod deferred;
mod inside;
mod multiplexer;
