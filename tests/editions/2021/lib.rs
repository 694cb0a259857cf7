//! What users write, compiled in edition 2021; `tests/forms_2024.rs` compiles the same file in edition 2024.
#![cfg(all(test, feature = "connect", not(target_family = "wasm")))]

#[path = "../../forms/mod.rs"]
mod forms;
