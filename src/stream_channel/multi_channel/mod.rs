//! Many channels over one.

#[cfg(feature = "json")]
mod document;
mod frame;
mod incoming;
mod outgoing;
mod shared;
mod state;
mod used;
mod virtual_channel;
mod wakers;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};

use super::{Closed, StreamChannel};

use state::Limits;

pub use frame::Frame;
pub use virtual_channel::{InvalidId, VirtualChannel};

/// Many virtual channels over one, on the wire as Dart's `MultiChannel`.
///
/// It is a channel itself, the default one, with the id 0, which is there at both ends from the start.
/// Either end [opens](Self::open) others; it then sends their [`id`](VirtualChannel::id) to the peer,
/// which [attaches](Self::attach) to them. Every virtual channel can open and attach as well.
///
/// # Closing
///
/// Closing or dropping a virtual channel ends it at both ends: its own stream at once, and the peer's
/// after what was sent before. When the last one that this end has is closed, the channel below is.
/// When the channel below ends, all of them do, and those that are opened later have ended already.
///
/// # Errors
///
/// The stream of the default channel tells the errors of the channel below; when it is closed, whoever
/// finds one does. An item that the channel below does not take is an error of whoever sent it.
///
/// # Slow readers
///
/// The wire format has no flow control, so what arrives for a channel whose reader is busy is kept,
/// up to a [number of messages](MultiChannelBuilder::buffer). A reader that falls behind that far
/// loses its channel, and no other suffers: the channel is closed, what was kept can be read, and then
/// comes [`Closed::Overflow`]. Readers that are merely due to run are waited for: the tasks that read
/// for all let others run before they read on.
///
/// What arrives for a channel that nobody attached to yet is kept in the same way, for up to a [number
/// of channels](MultiChannelBuilder::pending). Beyond that, one that the peer closed again is forgotten,
/// or else the new one is refused: the peer finds it closed. So a channel that its peer never attaches
/// to accepts messages until the peer's buffer is full, and is then closed; whoever must know sooner
/// waits for an answer.
///
/// # Who drives it
///
/// There is no task behind it. Whoever reads a virtual channel reads for all, and whoever sends sends
/// for all; when nobody reads any of them, nothing is read. All that wait are woken when the channel
/// below has something.
///
/// # Cancellation safety
///
/// As for any channel: nothing is lost when a `next` or a `send` is dropped.
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::stream_channel::{Closed, Frame, MultiChannel, duplex};
///
/// # futures::executor::block_on(async {
/// let (near, far) = duplex::<Frame<u64>>(16);
/// let (mut near, mut far) = (MultiChannel::new(near), MultiChannel::new(far));
///
/// let mut question = near.open();
/// near.send(question.id()).await?;
/// question.send(42).await?;
///
/// let id = far.next().await.unwrap()?;
/// let mut answer = far.attach(id).expect("a new id");
/// assert_eq!(answer.next().await, Some(Ok(42)));
/// answer.close().await?;
/// assert_eq!(question.next().await, None);
/// # Ok::<_, Closed>(())
/// # }).unwrap();
/// ```
#[must_use = "channels do nothing unless polled"]
pub struct MultiChannel<C, T>
where
    C: Sink<Frame<T>>,
{
    main: VirtualChannel<C, T>,
}

/// Sets what a [`MultiChannel`] may keep.
///
/// ```
/// use ws_channel::stream_channel::{Frame, MultiChannelBuilder, duplex};
///
/// let (near, _far) = duplex::<Frame<String>>(16);
/// let channel = MultiChannelBuilder::default().buffer(32).pending(8).over(near);
/// assert_eq!(channel.open().id(), 1);
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a builder does nothing until it is used"]
pub struct MultiChannelBuilder {
    limits: Limits,
}

impl MultiChannelBuilder {
    /// How many messages are kept for a virtual channel whose reader is busy: 256 unless set, at least
    /// one.
    ///
    /// A message may be as large as the channel below lets it be, so where peers are not trusted both
    /// limits want to be low.
    pub fn buffer(mut self, messages: usize) -> Self {
        self.limits.buffer = messages.max(1);
        self
    }

    /// For how many virtual channels that nobody attached to yet messages are kept: 64 unless set.
    pub fn pending(mut self, channels: usize) -> Self {
        self.limits.pending = channels;
        self
    }

    /// Makes virtual channels over `inner`.
    pub fn over<C, T>(self, inner: C) -> MultiChannel<C, T>
    where
        C: StreamChannel<Frame<T>>,
        <C as Sink<Frame<T>>>::Error: From<Closed>,
    {
        MultiChannel { main: VirtualChannel::main(inner, self.limits) }
    }
}

impl Default for MultiChannelBuilder {
    fn default() -> Self {
        Self { limits: Limits { buffer: 256, pending: 64 } }
    }
}

impl<C, T> MultiChannel<C, T>
where
    C: StreamChannel<Frame<T>>,
    <C as Sink<Frame<T>>>::Error: From<Closed>,
{
    /// Makes virtual channels over `inner`, with the default limits.
    pub fn new(inner: C) -> Self {
        MultiChannelBuilder::default().over(inner)
    }

    /// Opens a virtual channel. The peer attaches to its [`id`](VirtualChannel::id), which has to be
    /// sent to it, mostly over a channel that exists.
    #[doc(alias = "virtualChannel")]
    pub fn open(&self) -> VirtualChannel<C, T> {
        self.main.open()
    }

    /// Attaches to the virtual channel that the peer opened as `id`.
    ///
    /// What arrived for it already is received first.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] if this end has or had a channel of that id, or if it is not one that the peer
    /// gives out.
    #[doc(alias = "virtualChannel")]
    pub fn attach(&self, id: u64) -> Result<VirtualChannel<C, T>, InvalidId> {
        self.main.attach(id)
    }
}

impl<C, T> Stream for MultiChannel<C, T>
where
    C: StreamChannel<Frame<T>>,
    <C as Sink<Frame<T>>>::Error: From<Closed>,
{
    type Item = Result<T, <C as Sink<Frame<T>>>::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.main).poll_next(cx)
    }
}

impl<C, T> Sink<T> for MultiChannel<C, T>
where
    C: StreamChannel<Frame<T>>,
    <C as Sink<Frame<T>>>::Error: From<Closed>,
{
    type Error = <C as Sink<Frame<T>>>::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.main).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: T) -> Result<(), Self::Error> {
        Pin::new(&mut self.main).start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.main).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.main).poll_close(cx)
    }
}

impl<C: Sink<Frame<T>>, T> fmt::Debug for MultiChannel<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultiChannel").finish_non_exhaustive()
    }
}
