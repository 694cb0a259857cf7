//! The server's side: requests as they arrive, and their answers.

use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};

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
        if !begins_with_method(input) {
            return Err(InvalidUpgrade::NotHttp);
        }
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

/// Whether this may become a request. Empty lines may stand before it (RFC 9112 §2.2).
fn begins_with_method(input: &[u8]) -> bool {
    let start = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).take(4).count();
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
        write_line(&mut head, "Connection", "Upgrade");
        write_line(&mut head, "Upgrade", "websocket");
        write_line(&mut head, "Sec-WebSocket-Accept", &self.accept);
        if let Some(protocol) = protocol {
            write_line(&mut head, "Sec-WebSocket-Protocol", protocol);
        }
        write_lines(&mut head, headers);
        head.extend_from_slice(b"\r\n");
        head.into()
    }
}

/// The answer to what is not a valid upgrade: its status, and what to do about it as text.
pub(crate) fn refusal(fault: &InvalidUpgrade) -> Bytes {
    let mut headers = HeaderMap::new();
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
    encode_response(fault.status(), &headers, format!("{fault}\n").as_bytes())
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
