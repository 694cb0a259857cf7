//! The conformance suite, for tokio-tungstenite's stream as a channel.
#![cfg(not(target_family = "wasm"))]

mod conformance;
#[path = "conformance/listener.rs"]
mod listener;
#[path = "conformance/server.rs"]
mod server;
mod wire;

use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{self, Error};
use ws_channel::{Handshake, TungsteniteChannel};

use conformance::{Attempt, Failed, Implementation, conformance};

struct Tungstenite {
    port: u16,
    reports: Mutex<UnboundedReceiver<String>>,
}

impl Tungstenite {
    fn request(&self, attempt: &Attempt) -> Result<tungstenite::handshake::client::Request, Error> {
        let own = format!("ws://127.0.0.1:{}{}", self.port, attempt.behaviour.path());
        let mut request = attempt.url.map_or(own, str::to_owned).into_client_request()?;
        let mut set = |name, value: &str| {
            let value = HeaderValue::try_from(value).expect("a value");
            request.headers_mut().insert(HeaderName::try_from(name).expect("a name"), value);
        };
        if !attempt.protocols.is_empty() {
            set("sec-websocket-protocol", &attempt.protocols.join(", "));
        }
        if let Some((name, value)) = attempt.header {
            set(name, value);
        }
        Ok(request)
    }

    async fn open(
        &self,
        attempt: &Attempt,
    ) -> Result<TungsteniteChannel<MaybeTlsStream<TcpStream>>, Error> {
        let request = self.request(attempt)?;
        let mut handshake = Handshake::new(request.uri().to_string());
        let (stream, response) = tokio_tungstenite::connect_async(request).await?;
        if let Some(protocol) = response.headers().get("sec-websocket-protocol") {
            handshake = handshake.with_protocol(protocol.to_str().expect("a token"));
        }
        Ok(TungsteniteChannel::from(stream).with_handshake(handshake))
    }
}

impl Implementation for Tungstenite {
    type Channel = TungsteniteChannel<MaybeTlsStream<TcpStream>>;

    const LIMITS: &'static [(&'static str, &'static str)] = &[(
        "code_1014_of_the_peer_is_told",
        "tungstenite takes 1014 for a code that may not stand on the wire",
    )];

    async fn start() -> Self {
        let (reporter, reports) = unbounded_channel();
        Self { port: listener::listen(reporter).await, reports: Mutex::new(reports) }
    }

    /// The handshake is tokio-tungstenite's: a channel begins where it has succeeded.
    async fn connect(&self, attempt: Attempt) -> Result<Self::Channel, Failed> {
        let open = self.open(&attempt);
        let opened = match attempt.timeout {
            None => open.await,
            Some(length) => match timeout(length, open).await {
                Ok(opened) => opened,
                Err(_) => return Err(Failed { status: None, is_timeout: true }),
            },
        };
        opened.map_err(|error| {
            let status = match &error {
                Error::Http(response) => Some(response.status().as_u16()),
                _ => None,
            };
            Failed { status, is_timeout: false }
        })
    }

    async fn report(&self) -> String {
        self.reports.lock().await.recv().await.expect("the server lives")
    }
}

conformance! { #[tokio::test] Tungstenite }
