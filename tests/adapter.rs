//! The conformance suite, for the adapter over an in-memory pipe; in a browser it is run by
//! `browser.rs`.
#![cfg(not(target_family = "wasm"))]

mod conformance;
#[path = "conformance/pipe.rs"]
mod pipe;
#[path = "conformance/server.rs"]
mod server;
mod wire;

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use conformance::conformance;
use pipe::{OverPipe, Runtime};

struct Tokio;

impl Runtime for Tokio {
    fn spawn(server: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(server);
    }

    async fn fails(case: impl Future<Output = ()>) -> bool {
        AssertUnwindSafe(case).catch_unwind().await.is_err()
    }
}

type Adapter = OverPipe<Tokio>;

conformance! { #[tokio::test(start_paused = true)] Adapter }
