//! One of the channels over a channel.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{Sink, Stream};

use super::super::waiting::Waiting;
use super::super::{Closed, StreamChannel};
use super::Frame;
use super::shared::Shared;
use super::state::Limits;

/// One of the channels of a [`MultiChannel`](super::MultiChannel).
///
/// Made by `open`, which gives it an id, or by `attach`, with the id that the peer gave it.
pub struct VirtualChannel<C, T>
where
    C: Sink<Frame<T>>,
{
    shared: Arc<Shared<C, T>>,
    waiting: Arc<Waiting>,
    /// Of what it receives, by which it is known here.
    input: u64,
    /// Of what it sends.
    output: u64,
}

/// There can be no virtual channel of that id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{id} is not the id of a virtual channel that the peer opened and that is new here")]
pub struct InvalidId {
    id: u64,
}

impl InvalidId {
    /// The id.
    pub const fn id(&self) -> u64 {
        self.id
    }
}

type ErrorOf<C, T> = <C as Sink<Frame<T>>>::Error;

impl<C, T> VirtualChannel<C, T>
where
    C: StreamChannel<Frame<T>>,
    ErrorOf<C, T>: From<Closed>,
{
    pub(super) fn main(inner: C, limits: Limits) -> Self {
        let shared = Shared::new(inner, limits);
        let waiting = shared.waiting();
        shared.with(|state, _| state.main(Arc::clone(&waiting)));
        Self { shared, waiting, input: 0, output: 0 }
    }

    /// The id by which the peer attaches to it, where this end opened it. The default channel's is 0.
    pub const fn id(&self) -> u64 {
        self.output
    }

    /// Opens another virtual channel beside it, as [`MultiChannel::open`](super::MultiChannel::open).
    pub fn open(&self) -> Self {
        let waiting = self.shared.waiting();
        let (input, output) = self.shared.with(|state, _| state.open(Arc::clone(&waiting)));
        Self { shared: Arc::clone(&self.shared), waiting, input, output }
    }

    /// Attaches to a virtual channel that the peer opened, as
    /// [`MultiChannel::attach`](super::MultiChannel::attach).
    ///
    /// # Errors
    ///
    /// [`InvalidId`] if this end has or had a channel of that id, or if it is not one that the peer
    /// gives out.
    pub fn attach(&self, id: u64) -> Result<Self, InvalidId> {
        let waiting = self.shared.waiting();
        let attached = self.shared.with(|state, _| state.attach(id, Arc::clone(&waiting)));
        let Some(output) = attached else {
            self.shared.left(&waiting);
            return Err(InvalidId { id });
        };
        Ok(Self { shared: Arc::clone(&self.shared), waiting, input: id, output })
    }
}

impl<C, T> Stream for VirtualChannel<C, T>
where
    C: StreamChannel<Frame<T>>,
    ErrorOf<C, T>: From<Closed>,
{
    type Item = Result<T, ErrorOf<C, T>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = &self.waiting.stream;
        stream.poll(cx, || self.shared.with(|state, cx| state.poll_next(self.input, cx)))
    }
}

impl<C, T> Sink<T> for VirtualChannel<C, T>
where
    C: StreamChannel<Frame<T>>,
    ErrorOf<C, T>: From<Closed>,
{
    type Error = ErrorOf<C, T>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let sink = &self.waiting.sink;
        sink.poll(cx, || self.shared.with(|state, cx| state.poll_ready(self.input, cx)))
    }

    fn start_send(self: Pin<&mut Self>, message: T) -> Result<(), Self::Error> {
        self.shared.with(|state, cx| state.start_send(self.input, message, cx))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let sink = &self.waiting.sink;
        sink.poll(cx, || self.shared.with(|state, cx| state.poll_flush(self.input, cx)))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let sink = &self.waiting.sink;
        sink.poll(cx, || self.shared.with(|state, cx| state.poll_close(self.input, cx)))
    }
}

// A `Drop` cannot ask for more than the type does.
impl<C: Sink<Frame<T>>, T> Drop for VirtualChannel<C, T> {
    fn drop(&mut self) {
        self.shared.left(&self.waiting);
        self.shared.with(|state, cx| state.drop_channel(self.input, cx));
    }
}

impl<C: Sink<Frame<T>>, T> fmt::Debug for VirtualChannel<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualChannel").field("id", &self.output).finish_non_exhaustive()
    }
}
