//! The same rules for a bare byte stream, hyper and axum: how a request becomes a channel, or is
//! refused. The 17 tests of `shelf_web_socket` are translated here, as the table at the end says;
//! where it answers 404 to what is not an upgrade, the rule here is the status that says why.
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

/// It is closed with 5678 there; nobody may send that.
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

async fn the_clients_first_protocol_that_is_supported_is_used(mount: Mount) {
    let (io, mut opened) = serve(mount, |setup| setup.protocols = &["three", "two", "x"]);
    let client = WebSocketAdapter::client(io, "ws://localhost/ws");
    let client = client.protocols(["one", "two", "three"]).await.unwrap();
    assert_eq!(client.protocol(), Some("two"));
    assert_eq!(next(&mut opened).await.unwrap().protocol(), Some("two"));
}

async fn no_protocol_is_used_where_none_is_supported(mount: Mount) {
    let (io, mut opened) = serve(mount, |_| {});
    let client = WebSocketAdapter::client(io, "ws://localhost/ws").protocols(["one"]);
    assert_eq!(client.await.unwrap().protocol(), None);
    assert_eq!(next(&mut opened).await.unwrap().protocol(), None);
}

async fn no_protocol_is_used_where_none_is_offered(mount: Mount) {
    let (io, mut opened) = serve(mount, |setup| setup.protocols = &["one"]);
    assert_eq!(WebSocketAdapter::client(io, "ws://localhost/ws").await.unwrap().protocol(), None);
    assert_eq!(next(&mut opened).await.unwrap().protocol(), None);
}

/// The status that a page gets where only `allowed` may connect, which has to be ours, too.
async fn answer_to_a_page(mount: Mount, allowed: &'static [&'static str], origin: &str) -> u16 {
    let (mut io, mut opened) = serve(mount, |setup| setup.origins = Some(allowed));
    let origin = if origin.is_empty() { String::new() } else { format!("Origin: {origin}\r\n") };
    let head = ask(&mut io, &request("Host", &format!("{origin}Host: localhost"))).await;
    drop(io);
    let answer = status(&head);
    match next(&mut opened).await {
        Ok(_) => assert_eq!(answer, 101),
        outcome => {
            let refused = refusal(outcome);
            let is_for_it = matches!(refused, AcceptError::Refused(InvalidUpgrade::Origin(_)));
            assert!(is_for_it, "{refused}");
        }
    }
    answer
}

const SMALL: &[&str] = &["https://one.example.com"];

async fn a_page_that_is_allowed_opens(mount: Mount) {
    assert_eq!(answer_to_a_page(mount, SMALL, "https://one.example.com").await, 101);
}

async fn a_page_that_is_not_allowed_is_answered_403(mount: Mount) {
    assert_eq!(answer_to_a_page(mount, SMALL, "https://two.example.com").await, 403);
    assert_eq!(answer_to_a_page(mount, SMALL, "null").await, 403);
}

async fn who_names_no_page_opens(mount: Mount) {
    assert_eq!(answer_to_a_page(mount, SMALL, "").await, 101);
}

async fn the_case_of_a_pages_origin_does_not_matter(mount: Mount) {
    assert_eq!(answer_to_a_page(mount, SMALL, "https://OnE.eXaMpLe.CoM").await, 101);
}

async fn the_case_of_an_allowed_origin_does_not_matter(mount: Mount) {
    let allowed = &["https://OnE.eXaMpLe.CoM"];
    assert_eq!(answer_to_a_page(mount, allowed, "https://one.example.com").await, 101);
}

async fn connection_may_have_several_values(mount: Mount) {
    for line in ["Connection: keep-alive, Upgrade", "Connection: other\r\nConnection: uPGRADE"] {
        let (mut io, mut opened) = serve(mount, |_| {});
        assert_eq!(status(&ask(&mut io, &request("Connection", line)).await), 101);
        next(&mut opened).await.unwrap();
    }
}

/// The request with this line in place of the one that begins with `from` has to be answered with
/// this status, a text, and what helps.
async fn refused(mount: Mount, from: &str, to: &str, expected: u16, line: &str) {
    let (mut io, _opened) = serve(mount, |_| {});
    let head = ask(&mut io, &request(from, to)).await;
    assert_eq!(status(&head), expected, "{from} {to}");
    assert!(head.contains(&format!("\r\n{line}")), "{head}");
    assert!(head.contains("\r\ncontent-length: "), "{head}");
}

async fn another_method_is_answered_405(mount: Mount) {
    refused(mount, "GET", "PUT /ws HTTP/1.1", 405, "allow: get").await;
}

async fn a_connection_that_is_not_to_be_upgraded_is_answered_426(mount: Mount) {
    refused(mount, "Connection", "", 426, "upgrade: websocket").await;
}

async fn an_upgrade_to_something_else_is_answered_426(mount: Mount) {
    refused(mount, "Upgrade", "Upgrade: h2c", 426, "upgrade: websocket").await;
}

async fn a_request_of_no_version_is_answered_426(mount: Mount) {
    refused(mount, "Sec-WebSocket-Version", "", 426, "sec-websocket-version: 13").await;
}

async fn a_request_of_another_version_is_answered_426(mount: Mount) {
    let version = "Sec-WebSocket-Version: 15";
    refused(mount, "Sec-WebSocket-Version", version, 426, "sec-websocket-version: 13").await;
}

async fn a_request_without_a_key_is_answered_400(mount: Mount) {
    refused(mount, "Sec-WebSocket-Key", "", 400, "content-type: text/plain").await;
}

async fn a_key_that_is_none_is_answered_400(mount: Mount) {
    let key = "Sec-WebSocket-Key: short";
    refused(mount, "Sec-WebSocket-Key", key, 400, "content-type: text/plain").await;
}

/// What is no socket may carry it as well, and is handed back as it was: every transport of these
/// tests is a pipe in memory. A server of HTTP that does not hand its connection over is in
/// `upgrade_http.rs`.
async fn any_byte_stream_will_do(mount: Mount) {
    let (io, mut opened) = serve(mount, |_| {});
    let mut client: WebSocketAdapter<DuplexStream> =
        WebSocketAdapter::client(io, "ws://localhost/ws").await.unwrap();
    next(&mut opened).await.unwrap().send("over a pipe".into()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "over a pipe");
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
    ($count:literal translated: $($name:literal => $rule:ident,)* and: $($own:ident)*) => {
        /// The tests there, each of which is a rule here.
        const _: [&str; $count] = [$($name),*];
        on_each_server! { $($rule)* $($own)* }
    };
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
    17 translated:
    "can communicate with a dart:io WebSocket client" => talks_to_a_client,
    "negotiates the sub-protocol" => the_clients_first_protocol_that_is_supported_is_used,
    "handles protocol header without allowed protocols" => no_protocol_is_used_where_none_is_supported,
    "allows two argument callbacks without protocols" => no_protocol_is_used_where_none_is_offered,
    "cannot be called where the socket cannot be hijacked" => any_byte_stream_will_do,
    "origins: allowed" => a_page_that_is_allowed_opens,
    "origins: not allowed" => a_page_that_is_not_allowed_is_answered_403,
    "origins: none" => who_names_no_page_opens,
    "origins: ignores the client's case" => the_case_of_a_pages_origin_does_not_matter,
    "origins: ignores the server's case" => the_case_of_an_allowed_origin_does_not_matter,
    "can handle multiple header values" => connection_may_have_several_values,
    "404 for a request that is not GET" => another_method_is_answered_405,
    "404 for a request that is no upgrade" => a_connection_that_is_not_to_be_upgraded_is_answered_426,
    "404 for another upgrade" => an_upgrade_to_something_else_is_answered_426,
    "400 for a missing version" => a_request_of_no_version_is_answered_426,
    "404 for an unknown version" => a_request_of_another_version_is_answered_426,
    "400 for a missing key" => a_request_without_a_key_is_answered_400,
    and:
    a_key_that_is_none_is_answered_400
    a_frame_in_the_segment_of_the_request_is_not_lost
    a_protocol_chosen_later_is_one_of_those_offered
    a_protocol_that_was_not_offered_is_answered_500_and_not_sent
    headers_are_added_to_the_answer
    headers_of_the_handshake_itself_are_answered_500
    limits_hold
    a_client_that_goes_ends_the_channel
}
