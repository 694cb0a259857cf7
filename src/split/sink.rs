//! The sending half.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, ready};

use futures::Sink;

use crate::channel::{WebSocketChannel, close_frame};
use crate::protocol::{CloseCode, CloseEvent, CloseFrame, Message, ReadyState};
use crate::split::{Shared, WebSocketStream, facts};
use crate::{Error, Handshake};

/// How many messages a poll of the sink half drops at most, when the stream half is gone.
const DISCARDED: usize = 1024;

/// The sending half of a channel.
///
/// Sends with [`SinkExt`](futures::SinkExt), closes with [`close`](Self::close). Dropping it starts
/// a close without a status, which the stream half completes.
///
/// # Cancellation safety
///
/// As on the whole channel: a message is accepted whole or not at all.
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::{Error, WebSocketChannel, status};
///
/// async fn talk<C: WebSocketChannel + Send + 'static>(channel: C) -> Result<(), Error> {
///     let (mut sink, mut stream) = channel.split();
///     let reader = tokio::spawn(async move {
///         while let Some(message) = stream.next().await {
///             println!("{:?}", message?);
///         }
///         Ok::<_, Error>(())
///     });
///     sink.send("hello".into()).await?;
///     sink.close(status::NORMAL_CLOSURE, "done").await?;
///     reader.await.expect("the reader does not panic")
/// }
/// ```
pub struct WebSocketSink<C: WebSocketChannel> {
    pub(super) shared: Arc<Shared<C>>,
}

impl<C: WebSocketChannel> WebSocketSink<C> {
    facts!();

    /// How many bytes were accepted and not yet handed to the transport.
    pub fn buffered_amount(&self) -> usize {
        self.shared.lock().buffered_amount()
    }

    /// Closes the connection, telling the peer why. See [`WebSocketChannel::close`].
    ///
    /// Works whether or not the stream half is polled, and wakes it.
    ///
    /// # Errors
    ///
    /// [`Error::CloseFrame`] if the code or the reason may not be sent; the channel stays open.
    ///
    /// # Cancellation safety
    ///
    /// Once polled, the closing handshake has begun; dropped, it goes on when either half is
    /// polled next.
    pub fn close<K>(&mut self, code: K, reason: impl Into<String>) -> CloseSink<'_, C>
    where
        K: TryInto<CloseCode>,
        Error: From<K::Error>,
    {
        CloseSink { sink: self, frame: Some(close_frame(code, reason.into())) }
    }

    /// Whether `stream` is the other half of this channel.
    pub fn is_pair_of(&self, stream: &WebSocketStream<C>) -> bool {
        Arc::ptr_eq(&self.shared, &stream.shared)
    }

    /// What only some channels can do, without waiting.
    pub(crate) fn with<T>(&self, act: impl FnOnce(Pin<&mut C>) -> T) -> T {
        act(self.shared.lock().as_mut())
    }

    fn poll<T>(
        &self,
        cx: &Context<'_>,
        poll: impl FnOnce(Pin<&mut C>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.shared.poll(&self.shared.waiting.sink, cx, |mut channel, cx| {
            if self.shared.stream_dropped.load(Ordering::Acquire) {
                // Nobody else reads: what comes is dropped, pings are answered.
                for dropped in 1..=DISCARDED {
                    let Poll::Ready(Some(_)) = channel.as_mut().poll_next(cx) else { break };
                    if dropped == DISCARDED {
                        // There may be more, of which nobody tells.
                        cx.waker().wake_by_ref();
                    }
                }
            }
            poll(channel, cx)
        })
    }
}

impl<C: WebSocketChannel> WebSocketSink<C> {
    /// An end that was found here is not always one that the transport wakes the stream half for:
    /// a failed write leaves its read side as it is.
    fn tell_stream(&self, result: &Poll<Result<(), Error>>) {
        if matches!(result, Poll::Ready(Err(_))) {
            self.shared.waiting.stream.wake();
        }
    }
}

impl<C: WebSocketChannel + Unpin> WebSocketSink<C> {
    /// Puts the halves together again.
    ///
    /// # Errors
    ///
    /// Both halves as they are, if they are not of one channel.
    pub fn reunite(self, stream: WebSocketStream<C>) -> Result<C, (Self, WebSocketStream<C>)> {
        if !self.is_pair_of(&stream) {
            return Err((self, stream));
        }
        let shared = Arc::clone(&self.shared);
        shared.reunited.store(true, Ordering::Release);
        drop((self, stream));
        match Arc::try_unwrap(shared) {
            Ok(shared) => {
                let channel = shared.channel.into_inner().unwrap_or_else(PoisonError::into_inner);
                Ok(*Pin::into_inner(channel))
            }
            // Nobody but the two halves holds it.
            Err(shared) => {
                shared.reunited.store(false, Ordering::Release);
                let stream = WebSocketStream { shared: Arc::clone(&shared) };
                Err((Self { shared }, stream))
            }
        }
    }
}

impl<C: WebSocketChannel> Sink<Message> for WebSocketSink<C> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let result = self.poll(cx, Sink::poll_ready);
        self.tell_stream(&result);
        result
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.shared.lock().as_mut().start_send(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let result = self.poll(cx, Sink::poll_flush);
        self.tell_stream(&result);
        result
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let result = ready!(self.poll(cx, Sink::poll_close));
        // The end was found here; the stream half may still wait for it.
        self.shared.waiting.stream.wake();
        Poll::Ready(result)
    }
}

impl<C: WebSocketChannel> Drop for WebSocketSink<C> {
    fn drop(&mut self) {
        if self.shared.reunited.load(Ordering::Acquire) {
            return;
        }
        // Without a frame there is nothing to refuse.
        let _ = self.shared.lock().as_mut().start_close(None);
        self.shared.waiting.stream.wake();
    }
}

impl<C: WebSocketChannel> fmt::Debug for WebSocketSink<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketSink")
            .field("ready_state", &self.ready_state())
            .finish_non_exhaustive()
    }
}

/// The future of [`WebSocketSink::close`].
#[derive(Debug)]
#[must_use = "closing does nothing until awaited"]
pub struct CloseSink<'a, C: WebSocketChannel> {
    sink: &'a mut WebSocketSink<C>,
    frame: Option<Result<CloseFrame, Error>>,
}

impl<C: WebSocketChannel> Future for CloseSink<'_, C> {
    type Output = Result<CloseEvent, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(frame) = self.frame.take() {
            self.sink.shared.lock().as_mut().start_close(Some(frame?))?;
        }
        ready!(Pin::new(&mut *self.sink).poll_close(cx))?;
        Poll::Ready(self.sink.close_event().ok_or(Error::Closed { event: None }))
    }
}
