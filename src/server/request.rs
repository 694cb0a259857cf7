//! The request that asked for a WebSocket.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderValue, Uri};

use crate::protocol::handshake::Fields;

/// The request with which a peer asked for its WebSocket; cheap to clone.
///
/// The peer keeps it ([`Peer::request`](crate::server::Peer::request)), in a compact form: an idle
/// peer holds little more than the bytes that it sent.
///
/// # Examples
///
/// ```
/// use http::{Extensions, HeaderMap, Uri};
/// use ws_channel::server::PeerRequest;
///
/// let uri = Uri::from_static("/chat?room=1");
/// let request = PeerRequest::new(&uri, &HeaderMap::new(), Extensions::new(), None);
/// assert_eq!((request.path(), request.query()), ("/chat", Some("room=1")));
/// ```
#[derive(Clone)]
pub struct PeerRequest(Arc<Facts>);

struct Facts {
    target: Box<str>,
    fields: Fields,
    extensions: Extensions,
    remote_addr: Option<SocketAddr>,
}

impl PeerRequest {
    /// A request that came through another HTTP server, with the `extensions` that its layers
    /// added.
    pub fn new(
        uri: &Uri,
        headers: &HeaderMap,
        extensions: Extensions,
        remote_addr: Option<SocketAddr>,
    ) -> Self {
        let parsed: Vec<_> = headers
            .iter()
            .map(|(name, value)| httparse::Header { name: name.as_str(), value: value.as_bytes() })
            .collect();
        Self::from_facts(uri.to_string().into(), Fields::new(&parsed), extensions, remote_addr)
    }

    pub(super) fn from_facts(
        target: Box<str>,
        fields: Fields,
        extensions: Extensions,
        remote_addr: Option<SocketAddr>,
    ) -> Self {
        Self(Arc::new(Facts { target, fields, extensions, remote_addr }))
    }

    /// The request target, such as `/chat?room=1`.
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// The path of the target, such as `/chat`.
    pub fn path(&self) -> &str {
        split(&self.0.target).0
    }

    /// The query of the target, without the `?`.
    pub fn query(&self) -> Option<&str> {
        split(&self.0.target).1
    }

    /// The target as a URI. Made at each call.
    #[doc(alias = "useRequestURI")]
    pub fn uri(&self) -> Uri {
        self.0.target.parse().unwrap_or_default()
    }

    /// The headers. Made at each call; for one of them there is [`header`](Self::header).
    #[doc(alias = "useHeaders")]
    pub fn headers(&self) -> HeaderMap {
        self.0.fields.to_map()
    }

    /// The first header of this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<HeaderValue> {
        HeaderValue::from_bytes(self.0.fields.first(name)?).ok()
    }

    /// What the layers of the HTTP server added; empty on a bare listener.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// The address of the client, or of the proxy in between, if the transport has one.
    #[doc(alias("getClientAddress", "connectionInfo"))]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.remote_addr
    }

    /// The origin of the web page that asks; `None` if it is not a browser that does.
    pub fn origin(&self) -> Option<&str> {
        std::str::from_utf8(self.0.fields.first("origin")?).ok()
    }

    /// The subprotocols that the client offers, the most wanted first.
    pub fn offered_protocols(&self) -> Vec<&str> {
        self.0.fields.tokens("sec-websocket-protocol").unwrap_or_default()
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.0.fields
    }
}

/// Path and query of a target in origin form or absolute form (RFC 9112 §3.2).
fn split(target: &str) -> (&str, Option<&str>) {
    let from_path = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find(['/', '?']).and_then(|start| rest.get(start..)).unwrap_or("/")
        }
        _ => target,
    };
    let (path, query) = match from_path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (from_path, None),
    };
    (if path.is_empty() { "/" } else { path }, query)
}

/// Without the values of headers, which may be secret.
impl fmt::Debug for PeerRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerRequest")
            .field("target", &self.target())
            .field("headers", self.fields())
            .field("remote_addr", &self.remote_addr())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_come_from_every_form_of_target() {
        for (target, path, query) in [
            ("/chat", "/chat", None),
            ("/chat?a=http://b/", "/chat", Some("a=http://b/")),
            ("/?", "/", Some("")),
            ("ws://h:1/chat?x", "/chat", Some("x")),
            ("http://h", "/", None),
            ("http://h?x=/", "/", Some("x=/")),
        ] {
            assert_eq!(split(target), (path, query), "{target}");
        }
    }
}
