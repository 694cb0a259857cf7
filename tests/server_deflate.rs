//! A broadcast to peers that agreed on compression, by what is on the wire, inflated by another
//! implementation.
#![cfg(all(feature = "server", not(target_family = "wasm")))]

mod served;
mod wire;

use std::time::Duration;

use flate2::{Decompress, FlushDecompress};
use served::Served;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use ws_channel::server::{Peer, Server, ServerOptions, hooks};
use ws_channel::{Deflate, Options, Role};

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const TEXT: u8 = 0x01;

/// A client that is all wire.
struct Receiver {
    wire: wire::Peer<DuplexStream>,
    /// Its window, over all messages.
    window: Decompress,
}

impl Receiver {
    /// Asks with this offer; its answer has to be `agreed`.
    async fn connect(served: &Served, offer: &str, agreed: &str) -> Self {
        let mut io = served.dial();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Extensions: {offer}\r\n\r\n"
        );
        io.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(io.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let line = head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: "));
        assert_eq!(line.unwrap_or_default(), agreed);
        Self { wire: wire::Peer::new(io, Role::Client), window: Decompress::new(false) }
    }

    /// The payload of the next message, which is one compressed frame, as it came.
    async fn compressed(&mut self) -> Vec<u8> {
        let frame = self.wire.expect().await;
        assert_eq!(frame.first, FIN | RSV1 | TEXT);
        frame.payload
    }

    fn inflate(&mut self, payload: &[u8]) -> String {
        inflate(&mut self.window, payload)
    }
}

fn inflate(state: &mut Decompress, payload: &[u8]) -> String {
    let mut text = Vec::with_capacity(1 << 16);
    let input = [payload, &[0, 0, 0xFF, 0xFF]].concat();
    state.decompress_vec(&input, &mut text, FlushDecompress::Sync).expect("is deflate");
    String::from_utf8(text).unwrap()
}

/// Without anything before it.
fn inflate_alone(payload: &[u8]) -> String {
    inflate(&mut Decompress::new(false), payload)
}

/// Text that is like nothing but itself, a thousand bytes later: what a window of 512 cannot use.
fn text(seed: u32) -> String {
    let mut state = seed;
    let mut letter = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + (state >> 24) as u8 % 26)
    };
    let once: String = (0..1000).map(|_| letter()).collect();
    once.repeat(3)
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_has_one_form_a_set_of_parameters_and_each_window_stays_right() {
    let deflate = Deflate::new().server_context_takeover();
    let options = ServerOptions::new().channel(Options::new().deflate(deflate));
    let hooks = hooks().open(async |peer: Peer| {
        peer.subscribe("news");
    });
    let served = Served::new(Server::with_options(hooks, options));
    let alone = "permessage-deflate; server_no_context_takeover";
    let narrow = "permessage-deflate; client_no_context_takeover; server_max_window_bits=9";
    let mut receivers = Vec::new();
    for offer in ["permessage-deflate", "permessage-deflate", alone, narrow] {
        let own = if offer == narrow { "" } else { "; client_no_context_takeover" };
        receivers.push(Receiver::connect(&served, offer, &format!("{offer}{own}")).await);
    }
    let mut plain = Receiver::connect(&served, "x-unknown", "").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut peers = served.hub.peers();
    peers.sort_by_key(Peer::id);

    // Different things to each, so that the windows differ, and each twice, so that they are used.
    let mut saved = Vec::new();
    for (seed, (peer, receiver)) in (0..).zip(peers.iter().zip(&mut receivers)) {
        let own = text(seed);
        for _ in 0..2 {
            peer.send(&*own).await.unwrap();
        }
        let (first, again) = (receiver.compressed().await, receiver.compressed().await);
        assert_eq!(receiver.inflate(&first), own);
        if seed == 2 {
            assert_eq!(inflate_alone(&again), own);
        } else {
            assert_eq!(receiver.inflate(&again), own);
        }
        saved.push(first.len() > again.len());
    }
    assert_eq!(saved, [true, true, false, false], "where the window was used");

    let news = text(99);
    assert_eq!(served.hub.publish("news", &*news).await.queued, 5);
    let mut forms = Vec::new();
    for receiver in &mut receivers {
        let form = receiver.compressed().await;
        assert_eq!(inflate_alone(&form), news, "it begins with an empty window");
        assert_eq!(receiver.inflate(&form), news, "and fits into the one that is there");
        forms.push(form);
    }
    assert_eq!(forms[0], forms[1]);
    assert_eq!(forms[0], forms[2], "takeover or not: it is alone either way");
    assert!(forms[3].len() > 2 * forms[0].len(), "a form of its own for the narrow window");
    assert_eq!(plain.wire.expect().await.payload, news.as_bytes());

    // What comes behind it may refer to nothing before, though the peer's window has it all.
    for (seed, (peer, receiver)) in (0..).zip(peers.iter().zip(&mut receivers)) {
        let own = text(seed);
        peer.send(&*own).await.unwrap();
        let behind = receiver.compressed().await;
        assert_eq!(inflate_alone(&behind), own);
        assert_eq!(receiver.inflate(&behind), own);
    }
}
