//! The conformance suite, for the adapter over an in-memory pipe.

mod conformance;
#[path = "conformance/server.rs"]
mod server;
mod wire;

use tokio::io::DuplexStream;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use ws_channel::{Error, WebSocketAdapter};

use conformance::{Attempt, Failed, Implementation, conformance};

struct Adapter {
    reporter: UnboundedSender<String>,
    reports: Mutex<UnboundedReceiver<String>>,
}

impl Implementation for Adapter {
    type Channel = WebSocketAdapter<DuplexStream>;

    const LIMITS: &'static [(&'static str, &'static str)] = &[(
        "a_name_that_does_not_exist_is_an_error",
        "an io that is there needs no name to be resolved",
    )];

    async fn start() -> Self {
        let (reporter, reports) = unbounded_channel();
        Self { reporter, reports: Mutex::new(reports) }
    }

    async fn connect(&self, attempt: Attempt) -> Result<Self::Channel, Failed> {
        let (near, far) = tokio::io::duplex(1 << 10);
        let own = format!("ws://localhost{}", attempt.behaviour.path());
        // Whatever the URL is, its server is the one at the other end.
        tokio::spawn(server::serve(far, self.reporter.clone()));
        let url = attempt.url.map_or(own, |url| url.replace("invalid/", "invalid/Echoes"));
        let protocols = attempt.protocols.iter().copied();
        let mut client = WebSocketAdapter::client(near, url).protocols(protocols);
        if let Some((name, value)) = attempt.header {
            client = client.header(name, value);
        }
        if let Some(timeout) = attempt.timeout {
            client = client.timeout(timeout);
        }
        client.await.map_err(|error| match &error {
            Error::Connect(connect) => Failed {
                status: connect.status().map(|status| status.as_u16()),
                is_timeout: error.is_timeout(),
            },
            other => panic!("a handshake fails with Error::Connect, not {other:?}"),
        })
    }

    async fn report(&self) -> String {
        self.reports.lock().await.recv().await.expect("a server lives")
    }
}

conformance! { #[tokio::test(start_paused = true)] Adapter }
