//! The suite's adapter over an in-memory pipe, for any runtime.

#![allow(unreachable_pub, reason = "a module of several tests")]

use std::future::Future;
use std::marker::PhantomData;

use futures::lock::Mutex;
use tokio::io::DuplexStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use ws_channel::WebSocketAdapter;

use crate::conformance::{Attempt, Failed, Implementation};
use crate::server;

/// What the servers beside the cases run on.
pub trait Runtime {
    fn spawn(server: impl Future<Output = ()> + Send + 'static);

    /// As [`Implementation::fails`].
    fn fails(case: impl Future<Output = ()>) -> impl Future<Output = bool>;
}

pub struct OverPipe<R> {
    reporter: UnboundedSender<String>,
    reports: Mutex<UnboundedReceiver<String>>,
    runtime: PhantomData<R>,
}

impl<R: Runtime> Implementation for OverPipe<R> {
    type Channel = WebSocketAdapter<DuplexStream>;

    const LIMITS: &'static [(&'static str, &'static str)] = &[(
        "a_name_that_does_not_exist_is_an_error",
        "an io that is there needs no name to be resolved",
    )];

    async fn start() -> Self {
        let (reporter, reports) = unbounded_channel();
        Self { reporter, reports: Mutex::new(reports), runtime: PhantomData }
    }

    async fn connect(&self, attempt: Attempt) -> Result<Self::Channel, Failed> {
        let (near, far) = tokio::io::duplex(1 << 10);
        let own = format!("ws://localhost{}", attempt.behaviour.path());
        // Whatever the URL is, its server is the one at the other end.
        R::spawn(server::serve(far, self.reporter.clone()));
        let url = attempt.url.map_or(own, |url| url.replace("invalid/", "invalid/Echoes"));
        let protocols = attempt.protocols.iter().copied();
        let mut client = WebSocketAdapter::client(near, url).protocols(protocols);
        if let Some((name, value)) = attempt.header {
            client = client.header(name, value);
        }
        if let Some(timeout) = attempt.timeout {
            client = client.timeout(timeout);
        }
        client.await.map_err(|error| Failed::with(&error))
    }

    async fn report(&self) -> String {
        self.reports.lock().await.recv().await.expect("a server lives")
    }

    fn fails(case: impl Future<Output = ()>) -> impl Future<Output = bool> {
        R::fails(case)
    }
}
