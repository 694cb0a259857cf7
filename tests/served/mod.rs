//! A server in memory: its listener is fed with pipes.

#![allow(dead_code, unreachable_pub, reason = "a module of several tests")]

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use ws_channel::server::{Hooks, Hub, Listener, Server, serve};
use ws_channel::{ClientHandshake, WebSocketAdapter};

pub type Client = WebSocketAdapter<DuplexStream>;

/// What the listener yields.
pub type Arrival = io::Result<(DuplexStream, Option<SocketAddr>)>;

/// A listener that yields what the test gives it.
pub struct Pipes(UnboundedReceiver<Arrival>);

impl Listener for Pipes {
    type Io = DuplexStream;

    async fn accept(&mut self) -> Arrival {
        match self.0.recv().await {
            Some(arrival) => arrival,
            None => std::future::pending().await,
        }
    }
}

/// A running server, and the way to it.
pub struct Served {
    pub hub: Hub,
    pub arrivals: UnboundedSender<Arrival>,
    pub task: JoinHandle<io::Result<()>>,
}

impl Served {
    pub fn new<H: Hooks>(server: impl Into<Server<H>>) -> Self {
        let (arrivals, pipes) = unbounded_channel();
        let serve = serve(Pipes(pipes), server);
        let hub = serve.hub().clone();
        Self { hub, arrivals, task: tokio::spawn(serve.into_future()) }
    }

    /// A connection from this address, on which nothing has been sent.
    pub fn dial_from(&self, address: &str, buffer: usize) -> DuplexStream {
        let (near, far) = duplex(buffer);
        let address = address.parse().expect("is an address");
        self.arrivals.send(Ok((far, Some(address)))).expect("the server listens");
        near
    }

    pub fn dial(&self) -> DuplexStream {
        self.dial_from("192.0.2.7:7000", 1 << 16)
    }

    /// An opening handshake for this path.
    pub fn client(&self, path: &str) -> ClientHandshake<DuplexStream> {
        WebSocketAdapter::client(self.dial(), format!("ws://localhost{path}"))
    }

    pub async fn connect(&self, path: &str) -> Client {
        self.client(path).await.expect("the server accepts")
    }
}

/// What happened, in order.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until `count` lines are there, and for what would come behind them.
    pub async fn settled(&self) -> Vec<String> {
        // The clock is paused: it moves when every task waits.
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        self.lines()
    }
}
