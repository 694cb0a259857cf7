//! The opening handshake (RFC 6455 §4), both roles, without any I/O.

mod body;
mod client;
mod error;
#[cfg(feature = "deflate")]
pub(crate) mod extension;
pub(crate) mod head;
#[cfg(feature = "hyper")]
mod parsed;
mod server;
mod upgrade;

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use sha1::{Digest, Sha1};

pub(crate) use client::{Answer, ClientOpening, RefusedOpening};
pub use error::{HandshakeError, HandshakeFault};
#[cfg(feature = "hyper")]
pub(crate) use parsed::asks_for_websocket;
#[cfg(feature = "hyper")]
pub(crate) use server::refusal_response;
pub(crate) use server::{RequestReader, encode_response, refusal};
pub use upgrade::InvalidUpgrade;
pub(crate) use upgrade::UpgradeRequest;
#[cfg(feature = "server")]
pub(crate) use upgrade::check_origin;

pub(crate) use head::Fields;

#[cfg(feature = "deflate")]
use crate::protocol::deflate::{Agreed, InvalidExtensions};

/// What the opening handshake settled: URL, subprotocol, extensions, the peer's headers.
///
/// Cheap to clone. A channel has one; those who did the handshake elsewhere make their own for
/// `WebSocketAdapter::from_upgraded`.
///
/// # Examples
///
/// ```
/// use ws_channel::Handshake;
///
/// let handshake = Handshake::new("/chat").with_protocol("chat.v2");
/// assert_eq!(handshake.url(), "/chat");
/// assert_eq!(handshake.protocol(), Some("chat.v2"));
/// assert_eq!(handshake.extensions(), "");
/// ```
#[derive(Clone, Default)]
pub struct Handshake(Arc<Facts>);

#[derive(Clone, Default)]
struct Facts {
    url: Box<str>,
    protocol: Option<Box<str>>,
    /// Behind two pointers, since few have any, and each connection has this.
    extensions: Option<Box<Box<str>>>,
    fields: Fields,
}

impl Handshake {
    /// A handshake that was done elsewhere, for this URL or request target.
    pub fn new(url: impl Into<String>) -> Self {
        Self::settled(url.into(), None, Fields::default())
    }

    /// Notes the subprotocol that was agreed on.
    pub fn with_protocol(mut self, protocol: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).protocol = Some(protocol.into().into());
        self
    }

    /// Notes the extensions that were agreed on: what the server's `Sec-WebSocket-Extensions`
    /// says. Nothing, if it is empty.
    ///
    /// `WebSocketAdapter::from_upgraded` then compresses and inflates.
    ///
    /// # Errors
    ///
    /// [`InvalidExtensions`] if that is malformed, or not understood here.
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_channel::Handshake;
    ///
    /// let handshake = Handshake::new("/").with_extensions("permessage-deflate")?;
    /// assert_eq!(handshake.extensions(), "permessage-deflate");
    /// assert!(Handshake::new("/").with_extensions("x-unknown").is_err());
    /// # Ok::<_, ws_channel::InvalidExtensions>(())
    /// ```
    #[cfg(feature = "deflate")]
    pub fn with_extensions(self, extensions: impl AsRef<str>) -> Result<Self, InvalidExtensions> {
        let agreed = Agreed::parse(std::iter::once(extensions.as_ref().as_bytes()))?;
        Ok(self
            .with_text_of_extensions(agreed.map_or_else(String::new, |agreed| agreed.to_string())))
    }

    /// How both agreed to compress, if they did.
    #[cfg(feature = "deflate")]
    pub(crate) fn agreed(&self) -> Option<Agreed> {
        Agreed::parse(std::iter::once(self.extensions().as_bytes())).ok().flatten()
    }

    /// Notes the extensions that were agreed on, as in the header, whatever they are.
    #[allow(dead_code, reason = "for the browser, and for compression")]
    pub(crate) fn with_text_of_extensions(mut self, extensions: impl Into<String>) -> Self {
        let extensions: Box<str> = extensions.into().into();
        let extensions = (!extensions.is_empty()).then(|| Box::new(extensions));
        Arc::make_mut(&mut self.0).extensions = extensions;
        self
    }

    /// What a browser tells of a handshake; an empty text says that there is none.
    #[allow(dead_code, reason = "for the browser")]
    pub(crate) fn told(url: &str, protocol: String, extensions: String) -> Self {
        let some = |text: String| (!text.is_empty()).then(|| text.into_boxed_str());
        Self(Arc::new(Facts {
            url: url.into(),
            protocol: some(protocol),
            extensions: some(extensions).map(Box::new),
            fields: Fields::default(),
        }))
    }

    pub(crate) fn settled(
        url: impl Into<Box<str>>,
        protocol: Option<Box<str>>,
        fields: Fields,
    ) -> Self {
        Self(Arc::new(Facts { url: url.into(), protocol, extensions: None, fields }))
    }

    /// The URL as requested, without user name and password; on a server the request target.
    ///
    /// Empty if unknown.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The subprotocol that both agreed on, if any.
    pub fn protocol(&self) -> Option<&str> {
        self.0.protocol.as_deref()
    }

    /// The extensions that both agreed on, as in the header; empty if there are none.
    pub fn extensions(&self) -> &str {
        self.0.extensions.as_deref().map_or("", |extensions| extensions)
    }

    /// The peer's headers: of the response on a client, of the request on a server.
    ///
    /// Made at each call, from the compact block that is kept. Empty if unknown or discarded. For
    /// one of them there is [`header`](Self::header).
    pub fn headers(&self) -> HeaderMap {
        self.0.fields.to_map()
    }

    /// The first of the peer's headers that has this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<HeaderValue> {
        HeaderValue::from_bytes(self.0.fields.first(name)?).ok()
    }
}

/// Without the headers, which may be secret.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("url", &self.url())
            .field("protocol", &self.protocol())
            .finish_non_exhaustive()
    }
}

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
///
/// For those who write the upgrade's response themselves.
///
/// # Examples
///
/// ```
/// // The RFC's own example.
/// assert_eq!(ws_channel::accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[doc(alias = "signKey")]
pub fn accept_key(key: &str) -> String {
    let mut hash = Sha1::new_with_prefix(key);
    hash.update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_handshake_is_empty() {
        let handshake = Handshake::default();
        assert_eq!((handshake.url(), handshake.protocol(), handshake.extensions()), ("", None, ""));
        assert!(handshake.headers().is_empty() && handshake.header("a").is_none());
    }

    #[test]
    fn a_clone_does_not_see_a_later_protocol() {
        let first = Handshake::new("/x");
        let second = first.clone().with_protocol("chat");
        assert_eq!((first.protocol(), second.protocol()), (None, Some("chat")));
    }

    #[test]
    fn a_handshake_is_small() {
        assert_eq!(size_of::<Handshake>(), size_of::<usize>());
        assert!(size_of::<Facts>() <= 7 * size_of::<usize>());
    }
}
