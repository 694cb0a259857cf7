//! The channel of a browser, in a worker: all that `browser.rs` tests in a page.
//!
//! Beside `page_server`, whose address is in `WS_CHANNEL_PAGE` at compile time; `scripts/page.sh`
//! starts it.
#![cfg(target_family = "wasm")]

#[path = "browser/mod.rs"]
mod cases;
mod conformance;
#[path = "conformance/pipe.rs"]
mod pipe;
#[path = "conformance/server.rs"]
mod server;
mod wire;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
