//! What users write, compiled in edition 2024.
#![cfg(not(target_family = "wasm"))]

mod forms;
