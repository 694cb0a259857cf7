//! The same rules for a bare byte stream, hyper and axum: how a request becomes a channel, or is
//! refused. Those of `shelf_web_socket` are translated here; where it answers 404 to what is not
//! an upgrade, our rule is the status that says why.
#![cfg(not(target_family = "wasm"))]

mod mounts;

use futures::{SinkExt, StreamExt};
use mounts::{Mount, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use ws_channel::{
    AcceptError, BoxWebSocketChannel, CloseCode, Error, Initiator, InvalidUpgrade, Message,
    WebSocketAdapter, WebSocketChannel, status,
};

type Opened = UnboundedReceiver<Result<BoxWebSocketChannel, Error>>;

/// A server, and what comes of the attempts on it.
fn serve(mount: Mount, set: impl FnOnce(&mut Setup)) -> (DuplexStream, Opened) {
    let (opened, attempts) = unbounded_channel();
    let (near, far) = duplex(1 << 16);
    let mut setup = Setup {
        protocols: &[],
        origins: None,
        chosen: None,
        header: None,
        max_message_size: 1 << 20,
        opened,
    };
    set(&mut setup);
    tokio::spawn(mount(far, setup));
    (near, attempts)
}

async fn next(opened: &mut Opened) -> Result<BoxWebSocketChannel, Error> {
    opened.recv().await.expect("the server reports")
}

fn refusal(outcome: Result<BoxWebSocketChannel, Error>) -> AcceptError {
    match outcome {
        Err(Error::Accept(error)) => *error,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("it opened"),
    }
}

const REQUEST: [&str; 6] = [
    "GET /ws HTTP/1.1",
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// The request with the lines that begin with `from` replaced, and left out if `to` is empty.
fn request(from: &str, to: &str) -> String {
    let lines = REQUEST.map(|line| if line.starts_with(from) { to } else { line });
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    lines.join("\r\n") + "\r\n\r\n"
}

/// Sends a request and reads the head of its answer, in small letters.
async fn ask(io: &mut DuplexStream, request: &str) -> String {
    io.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// "can communicate with a `dart:io` WebSocket client", which closes with 5678 there; nobody may
/// send that.
async fn talks_to_a_client(mount: Mount) {
    let (io, mut opened) = serve(mount, |_| {});
    let mut client = WebSocketAdapter::client(io, "ws://localhost/ws").await.unwrap();
    let mut server = next(&mut opened).await.unwrap();
    assert_eq!(server.url(), "/ws");
    server.send("hello!".into()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "hello!");
    client.send("ping".into()).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), "ping");
    server.send("pong".into()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "pong");
    let (closed, end) = tokio::join!(server.close(4678, "raisin"), client.next());
    assert!(end.is_none());
    let (closed, event) = (closed.unwrap(), client.close_event().unwrap());
    assert_eq!(
        (event.code, &*event.reason, event.was_clean),
        (CloseCode::new(4678), "raisin", true)
    );
    assert!(closed.was_clean && closed.initiator == Initiator::Local);
}

/// "negotiates the sub-protocol"
async fn the_clients_first_protocol_that_is_supported_is_used(mount: Mount) {
    let (io, mut opened) = serve(mount, |setup| setup.protocols = &["three", "two", "x"]);
    let client = WebSocketAdapter::client(io, "ws://localhost/ws");
    let client = client.protocols(["one", "two", "three"]).await.unwrap();
    assert_eq!(client.protocol(), Some("two"));
    assert_eq!(next(&mut opened).await.unwrap().protocol(), Some("two"));
}

/// "handles protocol header without allowed protocols"
async fn no_protocol_is_used_where_none_is_supported(mount: Mount) {
    let (io, mut opened) = serve(mount, |_| {});
    let client = WebSocketAdapter::client(io, "ws://localhost/ws").protocols(["one"]);
    assert_eq!(client.await.unwrap().protocol(), None);
    assert_eq!(next(&mut opened).await.unwrap().protocol(), None);
}

/// "allows two argument callbacks without protocols"
async fn no_protocol_is_used_where_none_is_offered(mount: Mount) {
    let (io, mut opened) = serve(mount, |setup| setup.protocols = &["one"]);
    assert_eq!(WebSocketAdapter::client(io, "ws://localhost/ws").await.unwrap().protocol(), None);
    assert_eq!(next(&mut opened).await.unwrap().protocol(), None);
}

/// "with a set of allowed origins": allowed, not allowed, none, and the case of letters at the
/// client and at the server.
async fn only_allowed_origins_open(mount: Mount) {
    for (allowed, origin, expected) in [
        ("https://one.example.com", "https://one.example.com", 101),
        ("https://one.example.com", "https://two.example.com", 403),
        ("https://one.example.com", "", 101),
        ("https://one.example.com", "https://OnE.eXaMpLe.CoM", 101),
        ("https://OnE.eXaMpLe.CoM", "https://one.example.com", 101),
        ("https://one.example.com", "null", 403),
    ] {
        let allowed = Box::leak(Box::new([allowed]));
        let (mut io, mut opened) = serve(mount, |setup| setup.origins = Some(allowed));
        let origin =
            if origin.is_empty() { String::new() } else { format!("Origin: {origin}\r\n") };
        let head = ask(&mut io, &request("Host", &format!("{origin}Host: localhost"))).await;
        assert_eq!(status(&head), expected, "{origin}");
        drop(io);
        let outcome = next(&mut opened).await;
        if expected == 101 {
            outcome.unwrap();
        } else {
            let refused = refusal(outcome);
            assert!(
                matches!(refused, AcceptError::Refused(InvalidUpgrade::Origin(_))),
                "{refused}"
            );
        }
    }
}

/// "can handle multiple header values"
async fn connection_may_have_several_values(mount: Mount) {
    for line in ["Connection: keep-alive, Upgrade", "Connection: other\r\nConnection: uPGRADE"] {
        let (mut io, mut opened) = serve(mount, |_| {});
        assert_eq!(status(&ask(&mut io, &request("Connection", line)).await), 101);
        next(&mut opened).await.unwrap();
    }
}

/// "with an invalid request": 404 there for the first three and for an unknown version, 400 for
/// what is missing.
async fn what_is_no_upgrade_is_answered_with_the_status_that_says_why(mount: Mount) {
    for (from, to, expected, line) in [
        ("GET", "PUT /ws HTTP/1.1", 405, "allow: get"),
        ("Connection", "", 426, "upgrade: websocket"),
        ("Upgrade", "Upgrade: h2c", 426, "upgrade: websocket"),
        ("Sec-WebSocket-Version", "", 426, "sec-websocket-version: 13"),
        ("Sec-WebSocket-Version", "Sec-WebSocket-Version: 15", 426, "sec-websocket-version: 13"),
        ("Sec-WebSocket-Key", "", 400, "content-type: text/plain"),
        ("Sec-WebSocket-Key", "Sec-WebSocket-Key: short", 400, "content-type: text/plain"),
    ] {
        let (mut io, _opened) = serve(mount, |_| {});
        let head = ask(&mut io, &request(from, to)).await;
        assert_eq!(status(&head), expected, "{from} {to}");
        assert!(head.contains(&format!("\r\n{line}")), "{head}");
        assert!(head.contains("\r\ncontent-length: "), "{head}");
    }
}

async fn a_frame_in_the_segment_of_the_request_is_not_lost(mount: Mount) {
    let (mut io, mut opened) = serve(mount, |_| {});
    let frame = [b"\x81\x82\0\0\0\0hi".as_slice(), b"\x82\xfe\x10\0\0\0\0\0", &[7; 4096]].concat();
    io.write_all(&[request("none", "").as_bytes(), &frame].concat()).await.unwrap();
    let mut server = next(&mut opened).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), "hi");
    assert_eq!(server.next().await.unwrap().unwrap(), Message::from(vec![7; 4096]));
}

async fn a_protocol_chosen_later_is_one_of_those_offered(mount: Mount) {
    let (io, mut opened) = serve(mount, |setup| setup.chosen = Some("two"));
    let client = WebSocketAdapter::client(io, "ws://localhost/ws").protocols(["one", "two"]);
    assert_eq!(client.await.unwrap().protocol(), Some("two"));
    assert_eq!(next(&mut opened).await.unwrap().protocol(), Some("two"));
}

async fn a_protocol_that_was_not_offered_is_answered_500_and_not_sent(mount: Mount) {
    let (mut io, mut opened) = serve(mount, |setup| setup.chosen = Some("three"));
    let line = "Host: localhost\r\nSec-WebSocket-Protocol: one, two";
    let head = ask(&mut io, &request("Host", line)).await;
    assert_eq!(status(&head), 500);
    assert!(!head.contains("three"), "{head}");
    drop(io);
    let AcceptError::Protocol { chosen, offered, .. } = refusal(next(&mut opened).await) else {
        panic!("another error");
    };
    assert_eq!((&*chosen, offered), ("three", vec!["one".into(), "two".into()]));
}

async fn headers_are_added_to_the_answer(mount: Mount) {
    let (io, mut opened) = serve(mount, |setup| setup.header = Some(("X-Session", "a1b2")));
    let client = WebSocketAdapter::client(io, "ws://localhost/ws").header("X-Trace", "7");
    let client = client.await.unwrap();
    assert_eq!(client.handshake().header("x-session").unwrap(), "a1b2");
    let server = next(&mut opened).await.unwrap();
    assert_eq!(server.handshake().header("x-trace").unwrap(), "7");
}

async fn headers_of_the_handshake_itself_are_answered_500(mount: Mount) {
    let (mut io, mut opened) = serve(mount, |setup| setup.header = Some(("Upgrade", "h2c")));
    let head = ask(&mut io, &request("none", "")).await;
    assert_eq!(status(&head), 500);
    drop(io);
    assert!(matches!(refusal(next(&mut opened).await), AcceptError::InvalidHeader(_)));
}

async fn limits_hold(mount: Mount) {
    let (io, mut opened) = serve(mount, |setup| setup.max_message_size = 5);
    let mut client = WebSocketAdapter::client(io, "ws://localhost/ws").await.unwrap();
    let mut server = next(&mut opened).await.unwrap();
    client.feed("12345".into()).await.unwrap();
    client.send("123456".into()).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), "12345");
    let (failed, end) = tokio::join!(server.next(), client.next());
    assert!(failed.unwrap().is_err() && end.is_none());
    assert_eq!(client.close_code(), Some(status::MESSAGE_TOO_BIG));
}

/// Where the feature is on, both offer and accept it unless told otherwise.
#[cfg(feature = "deflate")]
async fn compression_is_agreed_on(mount: Mount) {
    let (io, mut opened) = serve(mount, |_| {});
    let mut client = WebSocketAdapter::client(io, "ws://localhost/ws").await.unwrap();
    let mut server = next(&mut opened).await.unwrap();
    assert!(client.extensions().starts_with("permessage-deflate"), "{}", client.extensions());
    assert_eq!(server.extensions(), client.extensions());
    let text = "again and ".repeat(1000);
    server.send(text.as_str().into()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), *text);
    client.send(text.as_str().into()).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), *text);

    let (io, mut opened) = serve(mount, |_| {});
    let client = WebSocketAdapter::client(io, "ws://localhost/ws").no_deflate();
    assert_eq!(client.await.unwrap().extensions(), "");
    assert_eq!(next(&mut opened).await.unwrap().extensions(), "");
}

async fn a_client_that_goes_ends_the_channel(mount: Mount) {
    let (io, mut opened) = serve(mount, |_| {});
    let client = WebSocketAdapter::client(io, "ws://localhost/ws").await.unwrap();
    let mut server = next(&mut opened).await.unwrap();
    drop(client);
    assert!(server.next().await.unwrap().is_err());
    assert!(server.next().await.is_none());
    assert_eq!(server.close_code(), Some(status::ABNORMAL_CLOSURE));
}

macro_rules! on_each_server {
    ($($rule:ident)*) => {
        on_each_server!(@ bare $($rule)*);
        on_each_server!(@ hyper $($rule)*);
        on_each_server!(@ axum $($rule)*);
    };
    (@ $server:ident $($rule:ident)*) => {
        mod $server {
            $(#[tokio::test(start_paused = true)]
            async fn $rule() {
                super::$rule(crate::mounts::$server).await;
            })*
        }
    };
}

#[cfg(feature = "deflate")]
mod deflate {
    use super::compression_is_agreed_on;

    on_each_server! { compression_is_agreed_on }
}

on_each_server! {
    talks_to_a_client
    the_clients_first_protocol_that_is_supported_is_used
    no_protocol_is_used_where_none_is_supported
    no_protocol_is_used_where_none_is_offered
    only_allowed_origins_open
    connection_may_have_several_values
    what_is_no_upgrade_is_answered_with_the_status_that_says_why
    a_frame_in_the_segment_of_the_request_is_not_lost
    a_protocol_chosen_later_is_one_of_those_offered
    a_protocol_that_was_not_offered_is_answered_500_and_not_sent
    headers_are_added_to_the_answer
    headers_of_the_handshake_itself_are_answered_500
    limits_hold
    a_client_that_goes_ends_the_channel
}
