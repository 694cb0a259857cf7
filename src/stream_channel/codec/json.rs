//! One JSON document a message.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::{Sink, Stream};
use pin_project_lite::pin_project;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{hand_on, over_inner};
use crate::stream_channel::Closed;

pin_project! {
    /// A channel of values over one of text or bytes: one JSON document a message.
    ///
    /// `In` is what is received, `Out` what is sent; they are the same unless named. With
    /// `serde_json::Value` any document will do. Documents are sent as text where what is below
    /// tells text from bytes, and received as either.
    ///
    /// A message that is not a document of an `In` is an item,
    /// [`JsonError::Decode`], and the stream goes on. A value that cannot be encoded is an error of
    /// the send, [`JsonError::Encode`]: nothing was sent, and the channel can be used on.
    ///
    /// Over a WebSocket, made by `WebSocketChannel::json`, it has the WebSocket's `close(code, reason)`,
    /// event, state, handshake and `split`.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use serde_json::{Value, json};
    /// use ws_channel::stream_channel::{JsonChannel, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, far) = duplex::<String>(4);
    /// let mut near = JsonChannel::<_, u32, Vec<&str>>::new(near);
    /// let mut far = JsonChannel::<_, Value>::new(far);
    /// near.send(vec!["how", "many"]).await?;
    /// assert_eq!(far.next().await.transpose()?, Some(json!(["how", "many"])));
    /// far.send(json!(2)).await?;
    /// assert_eq!(near.next().await.transpose()?, Some(2));
    /// # Ok::<_, ws_channel::stream_channel::JsonError<_>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "jsonDocument")]
    #[must_use = "channels do nothing unless polled"]
    pub struct JsonChannel<C, In, Out = In> {
        #[pin]
        inner: C,
        items: PhantomData<fn(Out) -> In>,
    }
}

impl<C, In, Out> JsonChannel<C, In, Out> {
    /// A channel of values over `inner`.
    pub const fn new(inner: C) -> Self {
        Self { inner, items: PhantomData }
    }

    over_inner!();
}

impl<C, M, E, In, Out> Stream for JsonChannel<C, In, Out>
where
    C: Stream<Item = Result<M, E>>,
    M: Into<Bytes>,
    In: DeserializeOwned,
{
    type Item = Result<In, JsonError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(ready!(self.project().inner.poll_next(cx)).map(|item| {
            let document: Bytes = item.map_err(JsonError::Channel)?.into();
            serde_json::from_slice(&document).map_err(JsonError::Decode)
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<C, M, E, In, Out> Sink<Out> for JsonChannel<C, In, Out>
where
    C: Stream<Item = Result<M, E>> + Sink<M, Error = E>,
    M: From<String>,
    Out: Serialize,
{
    type Error = JsonError<E>;

    fn start_send(self: Pin<&mut Self>, value: Out) -> Result<(), JsonError<E>> {
        let document = serde_json::to_string(&value).map_err(JsonError::Encode)?;
        self.project().inner.start_send(document.into()).map_err(JsonError::Channel)
    }

    hand_on!(JsonError::Channel);
}

impl<C: fmt::Debug, In, Out> fmt::Debug for JsonChannel<C, In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonChannel").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// Why a value did not get through.
///
/// Only [`Channel`](Self::Channel) is about the channel; after the other two it can be used on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError<E> {
    /// The channel below failed.
    #[error(transparent)]
    Channel(E),
    /// A message is not JSON, or not of the expected shape.
    #[error("a message is not the JSON that is expected")]
    Decode(#[source] serde_json::Error),
    /// A value cannot be written as JSON; nothing was sent.
    #[error("a value cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
}

impl<E: From<Closed>> From<Closed> for JsonError<E> {
    fn from(closed: Closed) -> Self {
        Self::Channel(closed.into())
    }
}
