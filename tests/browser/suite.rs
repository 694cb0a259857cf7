//! The conformance suite, for each way to a channel: over the page's `WebSocket`, over its
//! `WebSocketStream`, through the handle that is `Send`, deferred; and for the adapter over a pipe.
//!
//! The servers are a process beside the browser; a connection of their own tells where, and what
//! they report.

use std::future::Future;
use std::mem;
use std::task::Poll;

use futures::StreamExt;
use futures::future::poll_fn;
use futures::lock::Mutex;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use ws_channel::{
    BrowserChannel, Connect, Connecting, DeferredChannel, ReadyState, Request, SendChannel,
    WebSocketChannel,
};

use super::{open, received};
use crate::conformance::{self, Attempt, Failed, Implementation, conformance};
use crate::pipe::{OverPipe, Runtime};

/// What no page can do, whatever the way.
const LIMITS: &[(&str, &str)] = &[
    ("an_error_carries_the_status_of_the_answer", "a browser shows no page the answer"),
    ("a_header_is_sent", "a browser sends no header of a page"),
    ("a_reason_that_is_not_utf8_breaks_the_connection", "Chromium tells the peer 1002, not 1007"),
];

/// What ends the page.
const DANGERS: &[(&str, &str)] = &[(
    "data_that_are_no_frames_break_the_connection_under_a_write",
    "now and then Chromium 156 crashes when a WebSocketStream fails during a write",
)];

/// The servers of one case.
struct Servers {
    address: String,
    reports: Mutex<BrowserChannel>,
}

impl Servers {
    async fn start() -> Self {
        let mut reports = open("/conformance").await;
        let port = received(&mut reports).await;
        let address = format!("ws://127.0.0.1:{}", port.as_text().expect("a port"));
        Self { address, reports: Mutex::new(reports) }
    }

    fn prepare(&self, attempt: &Attempt) -> Connect {
        let url =
            attempt.url.map_or(self.address.clone() + &attempt.behaviour.path(), str::to_owned);
        let connect = match attempt.header {
            None => Connect::new(url),
            Some((name, value)) => ws_channel::connect(Request::new(url).header(name, value)),
        };
        let connect = connect.protocols(attempt.protocols.iter().copied());
        match attempt.timeout {
            None => connect,
            Some(timeout) => connect.timeout(timeout),
        }
    }

    async fn open(&self, connect: Connect) -> Result<BrowserChannel, Failed> {
        connect.await.map_err(|error| Failed::with(&error))
    }

    async fn report(&self) -> String {
        let report = self.reports.lock().await.next().await.expect("the server lives");
        report.expect("a report comes").as_text().expect("a report is a text").to_owned()
    }
}

#[wasm_bindgen(inline_js = "
    export function throws(call) {
        try {
            call();
            return false;
        } catch {
            return true;
        }
    }
")]
extern "C" {
    fn throws(call: &mut dyn FnMut()) -> bool;
}

/// Whether a case fails. A panic ends the call into the program in which it happens.
async fn fails(case: impl Future<Output = ()>) -> bool {
    let mut case = Box::pin(case);
    let has_failed = poll_fn(|cx| {
        let mut polled = Poll::Pending;
        if throws(&mut || polled = case.as_mut().poll(cx)) {
            return Poll::Ready(true);
        }
        polled.map(|()| false)
    })
    .await;
    if has_failed {
        // Nobody knows in which state.
        mem::forget(case);
    }
    has_failed
}

macro_rules! over_servers {
    ($(
        $(#[$doc:meta])*
        $name:ident, $channel:ty, $dangers:expr, |$run:ident, $attempt:ident| $connect:expr;
    )+) => {
        $(
            $(#[$doc])*
            struct $name(Servers);

            impl Implementation for $name {
                type Channel = $channel;

                const LIMITS: &'static [(&'static str, &'static str)] = LIMITS;
                const DANGERS: &'static [(&'static str, &'static str)] = $dangers;

                async fn start() -> Self {
                    Self(Servers::start().await)
                }

                async fn connect(&self, $attempt: Attempt) -> Result<$channel, Failed> {
                    let $run = &self.0;
                    $connect
                }

                async fn report(&self) -> String {
                    self.0.report().await
                }

                fn fails(case: impl Future<Output = ()>) -> impl Future<Output = bool> {
                    fails(case)
                }
            }
        )+
    };
}

over_servers! {
    /// Over the page's `WebSocket`.
    OverSocket, BrowserChannel, &[], |servers, attempt| {
        servers.open(servers.prepare(&attempt)).await
    };

    /// Over the page's `WebSocketStream`.
    OverStream, BrowserChannel, DANGERS, |servers, attempt| {
        servers.open(servers.prepare(&attempt).web_socket_stream()).await
    };

    /// Through the handle that is `Send`.
    Handle, SendChannel, &[], |servers, attempt| {
        let (handle, driver) = servers.open(servers.prepare(&attempt)).await?.into_send();
        spawn_local(driver);
        Ok(handle)
    };

    /// A channel that is there before its connection is; to be judged once that is.
    Deferred, DeferredChannel<Connecting>, &[], |servers, attempt| {
        let mut channel = servers.prepare(&attempt).deferred();
        assert_eq!(channel.ready_state(), ReadyState::Connecting);
        match channel.ready().await {
            Ok(()) => Ok(channel),
            Err(error) => Err(Failed::with(&error)),
        }
    };
}

/// The tasks of a page or a worker.
struct Local;

impl Runtime for Local {
    fn spawn(server: impl Future<Output = ()> + Send + 'static) {
        spawn_local(server);
    }

    fn fails(case: impl Future<Output = ()>) -> impl Future<Output = bool> {
        fails(case)
    }
}

type Adapter = OverPipe<Local>;

mod web_socket {
    use super::{OverSocket, conformance};

    conformance! { #[wasm_bindgen_test::wasm_bindgen_test] OverSocket }
}

mod web_socket_stream {
    use super::{OverStream, conformance};

    conformance! { #[wasm_bindgen_test::wasm_bindgen_test] OverStream }
}

mod handle {
    use super::{Handle, conformance};

    conformance! { #[wasm_bindgen_test::wasm_bindgen_test] Handle }
}

mod deferred {
    use super::{Deferred, conformance};

    conformance! { #[wasm_bindgen_test::wasm_bindgen_test] Deferred }
}

mod adapter {
    use super::{Adapter, conformance};

    conformance! { #[wasm_bindgen_test::wasm_bindgen_test] Adapter }
}
