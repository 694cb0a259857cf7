//! The halves of a JSON channel over a WebSocket.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{Sink, Stream};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::WebSocketChannel;
use crate::stream_channel::{JsonChannel, JsonError};
use crate::{CloseCode, CloseSink, Error, WebSocketSink, WebSocketStream};

/// Over a WebSocket.
impl<C: WebSocketChannel, In, Out> JsonChannel<C, In, Out> {
    /// Splits into halves that two tasks can own, as [`WebSocketChannel::split`].
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::stream_channel::{JsonChannel, JsonError};
    /// use ws_channel::{Error, WebSocketChannel, status};
    ///
    /// async fn ask<C: WebSocketChannel + Send + 'static>(channel: C) -> Result<(), JsonError<Error>> {
    ///     let (mut sink, mut stream) = JsonChannel::<_, u32, String>::new(channel).split();
    ///     tokio::spawn(async move {
    ///         while let Some(Ok(answer)) = stream.next().await {
    ///             println!("{answer}");
    ///         }
    ///     });
    ///     sink.send("how many?".to_owned()).await?;
    ///     sink.close(status::NORMAL_CLOSURE, "that was all").await?;
    ///     Ok(())
    /// }
    /// ```
    pub fn split(self) -> (JsonSink<C, Out>, JsonStream<C, In>) {
        let (sink, stream) = WebSocketChannel::split(self.into_inner());
        (
            JsonSink { inner: sink, items: PhantomData },
            JsonStream { inner: stream, items: PhantomData },
        )
    }
}

/// The sending half of a JSON channel over a WebSocket.
///
/// Dropping it is dropping the [`WebSocketSink`].
pub struct JsonSink<C: WebSocketChannel, T> {
    inner: WebSocketSink<C>,
    items: PhantomData<fn(T)>,
}

impl<C: WebSocketChannel, T> JsonSink<C, T> {
    /// Closes the connection, telling the peer why. See [`WebSocketSink::close`].
    ///
    /// # Errors
    ///
    /// [`Error::CloseFrame`] if the code or the reason may not be sent; the channel stays open.
    ///
    /// # Cancellation safety
    ///
    /// Once polled, the closing handshake has begun; dropped, it goes on when either half is polled
    /// next.
    pub fn close<K>(&mut self, code: K, reason: impl Into<String>) -> CloseSink<'_, C>
    where
        K: TryInto<CloseCode>,
        Error: From<K::Error>,
    {
        self.inner.close(code, reason)
    }

    /// The half below, which knows handshake, state and event.
    pub const fn get_ref(&self) -> &WebSocketSink<C> {
        &self.inner
    }

    /// The half below.
    pub const fn get_mut(&mut self) -> &mut WebSocketSink<C> {
        &mut self.inner
    }

    /// The half below.
    pub fn into_inner(self) -> WebSocketSink<C> {
        self.inner
    }
}

impl<C: WebSocketChannel, T: Serialize> Sink<T> for JsonSink<C, T> {
    type Error = JsonError<Error>;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.inner).poll_ready(cx).map_err(JsonError::Channel)
    }

    fn start_send(mut self: Pin<&mut Self>, value: T) -> Result<(), Self::Error> {
        let document = serde_json::to_string(&value).map_err(JsonError::Encode)?;
        Pin::new(&mut self.inner).start_send(document.into()).map_err(JsonError::Channel)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(JsonError::Channel)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(JsonError::Channel)
    }
}

impl<C: WebSocketChannel, T> fmt::Debug for JsonSink<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonSink").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// The receiving half of a JSON channel over a WebSocket.
///
/// Dropping it is dropping the [`WebSocketStream`].
pub struct JsonStream<C: WebSocketChannel, T> {
    inner: WebSocketStream<C>,
    items: PhantomData<fn() -> T>,
}

impl<C: WebSocketChannel, T> JsonStream<C, T> {
    /// The half below, which knows handshake, state and event.
    pub const fn get_ref(&self) -> &WebSocketStream<C> {
        &self.inner
    }

    /// The half below. What is received there is missing here.
    pub const fn get_mut(&mut self) -> &mut WebSocketStream<C> {
        &mut self.inner
    }

    /// The half below.
    pub fn into_inner(self) -> WebSocketStream<C> {
        self.inner
    }
}

impl<C: WebSocketChannel, T: DeserializeOwned> Stream for JsonStream<C, T> {
    type Item = Result<T, JsonError<Error>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(ready!(Pin::new(&mut self.inner).poll_next(cx)).map(|item| {
            let message = item.map_err(JsonError::Channel)?;
            serde_json::from_slice(message.as_bytes()).map_err(JsonError::Decode)
        }))
    }
}

impl<C: WebSocketChannel, T> fmt::Debug for JsonStream<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonStream").field("inner", &self.inner).finish_non_exhaustive()
    }
}
