use super::*;
use crate::protocol::Request;

/// The key of RFC 6455 §1.3, and what answers it.
const KEY: [u8; 16] = *b"the sample nonce";
const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const GOOD: [&str; 4] =
    ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", ACCEPT];

fn opening(request: impl Into<Request>) -> (ClientOpening, String) {
    let (opening, head) = ClientOpening::new(request.into().validate().unwrap(), KEY);
    (opening, String::from_utf8(head.to_vec()).unwrap())
}

fn head(lines: &[&str]) -> Vec<u8> {
    [lines.join("\r\n").as_bytes(), b"\r\n\r\n"].concat()
}

/// The same answer in one piece and byte by byte has to come to the same.
fn answer(request: &Request, lines: &[&str]) -> Result<(Handshake, BytesMut), HandshakeError> {
    let bytes = head(lines);
    let mut whole = BytesMut::from(&bytes[..]);
    let at_once = read(&mut opening(request).0, &mut whole);
    let (mut slow, mut input) = (opening(request).0, BytesMut::new());
    for byte in &bytes[..bytes.len() - 1] {
        input.extend_from_slice(&[*byte]);
        match slow.read(&mut input) {
            Ok(Answer::Partial) => {}
            // Not HTTP: that can be told before the end.
            early => {
                assert_eq!(early.unwrap_err().fault(), at_once.as_ref().unwrap_err().fault());
                return at_once.map(|handshake| (handshake, whole));
            }
        }
    }
    input.extend_from_slice(&bytes[bytes.len() - 1..]);
    let byte_by_byte = read(&mut slow, &mut input);
    assert_eq!(
        at_once.as_ref().map(Handshake::protocol).map_err(HandshakeError::fault),
        byte_by_byte.as_ref().map(Handshake::protocol).map_err(HandshakeError::fault),
    );
    at_once.map(|handshake| (handshake, whole))
}

fn read(opening: &mut ClientOpening, input: &mut BytesMut) -> Result<Handshake, HandshakeError> {
    match opening.read(input)? {
        Answer::Upgraded(handshake) => Ok(handshake),
        Answer::Refused(mut refused) => {
            refused.take_body(input);
            Err(refused.error())
        }
        Answer::Partial => panic!("partial"),
    }
}

fn fault(lines: &[&str]) -> HandshakeFault {
    answer(&Request::new("ws://h/"), lines).unwrap_err().fault().clone()
}

/// The good answer with one line replaced, or left out if empty.
fn with(line: usize, replaced: &'static str) -> Vec<&'static str> {
    let mut lines = GOOD.to_vec();
    lines[line] = replaced;
    lines.retain(|line| !line.is_empty());
    lines
}

fn and(more: &'static str) -> Vec<&'static str> {
    [&GOOD[..], &[more]].concat()
}

#[test]
fn the_request_is_well_formed() {
    let request = Request::new("ws://u@h:81/a?b").protocols(["x", "y"]).header("X-A", "1");
    assert_eq!(
        opening(request).1,
        "GET /a?b HTTP/1.1\r\nHost: h:81\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: x, y\r\nAuthorization: Basic dTo=\r\nx-a: 1\r\n\r\n"
    );
}

#[test]
fn a_host_header_of_the_user_replaces_the_urls() {
    let head = opening(Request::new("ws://127.0.0.1/").header("Host", "example.com")).1;
    assert_eq!(head.to_lowercase().matches("\r\nhost:").count(), 1);
    assert!(head.contains("host: example.com\r\n"));
}

#[test]
fn a_valid_answer_opens() {
    let request = Request::new("ws://h/x");
    let (handshake, rest) = answer(&request, &and("X-A: b")).unwrap();
    assert_eq!((handshake.url(), handshake.protocol()), ("ws://h/x", None));
    assert_eq!(handshake.header("x-a").unwrap(), "b");
    assert_eq!(handshake.headers().len(), 4);
    assert!(rest.is_empty());
}

#[test]
fn what_comes_behind_the_head_is_left_for_the_channel() {
    let mut input = BytesMut::from(&[&head(&GOOD)[..], b"\x81\x00\r\n\r\n"].concat()[..]);
    read(&mut opening("ws://h/").0, &mut input).unwrap();
    assert_eq!(&input[..], b"\x81\x00\r\n\r\n");
}

#[test]
fn letter_case_and_token_lists_do_not_matter() {
    let lines = [
        "HTTP/1.1 101",
        "UPGRADE:WebSocket",
        "connection: keep-alive,  upGRADE",
        "Connection: foo",
        "sec-websocket-ACCEPT: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t",
    ];
    answer(&Request::new("ws://h/"), &lines).unwrap();
}

#[test]
fn accept_stands_once_and_fits() {
    for lines in [
        with(3, ""),
        with(3, "Sec-WebSocket-Accept:"),
        with(3, "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        with(3, "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ=="),
        and(ACCEPT),
        and("Sec-WebSocket-Accept: x"),
    ] {
        assert_eq!(fault(&lines), HandshakeFault::Accept, "{lines:?}");
    }
}

#[test]
fn upgrade_and_connection_have_to_be_there() {
    for line in ["", "Upgrade: h2c", "Upgrade: websocketx"] {
        assert_eq!(fault(&with(1, line)), HandshakeFault::Upgrade);
    }
    for line in ["", "Connection: close", "Connection: upgraded", "Connection: up, grade"] {
        assert_eq!(fault(&with(2, line)), HandshakeFault::Connection);
    }
}

#[test]
fn only_101_of_http_1_1_opens() {
    assert_eq!(fault(&with(0, "HTTP/1.0 101 OK")), HandshakeFault::Version);
    for (line, status) in [
        ("HTTP/1.1 200 OK", 200),
        ("HTTP/1.0 404 Not Found", 404),
        ("HTTP/1.1 100 Continue", 100),
        ("HTTP/1.1 102", 102),
        ("HTTP/1.1 999 What", 999),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(fault(&with(0, line)), HandshakeFault::Status(status));
    }
}

#[test]
fn what_is_not_http_is_told_from_its_first_bytes() {
    for noise in ["SSH-2.0-x", "\x15\x03\x01", "HTTP/2.0 101", "<html>", "HTTQ", "\r\nHTTP/1.1"] {
        assert_eq!(fault(&with(0, noise)), HandshakeFault::NotHttp, "{noise:?}");
    }
    let early = opening("ws://h/").0.read(&mut BytesMut::from("S"));
    assert_eq!(early.unwrap_err().fault(), &HandshakeFault::NotHttp);
}

#[test]
fn control_bytes_and_malformed_lines_are_refused() {
    for line in [
        "X: a\0b", "X: a\rb", "X: \x7f", "X : b", "X\0: b", " folded", "no colon", ": b", "X: \x01",
    ] {
        let fault = fault(&and(line));
        assert!(matches!(fault, HandshakeFault::Malformed(_)), "{line:?} {fault:?}");
    }
    for line in ["HTTP/1.1 1O1 x", "HTTP/1.1  101", "HTTP/1.1 10", "HTTP/1.1 101\0"] {
        let fault = fault(&with(0, line));
        assert!(matches!(fault, HandshakeFault::Malformed(_)), "{line:?} {fault:?}");
    }
}

#[test]
fn an_extension_was_not_offered() {
    let deflate = fault(&and("Sec-WebSocket-Extensions: permessage-deflate; x, foo"));
    assert_eq!(deflate, HandshakeFault::Extension("permessage-deflate; x".into()));
}

#[test]
fn the_subprotocol_is_one_of_those_offered() {
    let offer = Request::new("ws://h/").protocols(["a", "b"]);
    let (handshake, _) = answer(&offer, &and("Sec-WebSocket-Protocol: b")).unwrap();
    assert_eq!(handshake.protocol(), Some("b"));
    let (handshake, _) = answer(&offer, &GOOD).unwrap();
    assert_eq!(handshake.protocol(), None);
    for line in ["c", "B", "a, b", "", "a\r\nSec-WebSocket-Protocol: a"] {
        let line = format!("Sec-WebSocket-Protocol: {line}");
        let error = answer(&offer, &[&GOOD[..], &[&line]].concat()).unwrap_err();
        assert!(matches!(error.fault(), HandshakeFault::Protocol { .. }), "{line}");
        assert_eq!(error.status(), Some(StatusCode::SWITCHING_PROTOCOLS));
    }
    let unasked = answer(&Request::new("ws://h/"), &and("Sec-WebSocket-Protocol: a"));
    let unasked = unasked.unwrap_err().to_string();
    assert!(unasked.contains("but none was offered; offer it with `.protocols"), "{unasked}");
}

#[test]
fn a_refusal_keeps_status_headers_and_the_start_of_the_body() {
    let lines = ["HTTP/1.1 401 No", "WWW-Authenticate: Basic", "Content-Length: 3", "", "sorry"];
    let mut input = BytesMut::from(lines.join("\r\n").as_bytes());
    let error = read(&mut opening("ws://h/").0, &mut input).unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(error.headers().unwrap()["www-authenticate"], "Basic");
    assert_eq!(error.body(), b"sor");
}

#[test]
fn a_large_head_is_refused_at_the_limit() {
    let line = format!("X: {}", "a".repeat(1000));
    let mut lines = GOOD.to_vec();
    lines.extend(std::iter::repeat_n(&*line, 70));
    let mut endless = opening("ws://h/").0;
    let mut input = BytesMut::new();
    for segment in head(&lines).chunks(1000) {
        input.extend_from_slice(segment);
        match endless.read(&mut input) {
            Ok(Answer::Partial) => assert!(input.len() < HEAD_LIMIT),
            other => {
                assert_eq!(other.unwrap_err().fault(), &HandshakeFault::HeadTooLarge);
                assert!(input.len() < HEAD_LIMIT + 1000);
                return;
            }
        }
    }
    panic!("the limit does not hold");
}

#[test]
fn many_headers_are_an_error() {
    let mut lines = GOOD.to_vec();
    lines.resize(FIELD_LIMIT, "a: b");
    answer(&Request::new("ws://h/"), &lines).unwrap();
    lines.resize(10_000, "a:");
    let mut input = BytesMut::from(&head(&lines)[..]);
    let error = read(&mut opening("ws://h/").0, &mut input).unwrap_err();
    assert_eq!(error.fault(), &HandshakeFault::TooManyHeaders);
}

#[test]
fn headers_can_be_discarded() {
    let mut opening = opening("ws://h/").0;
    opening.discard_headers();
    let handshake = read(&mut opening, &mut BytesMut::from(&head(&GOOD)[..])).unwrap();
    assert!(handshake.headers().is_empty());
}
