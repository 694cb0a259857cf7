//! permessage-deflate under a server with hooks: each peer as it agreed, what is published for all.

mod served;

use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use served::Served;
use tokio_util::io::InspectReader;
use ws_channel::server::{Acceptance, HookResult, Server, ServerOptions, hooks};
use ws_channel::{Deflate, Message, Options, Prepared, WebSocketAdapter, WebSocketChannel};

const RSV1: u8 = 0x40;
const FIN_TEXT: u8 = 0x81;

const OPEN: Deflate = Deflate::new().server_context_takeover().client_context_takeover();

/// The first byte of each frame behind the answer to the handshake, and the length of its payload.
fn frames(read: &[u8]) -> Vec<(u8, usize)> {
    let head = read.windows(4).position(|end| end == b"\r\n\r\n").expect("there is an answer") + 4;
    let mut rest = &read[head..];
    let mut frames = Vec::new();
    while let [first, length, behind @ ..] = rest {
        let (length, behind) = match (length, behind) {
            (126, [high, low, behind @ ..]) => {
                (usize::from(u16::from_be_bytes([*high, *low])), behind)
            }
            _ => (usize::from(*length), behind),
        };
        frames.push((*first, length));
        rest = &behind[length..];
    }
    frames
}

/// What the peers of a room get on the wire: an echo of `text`, the same published, and it again.
#[tokio::test(start_paused = true)]
async fn each_peer_gets_what_is_published_as_it_agreed() {
    let options = ServerOptions::new().channel(Options::new().deflate(OPEN));
    let hooks = hooks()
        .open(async |peer| {
            peer.subscribe("room");
        })
        .message(async |peer, message| -> HookResult {
            peer.send(message).await?;
            Ok(())
        });
    let served = Served::new(Server::with_options(hooks, options));
    let text = "{\"said\": \"by all\", \"to\": \"all\"}, ".repeat(12);
    let offers = [
        Options::new().no_deflate(),
        Options::new(),
        Options::new().deflate(OPEN),
        Options::new().deflate(OPEN.server_no_context_takeover()),
        Options::new().deflate(OPEN.server_max_window_bits(10)),
    ];
    let mut clients = Vec::new();
    for offer in offers {
        let read = Arc::new(Mutex::new(Vec::new()));
        let tap = read.clone();
        let io = InspectReader::new(served.dial(), move |bytes: &[u8]| {
            tap.lock().unwrap().extend_from_slice(bytes);
        });
        let client = WebSocketAdapter::client(io, "ws://localhost/").options(offer);
        clients.push((client.await.unwrap(), read));
    }
    let agreed: Vec<_> = clients.iter().map(|(client, _)| client.extensions().to_owned()).collect();
    let expected = [
        "",
        "permessage-deflate; client_no_context_takeover",
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10",
    ];
    assert_eq!(agreed, expected);
    let mut known: Vec<_> =
        served.hub.peers().iter().map(|peer| peer.extensions().to_owned()).collect();
    known.sort_unstable();
    assert_eq!(known, {
        let mut sorted = expected;
        sorted.sort_unstable();
        sorted
    });

    for (client, _) in &mut clients {
        client.send(text.as_str().into()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), *text);
    }
    for _ in 0..2 {
        served.hub.publish("room", Prepared::new(&*text)).await;
        for (client, _) in &mut clients {
            assert_eq!(client.next().await.unwrap().unwrap(), *text);
        }
    }
    // Its context begins anew behind what was published.
    for (client, _) in &mut clients {
        for _ in 0..2 {
            client.send(text.as_str().into()).await.unwrap();
            assert_eq!(client.next().await.unwrap().unwrap(), *text);
        }
    }

    for ((_, read), agreed) in clients.iter().zip(expected) {
        let frames = frames(&read.lock().unwrap());
        assert_eq!(frames.len(), 5, "{agreed}");
        if agreed.is_empty() {
            assert!(frames.iter().all(|frame| *frame == (FIN_TEXT, text.len())), "{frames:?}");
            continue;
        }
        assert!(frames.iter().all(|(first, _)| *first == FIN_TEXT | RSV1), "{agreed}: {frames:?}");
        let lengths: Vec<_> = frames.iter().map(|(_, length)| *length).collect();
        assert!(lengths.iter().all(|length| *length < text.len() / 4), "{agreed}: {lengths:?}");
        assert_eq!(lengths[1], lengths[2], "{agreed}: the one compressed form");
        if agreed.contains("server_no_context_takeover") {
            assert_eq!(lengths[3], lengths[4], "{agreed}");
        } else {
            assert!(lengths[4] < lengths[3] / 2, "{agreed}: {lengths:?}");
        }
    }
}

/// By default a server has each message compressed by itself, and holds no state for a peer; what
/// is short goes out as it is.
#[tokio::test(start_paused = true)]
async fn hooks_may_leave_everything_to_the_defaults() {
    let hooks = hooks().upgrade(async |_| Acceptance::new()).open(async |peer| -> HookResult {
        peer.send("short").await?;
        peer.send("long, ".repeat(100)).await?;
        Ok(())
    });
    let served = Served::new(hooks);
    let read = Arc::new(Mutex::new(Vec::new()));
    let tap = read.clone();
    let io = InspectReader::new(served.dial(), move |bytes: &[u8]| {
        tap.lock().unwrap().extend_from_slice(bytes);
    });
    let mut client = WebSocketAdapter::client(io, "ws://localhost/").await.unwrap();
    let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(client.extensions(), both);
    assert_eq!(client.next().await.unwrap().unwrap(), "short");
    assert_eq!(client.next().await.unwrap().unwrap(), Message::from("long, ".repeat(100)));
    let frames = frames(&read.lock().unwrap());
    assert_eq!(frames[0], (FIN_TEXT, 5));
    assert!(frames[1].0 == FIN_TEXT | RSV1 && frames[1].1 < 30, "{frames:?}");
}
