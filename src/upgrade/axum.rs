//! The extractor of axum.

use axum::body::Body;
use axum::extract::{FromRequestParts, OptionalFromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use crate::protocol::handshake::asks_for_websocket;
use crate::{AcceptError, Upgrade};

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = AcceptError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AcceptError> {
        let handed_over = parts.extensions.remove();
        // In a nested router the other one lacks what stands in front.
        let original = parts.extensions.get::<OriginalUri>();
        let uri = original.map_or(&parts.uri, |OriginalUri(uri)| uri);
        let upgrade = Self::new(&parts.method, uri, parts.version, &parts.headers, handed_over);
        upgrade.check().map_err(AcceptError::Refused)?;
        Ok(upgrade)
    }
}

/// `None` if the request does not ask for a WebSocket.
impl<S: Sync> OptionalFromRequestParts<S> for Upgrade {
    type Rejection = AcceptError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AcceptError> {
        if !asks_for_websocket(parts.version, &parts.headers) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}

/// The answer that the client should get: the refusal with a text that says what to do, or 500.
impl IntoResponse for AcceptError {
    fn into_response(self) -> Response {
        self.to_response().map(Body::from)
    }
}
