//! Requests that an HTTP server has parsed, and their answers.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, Version};

use crate::protocol::InvalidUpgrade;
use crate::protocol::handshake::UpgradeRequest;
use crate::protocol::handshake::head::{FIELD_LIMIT, Fields, HEAD_LIMIT, excerpt};

impl UpgradeRequest {
    /// Makes the checks of [`parse`](Self::parse) on what was parsed elsewhere.
    pub(crate) fn parsed(
        method: &Method,
        uri: &Uri,
        version: Version,
        headers: &HeaderMap,
    ) -> Result<Self, InvalidUpgrade> {
        // RFC 8441 has a method of its own there, so the version is what to tell.
        if version > Version::HTTP_11 {
            return Err(InvalidUpgrade::Version { is_http_1_0: false });
        }
        if method != Method::GET {
            return Err(InvalidUpgrade::Method(excerpt(method.as_str().as_bytes())));
        }
        if version != Version::HTTP_11 {
            return Err(InvalidUpgrade::Version { is_http_1_0: true });
        }
        let target = uri.to_string();
        if target.len() > HEAD_LIMIT {
            return Err(InvalidUpgrade::TargetTooLong);
        }
        if headers.len() > FIELD_LIMIT {
            return Err(InvalidUpgrade::TooManyHeaders);
        }
        let sizes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        if target.len() + sizes.sum::<usize>() > HEAD_LIMIT {
            return Err(InvalidUpgrade::HeadTooLarge);
        }
        Self::of(&target, Fields::from(headers))
    }

    /// The answer that opens the WebSocket, for the HTTP server to send.
    pub(crate) fn switch_response(
        &self,
        protocol: Option<&str>,
        headers: HeaderMap,
    ) -> Response<String> {
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *response.headers_mut() = headers;
        for (name, value) in self.switching(protocol) {
            // Names are fixed, and values were checked to be tokens or are base64.
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::from_str(value))
            {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Whether the headers ask for a WebSocket, in a request that may be wrong otherwise.
pub(crate) fn asks_for_websocket(version: Version, headers: &HeaderMap) -> bool {
    let has = |name: &str, token: &[u8]| {
        let values = headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
        let mut elements = values.flat_map(|value| value.split(|&byte| byte == b','));
        elements.any(|element| element.trim_ascii().eq_ignore_ascii_case(token))
    };
    version <= Version::HTTP_11 && has("upgrade", b"websocket") && has("connection", b"upgrade")
}

impl From<&HeaderMap> for Fields {
    fn from(headers: &HeaderMap) -> Self {
        // `http` lets no line break into a value, and no colon into a name.
        Self::pack(|| headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "GET /chat?a=b HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    /// What hyper would make of the head.
    fn parsed(head: &str) -> http::Request<()> {
        let mut lines = head.lines();
        let mut line = lines.next().unwrap().split(' ');
        let mut request = http::Request::builder()
            .method(line.next().unwrap())
            .uri(line.next().unwrap())
            .version(match line.next().unwrap() {
                "HTTP/1.0" => Version::HTTP_10,
                "HTTP/1.1" => Version::HTTP_11,
                _ => Version::HTTP_2,
            });
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            request = request.header(name, value.trim());
        }
        request.body(()).unwrap()
    }

    fn check(request: &http::Request<()>) -> Result<UpgradeRequest, InvalidUpgrade> {
        let (method, uri) = (request.method(), request.uri());
        UpgradeRequest::parsed(method, uri, request.version(), request.headers())
    }

    #[test]
    fn what_a_server_parsed_is_judged_as_the_bytes_are() {
        let replaced = [
            ("GET", "GET"),
            ("/chat?a=b", "http://example.com/chat"),
            ("GET /", "GET *"),
            ("GET", "POST"),
            ("GET", "CONNECT"),
            ("HTTP/1.1", "HTTP/1.0"),
            ("HTTP/1.1", "HTTP/2.0"),
            ("Host: h\r\n", ""),
            ("Host: h", "Host: a/b"),
            ("Host: h", "Host: a\r\nHost: a"),
            ("Connection: Upgrade", "Connection: close"),
            ("Connection: Upgrade", "connection: keep-alive, uPGRADE"),
            ("Upgrade: websocket", "Upgrade: h2c"),
            ("Version: 13", "Version: 8"),
            ("Key: dGhl", "Key: !!"),
            ("Host: h", "Content-Length: 3\r\nHost: h"),
            ("Host: h", "Transfer-Encoding: chunked\r\nHost: h"),
            ("Host: h", "Sec-WebSocket-Protocol: a b\r\nHost: h"),
            ("Host: h", "Sec-WebSocket-Protocol: one\r\nSec-WebSocket-Protocol: two\r\nHost: h"),
        ];
        for (from, to) in replaced {
            let head = GOOD.replacen(from, to, 1);
            let bytes = UpgradeRequest::parse(format!("{head}\r\n").as_bytes());
            // `*` is a target of its own to `http`.
            let server = check(&parsed(&head.replace("*chat?a=b", "*")));
            match (bytes, server) {
                (Ok(bytes), Ok(server)) => {
                    assert_eq!(bytes.target, server.target);
                    assert_eq!(bytes.accept, server.accept);
                    assert_eq!(bytes.protocols(), server.protocols());
                    assert_eq!(bytes.fields.to_map(), server.fields.to_map());
                }
                (bytes, server) => assert_eq!(bytes.map(drop), server.map(drop), "{from} {to}"),
            }
        }
    }

    #[test]
    fn an_extended_connect_of_http_2_is_told_its_version_not_its_method() {
        let head = GOOD.replace("GET", "CONNECT").replace("HTTP/1.1", "HTTP/2.0");
        let fault = check(&parsed(&head.replace("/chat?a=b", "h:80"))).unwrap_err();
        assert_eq!(fault, InvalidUpgrade::Version { is_http_1_0: false });
        assert_eq!(fault.status(), 505);
    }

    #[test]
    fn a_head_has_the_same_limits_as_one_that_is_read() {
        let with = |name: String, value: String| parsed(&format!("{GOOD}{name}: {value}\r\n"));
        let large = with("x".into(), "a".repeat(HEAD_LIMIT));
        assert_eq!(check(&large).unwrap_err(), InvalidUpgrade::HeadTooLarge);
        let mut many = with("x".into(), "a".into());
        for _ in 0..FIELD_LIMIT {
            many.headers_mut().append("x", HeaderValue::from_static("a"));
        }
        assert_eq!(check(&many).unwrap_err(), InvalidUpgrade::TooManyHeaders);
    }

    #[test]
    fn the_answer_has_the_lines_that_are_written_by_hand() {
        let request = check(&parsed(GOOD)).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-a", HeaderValue::from_static("b"));
        let response = request.switch_response(Some("chat"), headers.clone());
        let bytes = request.switch(Some("chat"), &headers);
        let text = std::str::from_utf8(&bytes).unwrap();
        assert_eq!(response.status(), 101);
        let mut lines: Vec<_> = text.trim_end().lines().skip(1).map(str::to_lowercase).collect();
        let mut fields: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()).to_lowercase())
            .collect();
        lines.sort();
        fields.sort();
        assert_eq!(lines, fields);
    }

    #[test]
    fn a_request_asks_for_a_websocket_by_its_headers_alone() {
        let asks = |head: &str| {
            let request = parsed(head);
            asks_for_websocket(request.version(), request.headers())
        };
        assert!(asks(GOOD));
        assert!(asks(&GOOD.replace("Version: 13", "Version: 8").replace("GET", "POST")));
        assert!(asks(&GOOD.replace("Connection: Upgrade", "Connection: keep-alive, upgrade")));
        assert!(!asks("GET / HTTP/1.1\r\nHost: h\r\n"));
        assert!(!asks(&GOOD.replace("Upgrade: websocket", "Upgrade: h2c")));
        assert!(!asks(&GOOD.replace("Connection: Upgrade", "Connection: close")));
        assert!(!asks(&GOOD.replace("HTTP/1.1", "HTTP/2.0")));
    }
}
