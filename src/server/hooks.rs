//! What a program does at each step of a peer's life.

use std::future::Future;

use crate::server::{Acceptance, Peer, PeerError, PeerRequest, Refusal};
use crate::{CloseEvent, Message};

/// An error of a program, of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a hook returns: an error ends the peer with close code 1011, and goes to
/// [`Hooks::error`].
pub type HookResult = Result<(), BoxError>;

/// What a program does at each step of a peer's life: `upgrade`, `open`, `message`, `drain`,
/// `error`, `close`.
///
/// Any may be left out. Implemented with plain `async fn`, as in the example; where closures are
/// shorter, [`hooks`](crate::server::hooks) takes them. What is promised:
///
/// - The order is `upgrade`, `open`, `message` for each message, `error` at most once, `close`.
/// - After `open` was called, `close` is called exactly once, however the connection ends, with
///   the event.
/// - One hook of a peer runs at a time, messages in their order. While it runs, what it sends goes
///   out, and pings and Close frames of the peer are answered.
/// - A hook that panics or returns an error ends that peer with close code 1011, is reported to
///   `error`, and harms nobody else; in `upgrade` it is answered 500.
/// - A hook is not cancelled when the connection ends meanwhile: it runs to its end, and what it
///   sends from then on is [`Error::Closed`](crate::Error::Closed). Only a
///   [shutdown](crate::server::Hub::shutdown) that is over its deadline cancels hooks.
///
/// A peer's task keeps the room for the largest of its hooks' futures, also while it is idle. What
/// is large and rare is better awaited in a box: `Box::pin(async { … }).await`.
///
/// # Examples
///
/// ```
/// use ws_channel::server::{HookResult, Hooks, Peer};
/// use ws_channel::{CloseEvent, Message};
///
/// struct Chat;
///
/// impl Hooks for Chat {
///     async fn open(&self, peer: &Peer) -> HookResult {
///         peer.subscribe("room");
///         Ok(())
///     }
///
///     async fn message(&self, peer: &Peer, message: Message) -> HookResult {
///         peer.publish("room", message).await;
///         Ok(())
///     }
///
///     async fn close(&self, peer: &Peer, event: CloseEvent) -> HookResult {
///         println!("{peer} left: {event}");
///         Ok(())
///     }
/// }
/// # fn is<H: Hooks>(_: H) {}
/// # is(Chat);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no hooks",
    note = "implement `Hooks` for it, or make hooks of closures with `ws_channel::server::hooks()`"
)]
pub trait Hooks: Send + Sync + 'static {
    /// A client asks for a WebSocket: accepts it, with a subprotocol, headers and context as
    /// needed, or refuses it with a response of HTTP.
    ///
    /// Left out, every valid request is accepted.
    fn upgrade(
        &self,
        request: &PeerRequest,
    ) -> impl Future<Output = Result<Acceptance, Refusal>> + Send {
        let _ = request;
        async { Ok(Acceptance::new()) }
    }

    /// The connection is open. No message is delivered until this has ended.
    fn open(&self, peer: &Peer) -> impl Future<Output = HookResult> + Send {
        let _ = peer;
        async { Ok(()) }
    }

    /// A message came.
    ///
    /// While it runs the next message is not taken; a peer that sends faster than its messages
    /// are worked on is slowed down by TCP. To work on several at a time, spawn a task with the
    /// peer's clone, and bound how many there are.
    fn message(&self, peer: &Peer, message: Message) -> impl Future<Output = HookResult> + Send {
        let _ = (peer, message);
        async { Ok(()) }
    }

    /// All that waited to be sent has been handed to the transport, after it could not be at once.
    fn drain(&self, peer: &Peer) -> impl Future<Output = HookResult> + Send {
        let _ = peer;
        async { Ok(()) }
    }

    /// The connection broke, or a hook failed. `close` follows.
    fn error(&self, peer: &Peer, error: PeerError) -> impl Future<Output = HookResult> + Send {
        let _ = (peer, error);
        async { Ok(()) }
    }

    /// The connection is over.
    fn close(&self, peer: &Peer, event: CloseEvent) -> impl Future<Output = HookResult> + Send {
        let _ = (peer, event);
        async { Ok(()) }
    }
}

/// The steps of a peer's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hook {
    /// [`Hooks::upgrade`].
    Upgrade,
    /// [`Hooks::open`].
    Open,
    /// [`Hooks::message`].
    Message,
    /// [`Hooks::drain`].
    Drain,
    /// [`Hooks::error`].
    Error,
    /// [`Hooks::close`].
    Close,
}

impl Hook {
    /// Its name, as that of the method.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::Open => "open",
            Self::Message => "message",
            Self::Drain => "drain",
            Self::Error => "error",
            Self::Close => "close",
        }
    }
}

/// What the hooks of closures may return: nothing, or a `Result`.
pub trait HookOutput {
    /// As what the hooks of [`Hooks`] return.
    ///
    /// # Errors
    ///
    /// Its own.
    fn into_result(self) -> HookResult;
}

impl HookOutput for () {
    fn into_result(self) -> HookResult {
        Ok(())
    }
}

impl<T, E: Into<BoxError>> HookOutput for Result<T, E> {
    fn into_result(self) -> HookResult {
        self.map(drop).map_err(Into::into)
    }
}
