//! The conformance suite, for the platform's channel over TCP, as it is and deferred.
#![cfg(not(target_family = "wasm"))]

mod conformance;
#[path = "conformance/listener.rs"]
mod listener;
#[path = "conformance/server.rs"]
mod server;
mod wire;

use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use ws_channel::{
    Connect, Connecting, DeferredChannel, PlatformChannel, ReadyState, WebSocketChannel,
};

use conformance::{Attempt, Failed, Implementation, conformance};

struct Platform {
    port: u16,
    reports: Mutex<UnboundedReceiver<String>>,
}

impl Implementation for Platform {
    type Channel = PlatformChannel;

    async fn start() -> Self {
        let (reporter, reports) = unbounded_channel();
        Self { port: listener::listen(reporter).await, reports: Mutex::new(reports) }
    }

    async fn connect(&self, attempt: Attempt) -> Result<PlatformChannel, Failed> {
        self.prepare(&attempt).await.map_err(|error| Failed::with(&error))
    }

    async fn report(&self) -> String {
        self.reports.lock().await.recv().await.expect("the server lives")
    }
}

impl Platform {
    fn prepare(&self, attempt: &Attempt) -> Connect {
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
        connect
    }
}

/// A channel that is there before its connection is; to be judged once that is.
struct Deferred(Platform);

impl Implementation for Deferred {
    type Channel = DeferredChannel<Connecting>;

    async fn start() -> Self {
        Self(Platform::start().await)
    }

    async fn connect(&self, attempt: Attempt) -> Result<Self::Channel, Failed> {
        let mut channel = self.0.prepare(&attempt).deferred();
        assert_eq!(channel.ready_state(), ReadyState::Connecting);
        match channel.ready().await {
            Ok(()) => Ok(channel),
            Err(error) => Err(Failed::with(&error)),
        }
    }

    async fn report(&self) -> String {
        self.0.report().await
    }
}

conformance! { #[tokio::test] Platform }

mod deferred {
    use super::{Deferred, conformance};

    conformance! { #[tokio::test] Deferred }
}
