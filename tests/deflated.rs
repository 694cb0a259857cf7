//! The conformance suite, for the adapter with every message compressed.
//!
//! The suite's servers know nothing of that: a relay in front of them agrees to it, and inflates and
//! compresses with another implementation.

mod conformance;
#[path = "conformance/server.rs"]
mod server;
mod wire;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use tokio::io::{
    AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, copy, duplex, split,
};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use ws_channel::{Deflate, Role, WebSocketAdapter, WebSocketChannel};

use conformance::{Attempt, Failed, Implementation, conformance};
use wire::{BINARY, Peer, TEXT, frame};

const RSV1: u8 = 0x40;
const FIN: u8 = 0x80;
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

struct Deflated {
    reporter: UnboundedSender<String>,
    reports: Mutex<UnboundedReceiver<String>>,
}

impl Implementation for Deflated {
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
        let (near, far) = duplex(1 << 10);
        let (relayed, served) = duplex(1 << 10);
        let own = format!("ws://localhost{}", attempt.behaviour.path());
        tokio::spawn(server::serve(served, self.reporter.clone()));
        let (from_client, to_client) = split(far);
        let (from_server, to_server) = split(relayed);
        tokio::spawn(to_the_server(from_client, to_server));
        tokio::spawn(to_the_client(from_server, to_client));

        let url = attempt.url.map_or(own, |url| url.replace("invalid/", "invalid/Echoes"));
        let protocols = attempt.protocols.iter().copied();
        let deflate = Deflate::new().client_context_takeover().threshold(0);
        let mut client = WebSocketAdapter::client(near, url).protocols(protocols).deflate(deflate);
        if let Some((name, value)) = attempt.header {
            client = client.header(name, value);
        }
        if let Some(timeout) = attempt.timeout {
            client = client.timeout(timeout);
        }
        let client = client.await.map_err(|error| Failed::with(&error))?;
        assert_eq!(client.extensions(), "permessage-deflate");
        Ok(client)
    }

    async fn report(&self) -> String {
        self.reports.lock().await.recv().await.expect("a server lives")
    }
}

/// The head of a request or an answer; what there is if it ends before.
async fn head(io: &mut ReadHalf<DuplexStream>) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = io.read_u8().await else { break };
        head.push(byte);
    }
    head
}

/// Inflates each message, which has to be compressed.
async fn to_the_server(mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
    let request = head(&mut from).await;
    let _ = to.write_all(&request).await;
    let mut from = Peer::new(tokio::io::join(from, tokio::io::sink()), Role::Server);
    let mut state = Decompress::new(false);
    let mut message: Option<(u8, Vec<u8>)> = None;
    while let Some(next) = from.next().await {
        let mut bytes = frame(Role::Client, next.first, &next.payload);
        if next.first & 0x08 == 0 {
            let (first, payload) = message.get_or_insert((next.first, Vec::new()));
            assert!(*first & RSV1 != 0, "each message is compressed");
            payload.extend(next.payload);
            if next.first & FIN == 0 {
                continue;
            }
            payload.extend(TAIL);
            let mut inflated = Vec::with_capacity(1 << 22);
            state.decompress_vec(payload, &mut inflated, FlushDecompress::Sync).unwrap();
            bytes = frame(Role::Client, *first & 0x0F | FIN, &inflated);
            message = None;
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

/// Agrees to the extension, and compresses each message.
async fn to_the_client(mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
    let mut answer = head(&mut from).await;
    if answer.starts_with(b"HTTP/1.1 101") {
        answer.truncate(answer.len() - 2);
        answer.extend(b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    }
    if to.write_all(&answer).await.is_err() {
        return;
    }
    let mut state = Compress::new(Compression::default(), false);
    while let Ok(first) = from.read_u8().await {
        if !matches!(first, TEXT | BINARY | 0x88..=0x8A) {
            // What is no frame is none behind this either.
            let _ = to.write_u8(first).await;
            let _ = copy(&mut from, &mut to).await;
            break;
        }
        let first = [first];
        let rest = first.as_slice().chain(&mut from);
        let mut from = Peer::new(tokio::io::join(rest, tokio::io::sink()), Role::Client);
        let Some(mut next) = from.next().await else { break };
        if next.first & 0x08 == 0 {
            let mut payload = Vec::with_capacity(next.payload.len() + 1000);
            state.compress_vec(&next.payload, &mut payload, FlushCompress::Sync).unwrap();
            payload.truncate(payload.len() - TAIL.len());
            if next.payload.is_empty() {
                payload = vec![0];
            }
            next.payload = payload;
            next.first |= RSV1;
        }
        if to.write_all(&frame(Role::Server, next.first, &next.payload)).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

conformance! { #[tokio::test(start_paused = true)] Deflated }
