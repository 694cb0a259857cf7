//! Headers and subprotocols that go out: checked before anything is sent.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, PROXY_AUTHORIZATION,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, SET_COOKIE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Why a header or a subprotocol may not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHeader {
    /// The name of a header is not a token (RFC 9110 §5.1).
    #[error("a header's name may hold letters, digits and !#$%&'*+-.^_`|~ only")]
    Name,
    /// The value of a header has a control character, such as a line break.
    #[error("the value of the header `{0}` has a control character, such as a line break")]
    Value(HeaderName),
    /// The handshake writes this header itself.
    #[error("the header `{0}` is written by the handshake itself{hint}", hint = hint(.0))]
    Reserved(HeaderName),
    /// This header may stand only once.
    #[error("the header `{0}` may be set only once")]
    Repeated(HeaderName),
    /// There are more headers than a head can have.
    #[error("there are too many headers")]
    TooMany,
    /// A subprotocol is not a token (RFC 6455 §4.1).
    #[error("the subprotocol {0:?} is not a token: letters, digits and !#$%&'*+-.^_`|~ only")]
    Protocol(Box<str>),
    /// A subprotocol is named twice (RFC 6455 §4.1).
    #[error("the subprotocol {0:?} is named twice")]
    RepeatedProtocol(Box<str>),
}

fn hint(name: &HeaderName) -> &'static str {
    if name == SEC_WEBSOCKET_PROTOCOL { "; name subprotocols with `protocols`" } else { "" }
}

/// Whether this header belongs to the handshake, or to the framing of HTTP.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    [
        CONNECTION,
        UPGRADE,
        SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_VERSION,
        SEC_WEBSOCKET_ACCEPT,
        SEC_WEBSOCKET_EXTENSIONS,
        SEC_WEBSOCKET_PROTOCOL,
        CONTENT_LENGTH,
        TRANSFER_ENCODING,
    ]
    .contains(name)
}

/// Appends a header that may stand in an opening handshake.
pub(crate) fn append<N, V>(headers: &mut HeaderMap, name: N, value: V) -> Result<(), InvalidHeader>
where
    N: TryInto<HeaderName>,
    V: TryInto<HeaderValue>,
{
    let name = name.try_into().map_err(|_| InvalidHeader::Name)?;
    let Ok(mut value) = value.try_into() else { return Err(InvalidHeader::Value(name)) };
    if is_reserved(&name) {
        return Err(InvalidHeader::Reserved(name));
    }
    if name == HOST && headers.contains_key(HOST) {
        return Err(InvalidHeader::Repeated(name));
    }
    // Kept out of `Debug`.
    if [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE].contains(&name) {
        value.set_sensitive(true);
    }
    headers.try_append(name, value).map_err(|_| InvalidHeader::TooMany)?;
    Ok(())
}

/// A list of subprotocols, each a token, none twice.
pub(crate) fn protocols<I>(names: I) -> Result<Vec<Box<str>>, InvalidHeader>
where
    I: IntoIterator<Item: Into<String>>,
{
    let mut list = Vec::<Box<str>>::new();
    for name in names {
        let name = name.into().into_boxed_str();
        if !is_token(name.as_bytes()) {
            return Err(InvalidHeader::Protocol(name));
        }
        if list.contains(&name) {
            return Err(InvalidHeader::RepeatedProtocol(name));
        }
        list.push(name);
    }
    Ok(list)
}

/// Whether this is a token (RFC 9110 §5.6.2), and so can be a subprotocol.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_byte(byte))
}

pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Writes one header line.
pub(crate) fn write_line(head: &mut Vec<u8>, name: &str, value: impl AsRef<[u8]>) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value.as_ref());
    head.extend_from_slice(b"\r\n");
}

/// Writes the header lines of a map.
pub(crate) fn write_lines(head: &mut Vec<u8>, headers: &HeaderMap) {
    for (name, value) in headers {
        write_line(head, name.as_str(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_and_nul_are_refused_in_names_and_values() {
        let mut headers = HeaderMap::new();
        for value in ["a\r\nb: c", "a\nb", "a\0", "a\rb", "\u{7f}"] {
            let refused = append(&mut headers, "x", value);
            assert_eq!(refused, Err(InvalidHeader::Value(HeaderName::from_static("x"))));
        }
        for name in ["a b", "a\r\n", "", "a:", "é"] {
            assert_eq!(append(&mut headers, name, "x"), Err(InvalidHeader::Name));
        }
        assert!(headers.is_empty());
    }

    #[test]
    fn the_headers_of_the_handshake_are_refused_in_any_case() {
        let mut headers = HeaderMap::new();
        for name in ["connection", "Upgrade", "SEC-WEBSOCKET-KEY", "Content-Length"] {
            let refused = append(&mut headers, name, "x");
            assert!(matches!(refused, Err(InvalidHeader::Reserved(_))), "{name}");
        }
        let refused = append(&mut headers, "Sec-WebSocket-Protocol", "x").unwrap_err();
        assert!(refused.to_string().ends_with("name subprotocols with `protocols`"));
    }

    #[test]
    fn a_subprotocol_is_a_token_and_named_once() {
        for name in ["", "a b", "a,b", "a\r\nb", "a\0", "a/b", "\"a\"", "é", "\t"] {
            assert_eq!(protocols([name]), Err(InvalidHeader::Protocol(name.into())));
        }
        assert_eq!(protocols(["a", "A", "a"]), Err(InvalidHeader::RepeatedProtocol("a".into())));
        assert_eq!(protocols(["v1.chat", "a~!"]).map(|list| list.len()), Ok(2));
    }

    #[test]
    fn what_is_secret_stays_out_of_debug() {
        let mut headers = HeaderMap::new();
        append(&mut headers, "Authorization", "Bearer abc").unwrap();
        append(&mut headers, "Cookie", "abc").unwrap();
        assert!(!format!("{headers:?}").contains("abc"));
    }
}
