//! Ending channels from outside.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use futures::{Sink, Stream};
use pin_project_lite::pin_project;

use super::waiting::{Half, Waiting};
use super::{Closed, Transformer};

/// Ends any number of channels from outside.
///
/// For whoever does not own the channels, as at the shutdown of a server, or when a user logs out.
/// The channels are those that it [bound](Self::bind); each is closed by the task that has it, which
/// is woken for that. Clones are of one disconnector.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
/// use ws_channel::StreamChannelExt;
/// use ws_channel::stream_channel::{Disconnector, duplex};
///
/// # futures::executor::block_on(async {
/// let disconnector = Disconnector::new();
/// let (near, mut far) = duplex::<u8>(4);
/// let mut near = near.transform(&disconnector);
///
/// let handler = async move { assert_eq!(near.next().await, None) };
/// futures::join!(handler, disconnector.disconnect());
/// assert_eq!(far.next().await, None);
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Disconnector {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    disconnected: AtomicBool,
    registry: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    next: u64,
    /// The channels that are not closed yet.
    members: BTreeMap<u64, Arc<Waiting>>,
    /// Who waits until there is none.
    waiting: BTreeMap<u64, Waker>,
}

impl Disconnector {
    /// A disconnector of no channel yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A channel that ends when [`disconnect`](Self::disconnect) is called; at once if it was called.
    pub fn bind<C>(&self, channel: C) -> Disconnectable<C> {
        let waiting = Arc::new(Waiting::default());
        let member = Member {
            waker: Waker::from(Arc::clone(&waiting)),
            id: self.shared.join(Arc::clone(&waiting)),
            waiting,
            shared: Arc::clone(&self.shared),
        };
        Disconnectable { inner: channel, state: State::Open, member }
    }

    /// Ends the channels, now, and says when all of them are closed.
    ///
    /// What they still receive is dropped. Each is closed when its task polls it, to which it is woken;
    /// one that is dropped counts as closed. So the future resolves when all of them were polled to
    /// their end or dropped; how long the closing of one may take is its own matter, and a deadline
    /// that of the caller. Called again, it gives a future of the same end.
    ///
    /// What goes wrong in the closing is told to whoever has the channel.
    ///
    /// # Cancellation safety
    ///
    /// The channels end whether or not the future is polled.
    pub fn disconnect(&self) -> Disconnecting {
        if !self.shared.disconnected.swap(true, Ordering::SeqCst) {
            let members: Vec<_> = self.shared.lock().members.values().map(Arc::clone).collect();
            for member in members {
                member.wake();
            }
        }
        Disconnecting { shared: Arc::clone(&self.shared), id: None }
    }

    /// Whether [`disconnect`](Self::disconnect) was called.
    pub fn is_disconnected(&self) -> bool {
        self.shared.is_disconnected()
    }
}

impl<C> Transformer<C> for Disconnector {
    type Output = Disconnectable<C>;

    fn bind(&self, channel: C) -> Disconnectable<C> {
        Self::bind(self, channel)
    }
}

impl fmt::Debug for Disconnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disconnector")
            .field("is_disconnected", &self.is_disconnected())
            .field("channels", &self.shared.lock().members.len())
            .finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_disconnected(&self) -> bool {
        self.disconnected.load(Ordering::SeqCst)
    }

    fn join(&self, waiting: Arc<Waiting>) -> u64 {
        let mut registry = self.lock();
        let id = registry.next;
        registry.next += 1;
        registry.members.insert(id, waiting);
        id
    }

    fn leave(&self, id: u64) {
        let mut registry = self.lock();
        registry.members.remove(&id);
        if registry.members.is_empty() {
            let waiting = std::mem::take(&mut registry.waiting);
            drop(registry);
            waiting.into_values().for_each(Waker::wake);
        }
    }
}

/// The future of [`Disconnector::disconnect`].
///
/// Not lazy: the channels end without it.
pub struct Disconnecting {
    shared: Arc<Shared>,
    id: Option<u64>,
}

impl Future for Disconnecting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut registry = this.shared.lock();
        if registry.members.is_empty() {
            return Poll::Ready(());
        }
        let id = *this.id.get_or_insert(registry.next);
        registry.next = registry.next.max(id + 1);
        let before = registry.waiting.insert(id, cx.waker().clone());
        drop(registry);
        // A waker may hold the last of a task that has a channel.
        drop(before);
        Poll::Pending
    }
}

impl Drop for Disconnecting {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let waker = self.shared.lock().waiting.remove(&id);
            drop(waker);
        }
    }
}

impl fmt::Debug for Disconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disconnecting").finish_non_exhaustive()
    }
}

pin_project! {
    /// A channel that a [`Disconnector`] can end.
    ///
    /// After that, its stream ends and what is sent is [`Closed`], both once the channel below is
    /// closed; if closing that fails, whoever asks first is told. A task that waits for it to receive,
    /// or for room, is woken; one that waits for something else, as a `send_all` for its next item,
    /// finds out when it comes back to it.
    #[must_use = "channels do nothing unless polled"]
    pub struct Disconnectable<C> {
        #[pin]
        inner: C,
        state: State,
        member: Member,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// By the program itself.
    Closing,
    /// The channel below is closed.
    Closed,
}

/// A channel's place with its disconnector.
struct Member {
    shared: Arc<Shared>,
    id: u64,
    waiting: Arc<Waiting>,
    /// `waiting`: both halves may drive the closing.
    waker: Waker,
}

impl Member {
    fn leave(&self) {
        self.shared.leave(self.id);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<C> Disconnectable<C> {
    /// The channel itself.
    pub fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The channel itself.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// The channel itself, which the disconnector then no longer knows.
    pub fn into_inner(self) -> C {
        self.inner
    }

    /// Polls the channel with `poll`; or closes it, if it was disconnected.
    fn poll_bound<T, U, P>(
        self: Pin<&mut Self>,
        half: fn(&Waiting) -> &Half,
        cx: &Context<'_>,
        poll: P,
    ) -> Poll<Polled<U, C::Error>>
    where
        C: Sink<T>,
        P: FnOnce(Pin<&mut C>, &mut State, &mut Context<'_>) -> Poll<U>,
    {
        let this = self.project();
        let (member, state, inner) = (&*this.member, this.state, this.inner);
        half(&member.waiting).poll(cx, || {
            if !member.shared.is_disconnected() {
                return poll(inner, state, &mut Context::from_waker(cx.waker())).map(Polled::Open);
            }
            if *state == State::Closed {
                return Poll::Ready(Polled::Disconnected(Ok(())));
            }
            let closed = ready!(inner.poll_close(&mut Context::from_waker(&member.waker)));
            *state = State::Closed;
            member.leave();
            member.waiting.wake();
            Poll::Ready(Polled::Disconnected(closed))
        })
    }
}

/// What became of a poll.
enum Polled<U, E> {
    Open(U),
    Disconnected(Result<(), E>),
}

impl<C, T, E> Stream for Disconnectable<C>
where
    C: Stream<Item = Result<T, E>> + Sink<T, Error = E>,
{
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled =
            self.poll_bound(|waiting| &waiting.stream, cx, |inner, _, cx| inner.poll_next(cx));
        Poll::Ready(match ready!(polled) {
            Polled::Open(item) => item,
            Polled::Disconnected(closed) => closed.err().map(Err),
        })
    }
}

impl<C: Sink<T>, T> Sink<T> for Disconnectable<C>
where
    C::Error: From<Closed>,
{
    type Error = C::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let polled = self.poll_bound(sink, cx, |inner, state, cx| match state {
            State::Open => inner.poll_ready(cx),
            State::Closing | State::Closed => Poll::Ready(Err(Closed::Ended.into())),
        });
        Poll::Ready(match ready!(polled) {
            Polled::Open(ready) => ready,
            Polled::Disconnected(closed) => closed.and(Err(Closed::Ended.into())),
        })
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), C::Error> {
        let this = self.project();
        if *this.state == State::Open && !this.member.shared.is_disconnected() {
            this.inner.start_send(item)
        } else {
            Err(Closed::Ended.into())
        }
    }

    /// Closing hands over what was sent, so that a flush is none the worse for it.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let polled = self.poll_bound(sink, cx, |inner, state, cx| match state {
            State::Open | State::Closing => inner.poll_flush(cx),
            State::Closed => Poll::Ready(Ok(())),
        });
        Poll::Ready(match ready!(polled) {
            Polled::Open(result) | Polled::Disconnected(result) => result,
        })
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        let polled = self.as_mut().poll_bound(sink, cx, |inner, state, cx| {
            if *state == State::Closed {
                return Poll::Ready(Ok(()));
            }
            *state = State::Closing;
            inner.poll_close(cx)
        });
        let polled = ready!(polled);
        let this = self.project();
        if *this.state != State::Closed {
            *this.state = State::Closed;
            this.member.leave();
        }
        Poll::Ready(match polled {
            Polled::Open(result) | Polled::Disconnected(result) => result,
        })
    }
}

fn sink(waiting: &Waiting) -> &Half {
    &waiting.sink
}

impl<C: fmt::Debug> fmt::Debug for Disconnectable<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disconnectable")
            .field("inner", &self.inner)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
