//! On what terms a server accepts a request.

use std::sync::Arc;

use bytes::Bytes;
#[cfg(feature = "deflate")]
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::{HeaderMap, HeaderName, HeaderValue, Response};

use crate::AcceptError;
use crate::adapter::Options;
use crate::protocol::handshake::{UpgradeRequest, encode_response, refusal};
use crate::protocol::header;
use crate::protocol::{InvalidHeader, InvalidUpgrade};

/// The setters of [`Terms`], for the `impl` block of every builder that has a `terms_mut()`.
macro_rules! term_setters {
    () => {
        /// Sets the subprotocols that this server supports.
        ///
        /// The first one of the client's list that is among them is used; if there is none, the
        /// channel has no subprotocol.
        #[doc(alias = "protocolSelector")]
        pub fn protocols<I>(mut self, protocols: I) -> Self
        where
            I: IntoIterator<Item: Into<String>>,
        {
            self.terms_mut().protocols(protocols);
            self
        }

        /// Sets which web pages may connect, by their origins, such as `https://example.com`.
        ///
        /// Browsers let any page connect to any server, with the user's cookies; a server that relies
        /// on those should set this (RFC 6455 §10.2). The `Origin` header has to be equal to one of
        /// them, but for the case of letters; `null` is refused always. A client that sends no
        /// `Origin`, which no browser is, is accepted. Default: all may.
        #[doc(alias = "allowedOrigins")]
        pub fn allowed_origins<I>(mut self, origins: I) -> Self
        where
            I: IntoIterator<Item: Into<String>>,
        {
            let origins = origins.into_iter().map(|origin| origin.into().into_boxed_str());
            self.terms_mut().origins = Some(origins.collect());
            self
        }

        /// Adds a header to the response.
        ///
        /// Those that the handshake writes itself (`Connection`, `Upgrade`, `Sec-WebSocket-*`) are
        /// refused: the client is then answered 500, and the attempt is an error.
        pub fn header<N, V>(mut self, name: N, value: V) -> Self
        where
            N: TryInto<::http::HeaderName>,
            V: TryInto<::http::HeaderValue>,
        {
            self.terms_mut().header(name, value);
            self
        }

        /// Lets go of the request's headers after the handshake.
        ///
        /// [`Handshake::headers`](crate::Handshake::headers) is then empty, and an idle connection
        /// holds that much less.
        pub fn discard_headers(mut self) -> Self {
            self.terms_mut().keep_headers = false;
            self
        }

        /// Sets all limits and deadlines of the connection at once; those set before are replaced.
        pub fn options(mut self, options: $crate::Options) -> Self {
            self.terms_mut().options = options;
            self
        }

        $crate::adapter::options::option_setters!();

        fn options_mut(&mut self) -> &mut $crate::Options {
            &mut self.terms_mut().options
        }
    };
}
pub(crate) use term_setters;

/// On what terms a request is accepted.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) protocols: Vec<Box<str>>,
    pub(crate) origins: Option<Vec<Box<str>>>,
    pub(crate) headers: HeaderMap,
    /// What was set and may not be sent; the first error stays.
    pub(crate) invalid: Option<AcceptError>,
    pub(crate) keep_headers: bool,
    pub(crate) options: Options,
    /// What is answered to what does not ask for a WebSocket, in place of 426.
    pub(crate) fallback: Option<Arc<Response<Bytes>>>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            protocols: Vec::new(),
            origins: None,
            headers: HeaderMap::new(),
            invalid: None,
            keep_headers: true,
            options: Options::new(),
            fallback: None,
        }
    }
}

impl Terms {
    /// Sets the subprotocols that the server supports.
    pub(crate) fn protocols<I>(&mut self, protocols: I)
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let outcome = header::protocols(protocols).map(|protocols| self.protocols = protocols);
        self.note(outcome);
    }

    /// Adds a header to the response.
    pub(crate) fn header<N, V>(&mut self, name: N, value: V)
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        let appended = header::append(&mut self.headers, name, value);
        self.note(appended);
    }

    /// The subprotocol that the program chose, if the client offered it.
    pub(crate) fn pick(&mut self, request: &UpgradeRequest, chosen: Box<str>) -> Option<Box<str>> {
        let offered = request.protocols();
        if offered.contains(&&*chosen) {
            return Some(chosen);
        }
        let offered = offered.into_iter().map(Box::from).collect();
        self.invalid.get_or_insert(AcceptError::Protocol { chosen, offered });
        None
    }

    fn note(&mut self, outcome: Result<(), InvalidHeader>) {
        if let Err(error) = outcome {
            self.invalid.get_or_insert(error.into());
        }
    }

    /// Decides on the extensions: by the first offer that can be accepted, if there is one. The
    /// response gets their header.
    #[cfg_attr(
        not(feature = "deflate"),
        allow(clippy::unused_self, reason = "without the feature there is nothing to decide")
    )]
    pub(crate) fn agree(&mut self, request: &UpgradeRequest) -> String {
        #[cfg(feature = "deflate")]
        if let Some(agreed) = request.agree(self.options.deflate) {
            let extensions = agreed.to_string();
            if let Ok(value) = HeaderValue::from_str(&extensions) {
                self.headers.insert(SEC_WEBSOCKET_EXTENSIONS, value);
                return extensions;
            }
        }
        // Without the feature there is nothing to agree on.
        let _ = (request, &self.headers);
        String::new()
    }

    /// The answer to what is not a valid upgrade, or not a wanted one.
    pub(crate) fn refusal(&self, fault: &InvalidUpgrade) -> Bytes {
        if let (InvalidUpgrade::NotUpgrade, Some(answer)) = (fault, &self.fallback) {
            return encode_response(answer.status(), answer.headers(), answer.body());
        }
        refusal(fault)
    }

    /// Whether the request is wanted.
    pub(crate) fn judge(&self, request: &UpgradeRequest) -> Result<(), InvalidUpgrade> {
        match &self.origins {
            Some(allowed) => request.check_origin(allowed),
            None => Ok(()),
        }
    }
}
