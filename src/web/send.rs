//! A handle that is `Send`, to a channel that is not.

mod driver;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use futures::stream::FusedStream;
use futures::task::AtomicWaker;
use futures::{Sink, Stream};

use super::channel::{BrowserChannel, sendable};
use crate::channel::{WebSocketChannel, inherent_close_and_split};
use crate::protocol::{CloseEvent, CloseFrame, Message, ReadyState};
use crate::{Error, Handshake};

pub use driver::SendDriver;

/// What a message in a queue costs beside its payload, in bytes.
const OVERHEAD: usize = 64;

/// How many bytes the driver reads ahead of the handle.
const READ_AHEAD: usize = 64 << 10;

/// A handle to a [`BrowserChannel`] that is `Send`, for frameworks that ask for it.
///
/// What the browser gives stays where it was made. So the channel itself stays in a task there,
/// which runs its [`SendDriver`], and the handle talks to that task: messages and the close go one
/// way, messages and the end the other. Made by [`BrowserChannel::into_send`].
///
/// It is a [`WebSocketChannel`] with the promises of every other. Its state is that of the driver's
/// last turn. Dropping the handle closes the socket; when the driver is dropped first, the
/// connection is lost, with 1006.
///
/// # Cancellation safety
///
/// Every future of the handle can be dropped at any await, and it stays usable.
///
/// # Examples
///
/// ```no_run
/// use futures::SinkExt;
/// use ws_channel::{Error, SendChannel, WebSocketChannel};
///
/// async fn open(spawn_local: fn(ws_channel::SendDriver)) -> Result<SendChannel, Error> {
///     let channel = WebSocketChannel::connect("wss://example.com/chat").await?;
///     let (handle, driver) = channel.into_send();
///     spawn_local(driver); // such as wasm_bindgen_futures::spawn_local
///     Ok(handle)
/// }
/// ```
pub struct SendChannel {
    shared: Arc<Shared>,
}

/// What handle and driver share. The lock is never held across a poll of the channel.
struct Shared {
    asked: Handshake,
    opened: OnceLock<Handshake>,
    event: OnceLock<CloseEvent>,
    /// How many bytes of messages may wait for the driver.
    mark: usize,
    state: Mutex<State>,
    /// Wakes the driver.
    driver: AtomicWaker,
    /// Wakes who waits for a message or the end.
    reader: AtomicWaker,
    /// Wakes who waits for room, or for the end.
    writer: AtomicWaker,
}

struct State {
    /// The channel's state at the driver's last turn.
    page: ReadyState,
    wish: Wish,
    outgoing: Queue,
    incoming: Queue,
    /// Bytes that the page has and that are not on their way.
    buffered: usize,
    /// The stream has come to its end, and what that is.
    over: bool,
    error: Option<Error>,
    /// Messages that were accepted did not go out.
    lost: bool,
    /// What comes counts no more.
    deaf: bool,
}

/// What the handle wants to become of the channel.
enum Wish {
    Open,
    /// A close that the driver has yet to begin.
    Close(Option<CloseFrame>),
    /// The driver has begun it.
    Closing,
    /// The handle was dropped.
    Gone,
}

impl State {
    const fn new(page: ReadyState) -> Self {
        Self {
            page,
            wish: Wish::Open,
            outgoing: Queue::new(),
            incoming: Queue::new(),
            buffered: 0,
            over: false,
            error: None,
            lost: false,
            deaf: false,
        }
    }

    /// Whether the handle has not begun to close.
    const fn is_wanted(&self) -> bool {
        matches!(self.wish, Wish::Open)
    }

    /// The state as the handle has it.
    const fn ready_state(&self) -> ReadyState {
        match self.page {
            ReadyState::Connecting | ReadyState::Open if !self.is_wanted() => ReadyState::Closing,
            page => page,
        }
    }

    /// What has come and still comes counts no more.
    fn discard(&mut self) {
        self.deaf = true;
        self.incoming = Queue::new();
        self.error = None;
    }

    /// The end has come, with an error unless that counts no more.
    fn end(&mut self, error: Option<Error>) {
        self.page = ReadyState::Closed;
        self.over = true;
        self.lost |= !self.outgoing.messages.is_empty();
        self.error = error.filter(|_| !self.deaf);
    }
}

struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
}

impl Queue {
    const fn new() -> Self {
        Self { messages: VecDeque::new(), bytes: 0 }
    }

    fn push(&mut self, message: Message) {
        self.bytes += message.len() + OVERHEAD;
        self.messages.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes = self.bytes.saturating_sub(message.len() + OVERHEAD);
        Some(message)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> Error {
        Error::closed(self.event.get())
    }
}

impl BrowserChannel {
    /// A handle to this channel that is `Send`, and the future that does its work.
    ///
    /// The future runs where the channel was made, as by `wasm_bindgen_futures::spawn_local`, and
    /// ends with the connection.
    pub fn into_send(self) -> (SendChannel, SendDriver) {
        let driver = SendDriver::new(self);
        (SendChannel { shared: Arc::clone(&driver.shared) }, driver)
    }
}

impl SendChannel {
    inherent_close_and_split!();
}

impl Stream for SendChannel {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let shared = &self.shared;
        shared.reader.register(cx.waker());
        let mut state = shared.lock();
        if let Some(message) = state.incoming.pop() {
            drop(state);
            // It may have waited for room.
            shared.driver.wake();
            return Poll::Ready(Some(Ok(message)));
        }
        if state.over {
            return Poll::Ready(state.error.take().map(Err));
        }
        Poll::Pending
    }
}

impl FusedStream for SendChannel {
    fn is_terminated(&self) -> bool {
        let state = self.shared.lock();
        state.over && state.incoming.messages.is_empty() && state.error.is_none()
    }
}

impl Sink<Message> for SendChannel {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let shared = &self.shared;
        shared.writer.register(cx.waker());
        let state = shared.lock();
        match state.ready_state() {
            ReadyState::Open if state.outgoing.bytes < shared.mark.max(1) => Poll::Ready(Ok(())),
            ReadyState::Connecting | ReadyState::Open => Poll::Pending,
            ReadyState::Closing | ReadyState::Closed => Poll::Ready(Err(shared.closed())),
        }
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        let mut state = self.shared.lock();
        if state.ready_state() != ReadyState::Open {
            return Err(self.shared.closed());
        }
        state.outgoing.push(message);
        drop(state);
        self.shared.driver.wake();
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let shared = &self.shared;
        shared.writer.register(cx.waker());
        let state = shared.lock();
        if state.lost {
            return Poll::Ready(Err(shared.closed()));
        }
        if state.outgoing.messages.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.as_mut().start_close(None)?;
        self.shared.lock().discard();
        self.shared.writer.register(cx.waker());
        if self.shared.event.get().is_some() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl WebSocketChannel for SendChannel {
    fn handshake(&self) -> &Handshake {
        self.shared.opened.get().unwrap_or(&self.shared.asked)
    }

    fn ready_state(&self) -> ReadyState {
        self.shared.lock().ready_state()
    }

    fn buffered_amount(&self) -> usize {
        let state = self.shared.lock();
        let overhead = state.outgoing.messages.len() * OVERHEAD;
        state.buffered + state.outgoing.bytes.saturating_sub(overhead)
    }

    fn close_event(&self) -> Option<&CloseEvent> {
        self.shared.event.get()
    }

    fn start_close(self: Pin<&mut Self>, frame: Option<CloseFrame>) -> Result<(), Error> {
        if let Some(frame) = &frame {
            sendable(frame)?;
        }
        let shared = &self.shared;
        let mut state = shared.lock();
        if state.is_wanted() {
            if matches!(state.page, ReadyState::Connecting | ReadyState::Open) {
                state.discard();
            }
            state.wish = Wish::Close(frame);
            drop(state);
            shared.driver.wake();
            shared.reader.wake();
        }
        Ok(())
    }
}

impl Drop for SendChannel {
    fn drop(&mut self) {
        self.shared.lock().wish = Wish::Gone;
        self.shared.driver.wake();
    }
}

impl fmt::Debug for SendChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendChannel")
            .field("handshake", self.handshake())
            .field("ready_state", &self.ready_state())
            .finish_non_exhaustive()
    }
}
