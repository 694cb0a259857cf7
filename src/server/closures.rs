//! Hooks made of closures.

use std::fmt;
use std::future::Future;

use crate::server::hooks::{HookOutput, HookResult, Hooks};
use crate::server::verdict::IntoVerdict;
use crate::server::{Acceptance, Peer, PeerError, PeerRequest, Refusal};
use crate::{CloseEvent, Message};

/// Hooks made of closures, each of which may be left out.
///
/// Each closure takes what the method of [`Hooks`] takes, owned (a [`Peer`] is cheap to clone), and
/// returns a future of nothing or of a `Result`. What is promised is said there.
///
/// # Examples
///
/// ```
/// use ws_channel::server::{HookResult, hooks};
///
/// let hooks = hooks()
///     .open(async |peer| println!("{peer} came from {:?}", peer.remote_addr()))
///     .message(async |peer, message| -> HookResult {
///         if message.as_text() == Some("ping") {
///             peer.send("pong").await?;
///         }
///         Ok(())
///     })
///     .close(async |peer, event| println!("{peer} left: {event}"));
/// # let _ = hooks;
/// ```
#[doc(alias = "defineHooks")]
pub fn hooks() -> Closures {
    Closures {
        upgrade: Absent,
        open: Absent,
        message: Absent,
        drain: Absent,
        error: Absent,
        close: Absent,
    }
}

/// Hooks made of closures; made by [`hooks`].
#[derive(Clone)]
#[must_use = "hooks do nothing until a server has them"]
pub struct Closures<U = Absent, O = Absent, M = Absent, D = Absent, E = Absent, C = Absent> {
    upgrade: U,
    open: O,
    message: M,
    drain: D,
    error: E,
    close: C,
}

/// A hook that was left out.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Absent;

/// A closure as a hook.
#[derive(Clone, Copy)]
pub struct Closure<F>(F);

impl<U, O, M, D, E, C> Closures<U, O, M, D, E, C> {
    /// Sets [`Hooks::upgrade`]: the closure returns nothing, an [`Acceptance`], or a `Result` of
    /// either whose error becomes the [`Refusal`], such as a response or a status.
    pub fn upgrade<F, Fut>(self, upgrade: F) -> Closures<Closure<F>, O, M, D, E, C>
    where
        F: Fn(PeerRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoVerdict> + Send,
    {
        let Self { open, message, drain, error, close, .. } = self;
        Closures { upgrade: Closure(upgrade), open, message, drain, error, close }
    }

    /// Sets [`Hooks::open`].
    pub fn open<F, Fut>(self, open: F) -> Closures<U, Closure<F>, M, D, E, C>
    where
        F: Fn(Peer) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send,
    {
        let Self { upgrade, message, drain, error, close, .. } = self;
        Closures { upgrade, open: Closure(open), message, drain, error, close }
    }

    /// Sets [`Hooks::message`].
    pub fn message<F, Fut>(self, message: F) -> Closures<U, O, Closure<F>, D, E, C>
    where
        F: Fn(Peer, Message) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send,
    {
        let Self { upgrade, open, drain, error, close, .. } = self;
        Closures { upgrade, open, message: Closure(message), drain, error, close }
    }

    /// Sets [`Hooks::drain`].
    pub fn drain<F, Fut>(self, drain: F) -> Closures<U, O, M, Closure<F>, E, C>
    where
        F: Fn(Peer) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send,
    {
        let Self { upgrade, open, message, error, close, .. } = self;
        Closures { upgrade, open, message, drain: Closure(drain), error, close }
    }

    /// Sets [`Hooks::error`].
    pub fn error<F, Fut>(self, error: F) -> Closures<U, O, M, D, Closure<F>, C>
    where
        F: Fn(Peer, PeerError) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send,
    {
        let Self { upgrade, open, message, drain, close, .. } = self;
        Closures { upgrade, open, message, drain, error: Closure(error), close }
    }

    /// Sets [`Hooks::close`].
    pub fn close<F, Fut>(self, close: F) -> Closures<U, O, M, D, E, Closure<F>>
    where
        F: Fn(Peer, CloseEvent) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send,
    {
        let Self { upgrade, open, message, drain, error, .. } = self;
        Closures { upgrade, open, message, drain, error, close: Closure(close) }
    }
}

impl<U, O, M, D, E, C> fmt::Debug for Closures<U, O, M, D, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closures").finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for Closure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closure").finish_non_exhaustive()
    }
}

/// A hook that may be absent, with its arguments as a tuple.
pub trait Call<A>: Send + Sync + 'static {
    /// Calls it.
    fn call(&self, arguments: A) -> impl Future<Output = HookResult> + Send;
}

impl<A: Send> Call<A> for Absent {
    fn call(&self, _: A) -> impl Future<Output = HookResult> + Send {
        std::future::ready(Ok(()))
    }
}

impl<F, Fut> Call<(Peer,)> for Closure<F>
where
    F: Fn(Peer) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: HookOutput> + Send,
{
    async fn call(&self, (peer,): (Peer,)) -> HookResult {
        (self.0)(peer).await.into_result()
    }
}

impl<F, Fut, X> Call<(Peer, X)> for Closure<F>
where
    F: Fn(Peer, X) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: HookOutput> + Send,
    X: Send,
{
    async fn call(&self, (peer, x): (Peer, X)) -> HookResult {
        (self.0)(peer, x).await.into_result()
    }
}

/// The upgrade hook that may be absent.
pub trait CallUpgrade: Send + Sync + 'static {
    /// Calls it.
    fn call(
        &self,
        request: &PeerRequest,
    ) -> impl Future<Output = Result<Acceptance, Refusal>> + Send;
}

impl CallUpgrade for Absent {
    async fn call(&self, _: &PeerRequest) -> Result<Acceptance, Refusal> {
        Ok(Acceptance::new())
    }
}

impl<F, Fut> CallUpgrade for Closure<F>
where
    F: Fn(PeerRequest) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoVerdict> + Send,
{
    async fn call(&self, request: &PeerRequest) -> Result<Acceptance, Refusal> {
        (self.0)(request.clone()).await.into_verdict()
    }
}

impl<U, O, M, D, E, C> Hooks for Closures<U, O, M, D, E, C>
where
    U: CallUpgrade,
    O: Call<(Peer,)>,
    M: Call<(Peer, Message)>,
    D: Call<(Peer,)>,
    E: Call<(Peer, PeerError)>,
    C: Call<(Peer, CloseEvent)>,
{
    async fn upgrade(&self, request: &PeerRequest) -> Result<Acceptance, Refusal> {
        self.upgrade.call(request).await
    }

    async fn open(&self, peer: &Peer) -> HookResult {
        self.open.call((peer.clone(),)).await
    }

    async fn message(&self, peer: &Peer, message: Message) -> HookResult {
        self.message.call((peer.clone(), message)).await
    }

    async fn drain(&self, peer: &Peer) -> HookResult {
        self.drain.call((peer.clone(),)).await
    }

    async fn error(&self, peer: &Peer, error: PeerError) -> HookResult {
        self.error.call((peer.clone(), error)).await
    }

    async fn close(&self, peer: &Peer, event: CloseEvent) -> HookResult {
        self.close.call((peer.clone(), event)).await
    }
}
