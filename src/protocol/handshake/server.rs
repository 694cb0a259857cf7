//! The server's side: requests as they arrive, and their answers.

use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::protocol::handshake::head::{HEAD_LIMIT, HeadEnd};
use crate::protocol::handshake::{InvalidUpgrade, UpgradeRequest};
use crate::protocol::header::{is_token_byte, write_line, write_lines};

/// The longest method that is taken for one; with it, noise and TLS are found out at once.
const METHOD_LIMIT: usize = 32;

/// A request as it arrives.
#[derive(Debug, Default)]
pub(crate) struct RequestReader {
    end: HeadEnd,
}

impl RequestReader {
    /// Looks at what has arrived, and takes the head off it once it is whole.
    pub(crate) fn read(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<UpgradeRequest>, InvalidUpgrade> {
        let start = empty_lines(input);
        if !begins_with_method(input, start) {
            return Err(InvalidUpgrade::NotHttp);
        }
        self.end.skip(start);
        match self.end.find(input) {
            Some(length) if length <= HEAD_LIMIT => {
                UpgradeRequest::parse(&input.split_to(length)).map(Some)
            }
            None if input.len() < HEAD_LIMIT => Ok(None),
            _ if input.iter().take(HEAD_LIMIT).any(|&byte| byte == b'\n') => {
                Err(InvalidUpgrade::HeadTooLarge)
            }
            _ => Err(InvalidUpgrade::TargetTooLong),
        }
    }
}

/// How many bytes of empty lines stand before a request (RFC 9112 §2.2); two lines are let pass.
fn empty_lines(input: &[u8]) -> usize {
    input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).take(4).count()
}

/// Whether this may become a request, which begins at `start`.
fn begins_with_method(input: &[u8], start: usize) -> bool {
    let mut line = input.iter().skip(start).take(METHOD_LIMIT);
    match line.position(|&byte| !is_token_byte(byte)) {
        Some(at) => at > 0 && input.get(start + at) == Some(&b' '),
        None => input.len() < start + METHOD_LIMIT,
    }
}

impl UpgradeRequest {
    /// The answer that opens the WebSocket.
    pub(crate) fn switch(&self, protocol: Option<&str>, headers: &HeaderMap) -> Bytes {
        let mut head = Vec::with_capacity(256);
        write_status(&mut head, StatusCode::SWITCHING_PROTOCOLS);
        for (name, value) in self.switching(protocol) {
            write_line(&mut head, name, value);
        }
        write_lines(&mut head, headers);
        head.extend_from_slice(b"\r\n");
        head.into()
    }

    /// The handshake's own headers of that answer.
    pub(super) fn switching<'a>(
        &'a self,
        protocol: Option<&'a str>,
    ) -> impl Iterator<Item = (&'static str, &'a str)> {
        let own = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Accept", &*self.accept),
        ];
        own.into_iter().chain(protocol.map(|protocol| ("Sec-WebSocket-Protocol", protocol)))
    }
}

/// The answer to what is not a valid upgrade, behind which the connection ends.
pub(crate) fn refusal(fault: &InvalidUpgrade) -> Bytes {
    let answer = refusal_response(fault);
    encode_response(answer.status(), answer.headers(), answer.body().as_bytes())
}

/// The answer to what is not a valid upgrade: its status, and what to do about it as text.
pub(crate) fn refusal_response(fault: &InvalidUpgrade) -> Response<String> {
    let mut response = Response::new(format!("{fault}\n"));
    *response.status_mut() = fault.status();
    let headers = response.headers_mut();
    match fault.status() {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
        }
        // RFC 9110 §15.5.22, RFC 6455 §4.4.
        StatusCode::UPGRADE_REQUIRED => {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        _ => {}
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// An answer behind which the connection ends.
pub(crate) fn encode_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Bytes {
    let mut answer = Vec::with_capacity(256 + body.len());
    write_status(&mut answer, status);
    write_line(&mut answer, "Connection", "close");
    // RFC 9110 §8.6: these have no body, and no length.
    let has_body = status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED;
    if has_body {
        write_line(&mut answer, "Content-Length", body.len().to_string());
    }
    write_lines(&mut answer, headers);
    answer.extend_from_slice(b"\r\n");
    if has_body {
        answer.extend_from_slice(body);
    }
    answer.into()
}

fn write_status(head: &mut Vec<u8>, status: StatusCode) {
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(status.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    head.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    fn text(answer: &Bytes) -> &str {
        std::str::from_utf8(answer).unwrap()
    }

    #[test]
    fn a_request_may_come_a_byte_at_a_time() {
        let mut reader = RequestReader::default();
        let mut input = BytesMut::new();
        for byte in &GOOD.as_bytes()[..GOOD.len() - 1] {
            input.extend_from_slice(&[*byte]);
            assert!(reader.read(&mut input).unwrap().is_none());
        }
        input.extend_from_slice(b"\n");
        assert!(reader.read(&mut input).unwrap().is_some());
        assert!(input.is_empty());
    }

    #[test]
    fn a_frame_behind_the_request_is_left_for_the_channel() {
        let mut input = BytesMut::from(&*format!("{GOOD}\u{1}\n\n"));
        assert!(RequestReader::default().read(&mut input).unwrap().is_some());
        assert_eq!(&input[..], b"\x01\n\n");
    }

    #[test]
    fn the_answer_to_a_valid_request_is_101() {
        let request = RequestReader::default().read(&mut BytesMut::from(GOOD)).unwrap().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-a", HeaderValue::from_static("b"));
        assert_eq!(
            text(&request.switch(Some("chat"), &headers)),
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\
             x-a: b\r\n\r\n"
        );
    }

    #[test]
    fn noise_is_told_from_its_first_bytes() {
        for noise in [&b"\x16\x03\x01\x02\x00"[..], &[b'a'; 200], b" GET /", b"\0", b"{\"a\":1}"] {
            let outcome = RequestReader::default().read(&mut BytesMut::from(noise));
            assert_eq!(outcome.unwrap_err(), InvalidUpgrade::NotHttp, "{noise:?}");
        }
    }

    /// RFC 9112 §2.2. An empty line ends a head, but not before it has begun.
    #[test]
    fn empty_lines_may_come_first_in_pieces_of_any_size() {
        let request = "GET /a HTTP/1.1\r\nHost: b\r\n\r\n";
        for (before, is_request) in [
            ("", true),
            ("\r\n", true),
            ("\n", true),
            ("\r\n\r\n", true),
            ("\n\n", true),
            ("\r\n\r\n\r\n", false),
            ("\r\r\n\n", false),
        ] {
            let bytes = [before, request].concat();
            for step in 1..=bytes.len() {
                let mut reader = RequestReader::default();
                let mut input = BytesMut::new();
                let mut pieces = bytes.as_bytes().chunks(step);
                let found = loop {
                    let Some(piece) = pieces.next() else { panic!("{bytes:?} has no end") };
                    input.extend_from_slice(piece);
                    match reader.read(&mut input) {
                        Ok(None) => {}
                        // It asks for no WebSocket.
                        Ok(Some(_)) | Err(InvalidUpgrade::NotUpgrade) => break true,
                        Err(InvalidUpgrade::NotHttp | InvalidUpgrade::Malformed(_)) => break false,
                        Err(other) => panic!("{bytes:?}: {other}"),
                    }
                };
                assert_eq!(found, is_request, "{bytes:?} by {step}");
            }
        }
    }

    #[test]
    fn a_head_is_read_up_to_the_limit() {
        for (start, step, fault) in [
            ("GET /", "a".repeat(1024), InvalidUpgrade::TargetTooLong),
            ("GET / HTTP/1.1\r\nX: ", "a".repeat(1024), InvalidUpgrade::HeadTooLarge),
            ("GET / HTTP/1.1\r\n", "abc: def\r\n".repeat(100), InvalidUpgrade::HeadTooLarge),
        ] {
            let mut reader = RequestReader::default();
            let mut input = BytesMut::from(start);
            let found = loop {
                input.extend_from_slice(step.as_bytes());
                match reader.read(&mut input) {
                    Ok(request) => assert!(request.is_none() && input.len() < HEAD_LIMIT),
                    Err(fault) => break fault,
                }
            };
            assert_eq!(found, fault);
        }
    }

    #[test]
    fn each_refusal_is_a_whole_answer_that_says_what_to_do() {
        for fault in [
            InvalidUpgrade::NotHttp,
            InvalidUpgrade::Method("PUT".into()),
            InvalidUpgrade::NotUpgrade,
            InvalidUpgrade::WebSocketVersion,
            InvalidUpgrade::Origin("x".into()),
            InvalidUpgrade::HeadTooLarge,
        ] {
            let answer = refusal(&fault);
            let (head, body) = text(&answer).split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {}", fault.status())), "{head}");
            assert!(head.contains("\r\nConnection: close"), "{head}");
            assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{head}");
            assert!(head.contains("\r\ncontent-type: text/plain"), "{head}");
            assert_eq!(body, format!("{fault}\n"));
        }
    }

    #[test]
    fn refusals_name_what_would_be_accepted() {
        let method = refusal(&InvalidUpgrade::Method("PUT".into()));
        assert!(text(&method).contains("\r\nallow: GET\r\n"));
        let version = refusal(&InvalidUpgrade::WebSocketVersion);
        for line in ["sec-websocket-version: 13", "upgrade: websocket", "connection: Upgrade"] {
            assert!(text(&version).contains(&format!("\r\n{line}\r\n")), "{line}");
        }
    }

    #[test]
    fn an_answer_without_a_body_announces_none() {
        let answer = encode_response(StatusCode::NO_CONTENT, &HeaderMap::new(), b"x");
        assert!(text(&answer).ends_with("Connection: close\r\n\r\n"));
    }
}
