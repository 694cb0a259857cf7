//! WebSockets on HTTP servers that parse the request and own the connection: hyper and axum.

#[cfg(feature = "axum")]
mod axum;
mod upgraded;
mod upgrading;

use std::future::Future;
use std::time::Duration;

#[cfg(feature = "server")]
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper::upgrade::OnUpgrade;

use crate::adapter::exchange::TIMEOUT;
use crate::adapter::terms::{Terms, term_setters};
use crate::protocol::handshake::{Fields, UpgradeRequest, asks_for_websocket};
use crate::protocol::{Handshake, InvalidUpgrade};
use crate::{AcceptError, WebSocketAdapter};

pub use upgraded::Upgraded;
pub use upgrading::Upgrading;

/// Opens a WebSocket on a request that hyper received.
///
/// What is returned takes options and then [`answer`](Upgrade::answer)s. The connection has to be
/// served `with_upgrades()`, over HTTP/1.1. The request is judged as by
/// [`WebSocketAdapter::accept`], and one that is not a valid upgrade, or not a wanted one, gets the
/// same answers. Call it once a request: it takes what hyper left in the request's extensions.
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
///
/// use futures::{SinkExt, StreamExt};
/// use http::{Request, Response};
/// use hyper::body::Incoming;
/// use ws_channel::Error;
///
/// /// Of a hyper service: a page for browsers, and an echo for WebSocket clients.
/// async fn serve(mut request: Request<Incoming>) -> Result<Response<String>, Infallible> {
///     if !ws_channel::is_upgrade_request(&request) {
///         return Ok(Response::new("connect with a WebSocket client\n".into()));
///     }
///     let (response, upgrading) = ws_channel::upgrade(&mut request).protocols(["chat"]).answer();
///     tokio::spawn(async move {
///         let mut channel = upgrading.await?;
///         while let Some(message) = channel.next().await {
///             channel.send(message?).await?;
///         }
///         Ok::<_, Error>(())
///     });
///     Ok(response)
/// }
/// ```
#[doc(alias = "WebSocketTransformer.upgrade")]
pub fn upgrade<B>(request: &mut Request<B>) -> Upgrade {
    let handed_over = request.extensions_mut().remove();
    let (method, uri, version) = (request.method(), request.uri(), request.version());
    Upgrade::new(method, uri, version, request.headers(), handed_over)
}

/// Whether a request asks for a WebSocket, to be told from the others of an HTTP server.
///
/// Looks at `Connection` and `Upgrade` alone. What is wrong otherwise is for [`upgrade`] to refuse,
/// so that a client of another version of the protocol, say, is told.
///
/// # Examples
///
/// ```
/// let request = http::Request::builder()
///     .header("Connection", "keep-alive, Upgrade")
///     .header("Upgrade", "websocket")
///     .body(())?;
/// assert!(ws_channel::is_upgrade_request(&request));
/// assert!(!ws_channel::is_upgrade_request(&http::Request::new(())));
/// # Ok::<_, http::Error>(())
/// ```
#[doc(alias = "isUpgradeRequest")]
pub fn is_upgrade_request<B>(request: &Request<B>) -> bool {
    asks_for_websocket(request.version(), request.headers())
}

/// A request to a hyper or axum server, to be opened as a WebSocket; made by [`upgrade`], and in
/// axum an extractor.
///
/// Takes options, and ends with [`answer`](Self::answer) or [`on_upgrade`](Self::on_upgrade). To
/// reject the request, answer something else and drop this.
///
/// In axum it stands in a handler's arguments beside the request's other extractors; a request that
/// is not a valid upgrade is answered before the handler runs. `Option<Upgrade>` is `None` where
/// the request does not ask for a WebSocket at all.
///
/// # Examples
///
/// The subprotocol may be chosen with the request in hand, from what the client offers:
///
/// ```
/// # async fn is_known(token: &str) -> bool { token == "a1b2" }
/// async fn serve(mut request: http::Request<String>) -> http::Response<String> {
///     let upgrade = ws_channel::upgrade(&mut request);
///     let mut token = None;
///     for offer in upgrade.offered_protocols() {
///         if is_known(offer).await {
///             token = Some(offer.to_owned());
///         }
///     }
///     let Some(token) = token else {
///         let mut response = http::Response::new("log in first\n".to_owned());
///         *response.status_mut() = http::StatusCode::UNAUTHORIZED;
///         return response;
///     };
///     upgrade.protocol(token).on_upgrade(|channel| async move { drop(channel) })
/// }
/// ```
#[derive(Debug)]
#[doc(alias = "WebSocketUpgrade")]
#[must_use = "a client waits for its answer"]
pub struct Upgrade {
    request: Result<UpgradeRequest, InvalidUpgrade>,
    handed_over: Option<OnUpgrade>,
    chosen: Option<Box<str>>,
    terms: Terms,
    timeout: Duration,
}

impl Upgrade {
    fn new(
        method: &Method,
        uri: &Uri,
        version: Version,
        headers: &HeaderMap,
        handed_over: Option<OnUpgrade>,
    ) -> Self {
        Self {
            request: UpgradeRequest::parsed(method, uri, version, headers),
            handed_over,
            chosen: None,
            terms: Terms::default(),
            timeout: TIMEOUT,
        }
    }

    /// The upgrade of a request that came in parts.
    #[cfg(feature = "server")]
    pub(crate) fn of(parts: &mut Parts) -> Self {
        let handed_over = parts.extensions.remove();
        Self::new(&parts.method, &parts.uri, parts.version, &parts.headers, handed_over)
    }

    term_setters!();

    fn terms_mut(&mut self) -> &mut Terms {
        &mut self.terms
    }

    /// Sets the subprotocol, in place of the one that [`protocols`](Self::protocols) leads to.
    ///
    /// It has to be one of those offered; else the client is answered 500, and the attempt is an
    /// error.
    pub fn protocol(mut self, protocol: impl Into<String>) -> Self {
        self.chosen = Some(protocol.into().into());
        self
    }

    /// Sets how long the answer may take to be on its way, from when the channel is first waited
    /// for. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The subprotocols that the client offers, the most wanted first.
    pub fn offered_protocols(&self) -> Vec<&str> {
        self.request.as_ref().map(UpgradeRequest::protocols).unwrap_or_default()
    }

    /// Whether the request is a valid upgrade, and wanted as far as that has been set.
    ///
    /// There is no need to ask: [`answer`](Self::answer) does.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), InvalidUpgrade> {
        self.request.as_ref().map_err(Clone::clone).and_then(|request| self.terms.judge(request))
    }

    /// The response for the HTTP server to send, and the channel once that is on its way.
    ///
    /// The response is 101 with no body; or the request's proper refusal (400, 403, 405, 426 and so
    /// on) with a text that says what to do, and the future then has the error. The body becomes
    /// that of another kind with `response.map(…)`.
    ///
    /// The future has to be awaited in another task, since the response has to be returned first.
    pub fn answer(self) -> (Response<String>, Upgrading) {
        self.accept().unwrap_or_else(|error| (error.to_response(), Upgrading::failed(error)))
    }

    fn accept(mut self) -> Result<(Response<String>, Upgrading), AcceptError> {
        self.check().map_err(AcceptError::Refused)?;
        let request = self.request.map_err(AcceptError::Refused)?;
        let protocol = match self.chosen {
            Some(chosen) => self.terms.pick(&request, chosen),
            None => request.choose(&self.terms.protocols),
        };
        if let Some(error) = self.terms.invalid {
            return Err(error);
        }
        let on_upgrade = self.handed_over.ok_or(AcceptError::NotHandedOver)?;
        let extensions = self.terms.agree(&request);
        let response = request.switch_response(protocol.as_deref(), self.terms.headers);
        let fields = if self.terms.keep_headers { request.fields } else { Fields::default() };
        let handshake = Handshake::settled(request.target, protocol, fields)
            .with_text_of_extensions(extensions);
        Ok((response, Upgrading::new(on_upgrade, handshake, self.terms.options, self.timeout)))
    }

    /// Answers, and serves the channel in a task of its own.
    ///
    /// The response is that of [`answer`](Self::answer); `serve` is called only if the WebSocket
    /// opens. Whoever has to know why one did not awaits the future that `answer` returns.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn on_upgrade<F, R>(self, serve: F) -> Response<String>
    where
        F: FnOnce(WebSocketAdapter<Upgraded>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let (response, upgrading) = self.answer();
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            tokio::spawn(async move {
                if let Ok(channel) = upgrading.await {
                    serve(channel).await;
                }
            });
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_a_connection_to_hand_over_is_answered_500_and_says_why() {
        let mut request = Request::builder()
            .header("Host", "h")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .body(())
            .unwrap();
        let upgrade = upgrade(&mut request);
        assert_eq!(upgrade.check(), Ok(()));
        let (response, upgrading) = upgrade.answer();
        assert_eq!(response.status(), 500);
        let error = tokio_test::block_on(upgrading).unwrap_err();
        assert!(error.to_string().contains("with_upgrades()"), "{error}");
    }
}
