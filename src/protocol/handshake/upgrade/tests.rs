use super::*;

const GOOD: [&str; 6] = [
    "GET /chat?a=b HTTP/1.1",
    "Host: example.com",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

fn parse(lines: &[&str]) -> Result<UpgradeRequest, InvalidUpgrade> {
    UpgradeRequest::parse(&[lines.join("\r\n").as_bytes(), b"\r\n\r\n"].concat())
}

/// The good request with one line replaced, or left out if empty.
fn with(line: usize, replaced: &str) -> Result<UpgradeRequest, InvalidUpgrade> {
    let mut lines = GOOD.to_vec();
    lines[line] = replaced;
    lines.retain(|line| !line.is_empty());
    parse(&lines)
}

fn and(more: &[&str]) -> Result<UpgradeRequest, InvalidUpgrade> {
    parse(&[&GOOD[..], more].concat())
}

fn refused(outcome: Result<UpgradeRequest, InvalidUpgrade>, fault: InvalidUpgrade, status: u16) {
    assert_eq!(fault.status(), status);
    assert_eq!(outcome.map(drop), Err(fault));
}

#[test]
fn a_valid_request_is_accepted() {
    let request = and(&["Cookie: x"]).unwrap();
    assert_eq!(&*request.target, "/chat?a=b");
    assert_eq!(request.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(request.fields.first("cookie"), Some(&b"x"[..]));
}

#[test]
fn lists_and_letter_case_do_not_matter() {
    with(2, "CONNECTION:keep-alive , uPGRADE").unwrap();
    with(2, "Connection: keep-alive\r\nConnection: Upgrade").unwrap();
    with(3, "uPGRADE: foo/1, WebSocket").unwrap();
    with(0, "\r\nGET / HTTP/1.1").unwrap();
    with(0, "GET http://example.com/chat HTTP/1.1").unwrap();
}

#[test]
fn only_get_opens() {
    for method in ["POST", "HEAD", "get", "CONNECT"] {
        let outcome = with(0, &format!("{method} / HTTP/1.1"));
        refused(outcome, InvalidUpgrade::Method(method.into()), 405);
    }
}

#[test]
fn only_http_1_1_has_upgrades() {
    let old = InvalidUpgrade::Version { is_http_1_0: true };
    refused(with(0, "GET / HTTP/1.0"), old, 400);
    for line in ["GET / HTTP/2.0", "GET / HTTP/1.2", "GET /"] {
        assert!(with(0, line).unwrap_err().status().as_u16() >= 400, "{line}");
    }
    let new = InvalidUpgrade::Version { is_http_1_0: false };
    refused(with(0, "GET / HTTP/2.0"), new, 505);
}

#[test]
fn host_stands_once() {
    for line in ["", "Host:", "Host: a b", "Host: a/b", "Host: u@a", "Host: a\r\nHost: a"] {
        refused(with(1, line), InvalidUpgrade::Host, 400);
    }
    with(1, "Host: [::1]:8080").unwrap();
}

#[test]
fn what_does_not_ask_for_an_upgrade_is_told_how() {
    for line in ["", "Connection: keep-alive", "Connection: close"] {
        refused(with(2, line), InvalidUpgrade::NotUpgrade, 426);
    }
    for line in ["", "Upgrade: h2c"] {
        refused(with(3, line), InvalidUpgrade::NotUpgrade, 426);
    }
    for value in ["", "12", "8, 13", "013", "13, 13", "13\r\nSec-WebSocket-Version: 13"] {
        let line = format!("Sec-WebSocket-Version: {value}");
        refused(with(4, &line), InvalidUpgrade::WebSocketVersion, 426);
    }
    refused(with(4, ""), InvalidUpgrade::WebSocketVersion, 426);
}

#[test]
fn the_key_is_16_bytes_of_base64_and_stands_once() {
    refused(with(5, ""), InvalidUpgrade::Key, 400);
    for key in [
        "",
        "x",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25j!Q==",
        "dGhlIHNhbXBsZSBub25jZQ==, x",
        "ZGdobElITmhiWEJzWlNCdWIyNWpaUT09AA==",
    ] {
        let line = format!("Sec-WebSocket-Key: {key}");
        refused(with(5, &line), InvalidUpgrade::Key, 400);
    }
    refused(and(&[GOOD[5]]), InvalidUpgrade::Key, 400);
}

#[test]
fn control_bytes_and_malformed_lines_are_refused() {
    for line in
        ["X: a\0b", "X: a\x01", "X: a\rb", "X: \x7f", "X : b", "X\t: b", "X", " folded", ": b"]
    {
        let fault = and(&[line]).unwrap_err();
        assert!(matches!(fault, InvalidUpgrade::Malformed(_)), "{line:?} {fault:?}");
        assert_eq!(fault.status(), 400);
    }
    for line in ["GET /\0 HTTP/1.1", "GET  / HTTP/1.1", "G@T / HTTP/1.1", "GET * HTTP/1.1"] {
        assert_eq!(with(0, line).unwrap_err().status(), 400, "{line:?}");
    }
}

#[test]
fn a_request_has_no_body() {
    for line in ["Content-Length: 1", "Content-Length: 0\r\nContent-Length: 2"] {
        refused(and(&[line]), InvalidUpgrade::Body, 400);
    }
    refused(and(&["Transfer-Encoding: chunked"]), InvalidUpgrade::Body, 400);
    and(&["Content-Length: 0"]).unwrap();
}

#[test]
fn thousands_of_headers_are_refused() {
    let lines: Vec<_> = (0..2000).map(|n| format!("x-{n}: {n}")).collect();
    let lines: Vec<_> = lines.iter().map(|line| &**line).collect();
    refused(and(&lines), InvalidUpgrade::TooManyHeaders, 431);
}

#[test]
fn the_clients_first_supported_subprotocol_is_chosen() {
    let supported = ["three", "two", "x"].map(Box::from);
    let choose = |lines: &[&str]| and(lines).unwrap().choose(&supported);
    assert_eq!(choose(&["Sec-WebSocket-Protocol: one,two, three"]).as_deref(), Some("two"));
    let two_lines = ["Sec-WebSocket-Protocol: one", "sec-websocket-protocol: x ,, two"];
    assert_eq!(choose(&two_lines).as_deref(), Some("x"));
    assert_eq!(choose(&["Sec-WebSocket-Protocol: TWO"]), None);
    assert_eq!(choose(&[]), None);
}

#[test]
fn what_is_no_list_of_subprotocols_is_refused() {
    let blanks = format!("Sec-WebSocket-Protocol: a{}b", " ".repeat(30_000));
    refused(and(&[&blanks]), InvalidUpgrade::Protocol, 400);
    let trailing = format!("Sec-WebSocket-Protocol: a,{}", " ".repeat(30_000));
    assert_eq!(and(&[&trailing]).unwrap().protocols(), ["a"]);
}

#[test]
fn only_allowed_origins_may_connect() {
    let allowed = ["https://example.com", "null"].map(Box::from);
    let check = |lines: &[&str]| and(lines).unwrap().check_origin(&allowed);
    assert_eq!(check(&["Origin: https://EXAMPLE.com"]), Ok(()));
    assert_eq!(check(&[]), Ok(()));
    for origin in [
        "https://evil.example",
        "null",
        "",
        "https://example.com.evil.example",
        "https://example.com:8443",
        "https://example.com/",
        "http://example.com",
        "://",
        "https://example.com, https://example.com",
        "https://example.com\r\nOrigin: https://example.com",
    ] {
        let fault = check(&[&format!("Origin: {origin}")]).unwrap_err();
        assert_eq!(fault.status(), 403, "{origin}");
    }
}
