//! The ends of the crates whose connection is a `Sink` and a `Stream`, which are most.
//!
//! Such a crate's file says only how its messages are made and looked at: its [`Vocabulary`].

use std::marker::PhantomData;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Sink, SinkExt, Stream, StreamExt};

use crate::contender::{End, Failure, Forward, Kind, Receiver, Sender};
use crate::form::Halves;

/// A crate's messages.
pub trait Vocabulary: Send + Unpin + 'static {
    /// What the sink takes; cloning it copies no payload.
    type Message: Clone + Send + Sync + 'static;
    /// What the stream gives.
    type Incoming: Send;

    /// See [`Receiver::READING_FLUSHES`].
    const READING_FLUSHES: bool = false;

    fn message(kind: Kind, payload: &[u8]) -> Self::Message;
    fn accept(incoming: Self::Incoming) -> Result<Self::Message, Failure>;
    fn look(message: &Self::Message) -> (Kind, &[u8]);
}

/// A sink, a stream, or both, of messages in the vocabulary `V`.
pub struct Over<T, V>(T, PhantomData<V>);

impl<T, V> Over<T, V> {
    pub fn new(inner: T) -> Self {
        Self(inner, PhantomData)
    }

    pub fn get_mut(&mut self) -> &mut T {
        &mut self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T, V> Sender for Over<T, V>
where
    T: Sink<V::Message> + Unpin + Send,
    T::Error: Into<Failure>,
    V: Vocabulary,
{
    type Item = V::Message;

    fn item(kind: Kind, payload: &[u8]) -> Self::Item {
        V::message(kind, payload)
    }

    async fn feed(&mut self, item: &Self::Item) -> Result<(), Failure> {
        self.0.feed(item.clone()).await.map_err(Into::into)
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        self.0.flush().await.map_err(Into::into)
    }

    async fn send(&mut self, item: &Self::Item) -> Result<(), Failure> {
        self.0.send(item.clone()).await.map_err(Into::into)
    }
}

impl<T, V> Forward<V::Message> for Over<T, V>
where
    T: Sink<V::Message> + Unpin + Send,
    T::Error: Into<Failure>,
    V: Vocabulary,
{
    async fn forward(&mut self, message: V::Message) -> Result<(), Failure> {
        self.0.feed(message).await.map_err(Into::into)
    }
}

impl<T, V> Receiver for Over<T, V>
where
    T: Stream<Item = V::Incoming> + Unpin + Send,
    V: Vocabulary,
{
    type Message = V::Message;

    const READING_FLUSHES: bool = V::READING_FLUSHES;

    async fn next(&mut self) -> Result<Self::Message, Failure> {
        match self.0.next().await {
            Some(incoming) => V::accept(incoming),
            None => Err("the stream ended".into()),
        }
    }

    fn look(message: &Self::Message) -> (Kind, &[u8]) {
        V::look(message)
    }
}

impl<T, V> End for Over<T, V>
where
    T: Sink<V::Message> + Stream<Item = V::Incoming> + Unpin + Send,
    T::Error: Into<Failure>,
    V: Vocabulary,
{
    async fn echo(&mut self, count: u64) -> Result<(), Failure> {
        for _ in 0..count {
            let message = self.next().await?;
            self.0.send(message).await.map_err(Into::into)?;
        }
        Ok(())
    }
}

/// The halves that `StreamExt::split` makes of a `T`.
pub type Pair<T, V> =
    Halves<Over<SplitSink<T, <V as Vocabulary>::Message>, V>, Over<SplitStream<T>, V>>;

impl<T, V> End for Pair<T, V>
where
    T: Sink<V::Message> + Stream<Item = V::Incoming> + Unpin + Send,
    T::Error: Into<Failure>,
    V: Vocabulary,
{
}

/// Splits `whole` as the futures crate does it.
pub fn pair<T, V>(whole: Over<T, V>) -> Pair<T, V>
where
    T: Sink<V::Message> + Stream<Item = V::Incoming>,
    V: Vocabulary,
{
    let (sink, stream) = whole.into_inner().split();
    Halves { sender: Over::new(sink), receiver: Over::new(stream) }
}
