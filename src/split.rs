//! The halves of a channel, for two tasks.
//!
//! The halves share the channel behind a lock that is held for one poll, never across `Pending`.
//! A poll of either half may read and write: a closing sink reads until the peer has answered, a
//! stream writes pongs. A transport remembers one waker a direction; so the channel is always
//! polled with one that wakes whichever half is waiting.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use futures::task::AtomicWaker;
use futures::{Sink, Stream};

use crate::channel::{WebSocketChannel, close_frame};
use crate::protocol::{CloseCode, CloseEvent, CloseFrame, Message, ReadyState};
use crate::{Error, Handshake};

/// How many messages a poll of the sink half drops at most, when the stream half is gone.
const DISCARDED: usize = 1024;

/// Splits a channel.
pub(crate) fn split<C: WebSocketChannel>(channel: C) -> (WebSocketSink<C>, WebSocketStream<C>) {
    let waiting = Arc::new(Waiting::default());
    let shared = Arc::new(Shared {
        waker: Waker::from(Arc::clone(&waiting)),
        waiting,
        stream_dropped: AtomicBool::new(false),
        reunited: AtomicBool::new(false),
        channel: Mutex::new(Box::pin(channel)),
    });
    (WebSocketSink { shared: Arc::clone(&shared) }, WebSocketStream { shared })
}

/// One half's task.
#[derive(Default)]
struct Half {
    waker: AtomicWaker,
    /// Whether it waits. A stale waker is left where it is, since the next wait mostly brings the
    /// same one.
    waits: AtomicBool,
    /// How often it was woken, waiting or not.
    woken: AtomicUsize,
}

impl Half {
    fn wake(&self) {
        // Either this sees that the half waits, or the half sees that it was woken: see `wait`.
        self.woken.fetch_add(1, Ordering::SeqCst);
        if self.waits.load(Ordering::SeqCst) {
            self.waker.wake();
        }
    }

    /// Polls, and registers the task of `cx` only if it has to wait: most polls do not.
    fn poll<T>(&self, cx: &Context<'_>, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let before = self.woken.load(Ordering::Acquire);
        self.waits.store(false, Ordering::Relaxed);
        let result = poll();
        if result.is_pending() {
            self.wait(cx, before);
        }
        result
    }

    fn wait(&self, cx: &Context<'_>, before: usize) {
        self.waker.register(cx.waker());
        self.waits.store(true, Ordering::SeqCst);
        if self.woken.load(Ordering::SeqCst) != before {
            // It was woken while it was polled, before it could be seen to wait.
            cx.waker().wake_by_ref();
        }
    }
}

/// Who waits for the channel.
#[derive(Default)]
struct Waiting {
    sink: Half,
    stream: Half,
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.stream.wake();
        self.sink.wake();
    }
}

struct Shared<C> {
    waiting: Arc<Waiting>,
    /// `waiting`, as the channel sees it.
    waker: Waker,
    stream_dropped: AtomicBool,
    /// The halves are dropped because they were put together again.
    reunited: AtomicBool,
    channel: Mutex<Pin<Box<C>>>,
}

impl<C> Shared<C> {
    /// The channel. A panic in a transport of one half does not take the other half down.
    fn lock(&self) -> MutexGuard<'_, Pin<Box<C>>> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls the channel for `half`, whose task is `cx`'s.
    fn poll<T>(
        &self,
        half: &Half,
        cx: &Context<'_>,
        poll: impl FnOnce(Pin<&mut C>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        half.poll(cx, || poll(self.lock().as_mut(), &mut Context::from_waker(&self.waker)))
    }
}

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
    shared: Arc<Shared<C>>,
}

/// The receiving half of a channel.
///
/// Answers pings and Close frames as long as it is polled. Dropping it discards what still comes.
///
/// # Cancellation safety
///
/// As on the whole channel: nothing is lost when a `next` is dropped.
pub struct WebSocketStream<C: WebSocketChannel> {
    shared: Arc<Shared<C>>,
}

macro_rules! facts {
    () => {
        /// The facts that the opening handshake established; cheap to clone.
        pub fn handshake(&self) -> Handshake {
            self.shared.lock().handshake().clone()
        }

        /// The state of the connection.
        pub fn ready_state(&self) -> ReadyState {
            self.shared.lock().ready_state()
        }

        /// How the connection ended, once it has.
        pub fn close_event(&self) -> Option<CloseEvent> {
            self.shared.lock().close_event().cloned()
        }

        /// The code of [`close_event`](Self::close_event).
        pub fn close_code(&self) -> Option<CloseCode> {
            self.shared.lock().close_code()
        }

        /// The reason of [`close_event`](Self::close_event).
        pub fn close_reason(&self) -> Option<String> {
            self.shared.lock().close_reason().map(str::to_owned)
        }
    };
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

    fn poll<T>(
        &self,
        cx: &Context<'_>,
        poll: impl FnOnce(Pin<&mut C>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.shared.poll(&self.shared.waiting.sink, cx, |mut channel, cx| {
            if self.shared.stream_dropped.load(Ordering::Acquire) {
                // Nobody else reads: what comes is dropped, pings are answered.
                for _ in 0..DISCARDED {
                    let Poll::Ready(Some(_)) = channel.as_mut().poll_next(cx) else { break };
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

impl<C: WebSocketChannel> WebSocketStream<C> {
    facts!();
}

impl<C: WebSocketChannel> Stream for WebSocketStream<C> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let shared = &self.shared;
        let item = ready!(shared.poll(&shared.waiting.stream, cx, Stream::poll_next));
        if !matches!(item, Some(Ok(_))) {
            // The end was found here; the sink half may wait for it or for room.
            shared.waiting.sink.wake();
        }
        Poll::Ready(item)
    }
}

impl<C: WebSocketChannel> Drop for WebSocketStream<C> {
    fn drop(&mut self) {
        self.shared.stream_dropped.store(true, Ordering::Release);
        self.shared.waiting.sink.wake();
    }
}

impl<C: WebSocketChannel> fmt::Debug for WebSocketStream<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketStream")
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
