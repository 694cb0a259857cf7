//! What one can connect to.

use std::future::IntoFuture;

use crate::Error;
use crate::channel::WebSocketChannel;

/// Something to connect to: its type decides what kind of channel that gives.
///
/// A URL (`&str`, `String`, `Url`) or a [`Request`](crate::Request) gives the platform's channel;
/// `(any of these, io)` gives a [`WebSocketAdapter`](crate::WebSocketAdapter) over that `io`.
/// Open to other implementations: a test's own endpoint gives its fake.
///
/// Generic code names the channel, so that its `close` and `split` are not mistaken for those of
/// futures' extension traits:
///
/// ```
/// use ws_channel::{Endpoint, Error, WebSocketChannel, status};
///
/// async fn greet<C, E>(endpoint: E) -> Result<(), Error>
/// where
///     C: WebSocketChannel + Unpin,
///     E: Endpoint<Channel = C>,
/// {
///     let mut channel = C::connect(endpoint).await?;
///     channel.close(status::NORMAL_CLOSURE, "just looking").await?;
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something a WebSocket can connect to",
    note = "a URL is (`&str`, `String`, `Url`), a `Request`, or one of these with a byte stream: `(url, io)`"
)]
pub trait Endpoint: Sized {
    /// The channel that connecting gives.
    type Channel: WebSocketChannel;

    /// The attempt: a builder of its options that is awaited.
    type Connect: IntoFuture<Output = Result<Self::Channel, Error>>;

    /// Prepares the attempt. Nothing happens until it is awaited.
    fn connect(self) -> Self::Connect;
}

/// Connects to `endpoint`: the plain spelling of
/// [`WebSocketChannel::connect`](WebSocketChannel::connect).
///
/// # Errors
///
/// Those of the attempt, in the awaited result and nowhere else.
///
/// # Examples
///
/// ```no_run
/// # async fn connect() -> Result<(), ws_channel::Error> {
/// let channel = ws_channel::connect("ws://127.0.0.1:8080/chat").await?;
/// # let _ = channel; Ok(()) }
/// ```
pub fn connect<E: Endpoint>(endpoint: E) -> E::Connect {
    endpoint.connect()
}
