//! The other side of a channel that can be used before it exists.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Sink;
use futures::channel::oneshot;

use super::{Closed, Deferred, StreamChannel};

/// Says, once, what a channel that is in use already stands on.
///
/// For a function that has to return a channel before it can have one. The [`Deferred`] beside it can
/// be used at once. Dropping the completer is a failure, [`Closed`].
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::stream_channel::{Closed, Completer, duplex};
///
/// # futures::executor::block_on(async {
/// let (completer, mut channel) = Completer::new(16);
/// channel.feed("early").await?;
///
/// let (near, mut far) = duplex(4);
/// completer.complete(near);
/// channel.flush().await?;
/// assert_eq!(far.next().await, Some(Ok("early")));
/// # Ok::<_, Closed>(())
/// # }).unwrap();
/// ```
///
/// It is set once:
///
/// ```compile_fail,E0382
/// # use ws_channel::stream_channel::{Completer, duplex};
/// # let ((one, _), (other, _)) = (duplex::<u8>(1), duplex::<u8>(1));
/// # let (completer, _channel) = Completer::new(16);
/// completer.complete(one);
/// completer.complete(other);
/// ```
#[doc(alias = "StreamChannelCompleter")]
pub struct Completer<C, E> {
    sender: oneshot::Sender<Result<C, E>>,
}

impl<C, E> Completer<C, E> {
    /// A completer, and the channel that it completes, which keeps up to `capacity` items meanwhile.
    pub fn new<T>(capacity: usize) -> (Self, Deferred<Completion<C, E>, C, T>)
    where
        C: StreamChannel<T> + Sink<T, Error = E>,
        E: From<Closed>,
    {
        let (sender, receiver) = oneshot::channel();
        (Self { sender }, Deferred::new(Completion { receiver }, capacity))
    }

    /// Sets the channel, unless nobody waits for it: what it was for is closed or dropped. Then the
    /// channel is dropped; [`is_canceled`](Self::is_canceled) tells before.
    #[doc(alias = "setChannel")]
    pub fn complete(self, channel: C) {
        // Nobody waits: a normal end.
        let _ = self.sender.send(Ok(channel));
    }

    /// Says that there will be no channel, to whoever still waits for it.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use ws_channel::stream_channel::{Completer, Duplex};
    /// use std::io;
    ///
    /// # futures::executor::block_on(async {
    /// let (completer, mut channel) = Completer::<Duplex<u8, io::Error>, _>::new(16);
    /// completer.fail(io::ErrorKind::HostUnreachable.into());
    /// let told = channel.next().await.unwrap().unwrap_err();
    /// assert_eq!(told.kind(), io::ErrorKind::HostUnreachable);
    /// assert!(channel.next().await.is_none());
    /// # });
    /// ```
    #[doc(alias = "setError")]
    pub fn fail(self, error: E) {
        let _ = self.sender.send(Err(error));
    }

    /// Whether nobody waits for the channel any more: it was closed or dropped.
    pub fn is_canceled(&self) -> bool {
        self.sender.is_canceled()
    }

    /// Waits until nobody waits for the channel any more, so that making it can be given up.
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// use futures::SinkExt;
    /// use ws_channel::stream_channel::{Closed, Completer, Duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (mut completer, mut channel) = Completer::<Duplex<u8>, _>::new(16);
    /// channel.close().await?;
    /// poll_fn(|cx| completer.poll_canceled(cx)).await;
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    pub fn poll_canceled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.sender.poll_canceled(cx)
    }
}

impl<C, E> fmt::Debug for Completer<C, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completer").field("is_canceled", &self.is_canceled()).finish()
    }
}

/// The future that a [`Completer`] completes.
#[must_use = "futures do nothing unless awaited"]
pub struct Completion<C, E> {
    receiver: oneshot::Receiver<Result<C, E>>,
}

impl<C, E: From<Closed>> Future for Completion<C, E> {
    type Output = Result<C, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let made = ready!(Pin::new(&mut self.receiver).poll(cx));
        Poll::Ready(made.unwrap_or_else(|_| Err(Closed::Ended.into())))
    }
}

impl<C, E> fmt::Debug for Completion<C, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion").finish_non_exhaustive()
    }
}
