//! The conformance suite, for the platform's channel over TCP.
#![cfg(not(target_family = "wasm"))]

mod conformance;
#[path = "conformance/server.rs"]
mod server;
mod wire;

use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use ws_channel::{Error, PlatformChannel, WebSocketChannel};

use conformance::{Attempt, Failed, Implementation, conformance};

struct Platform {
    port: u16,
    reports: Mutex<UnboundedReceiver<String>>,
}

impl Implementation for Platform {
    type Channel = PlatformChannel;

    async fn start() -> Self {
        let (reporter, reports) = unbounded_channel();
        Self { port: server::listen(reporter).await, reports: Mutex::new(reports) }
    }

    async fn connect(&self, attempt: Attempt) -> Result<PlatformChannel, Failed> {
        let own = format!("ws://127.0.0.1:{}{}", self.port, attempt.behaviour.path());
        let url = attempt.url.map_or(own, str::to_owned);
        let mut connect =
            PlatformChannel::connect(url).protocols(attempt.protocols.iter().copied());
        if let Some((name, value)) = attempt.header {
            connect = connect.header(name, value);
        }
        if let Some(timeout) = attempt.timeout {
            connect = connect.timeout(timeout);
        }
        connect.await.map_err(|error| match &error {
            Error::Connect(connect) => Failed {
                status: connect.status().map(|status| status.as_u16()),
                is_timeout: error.is_timeout(),
            },
            other => panic!("an attempt fails with Error::Connect, not {other:?}"),
        })
    }

    async fn report(&self) -> String {
        self.reports.lock().await.recv().await.expect("the server lives")
    }
}

conformance! { #[tokio::test] Platform }
