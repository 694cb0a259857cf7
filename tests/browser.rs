//! The channel of a browser, in a page: the conformance suite, and what it does beside.
//!
//! Beside `page_server`, whose address is in `WS_CHANNEL_PAGE` at compile time; `scripts/page.sh`
//! starts it. The cases of Dart's `html_test` are in `browser/wrapped.rs`.
#![cfg(target_family = "wasm")]

#[path = "browser/mod.rs"]
mod cases;
mod conformance;
#[path = "conformance/pipe.rs"]
mod pipe;
#[path = "conformance/server.rs"]
mod server;
mod wire;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
