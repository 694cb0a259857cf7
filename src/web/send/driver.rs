//! What moves messages between the handle and the channel.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use futures::{Sink, Stream};

use super::{Queue, READ_AHEAD, Shared, State, Wish};
use crate::channel::WebSocketChannel;
use crate::protocol::{CloseEvent, Initiator, Message, ReadyState, Utf8Bytes};
use crate::web::BrowserChannel;
use crate::{Error, status};

/// The future that does the work of a [`SendChannel`](super::SendChannel); it ends with the
/// connection, or when the handle is dropped.
///
/// It is not `Send`: it runs where the channel was made.
///
/// # Cancellation safety
///
/// Dropping it closes the socket; the handle then sees a lost connection.
#[must_use = "the handle does nothing unless the driver is polled"]
pub struct SendDriver {
    pub(super) shared: Arc<Shared>,
    channel: BrowserChannel,
}

impl SendDriver {
    pub(super) fn new(channel: BrowserChannel) -> Self {
        let shared = Shared {
            asked: channel.handshake().clone(),
            opened: OnceLock::new(),
            event: OnceLock::new(),
            mark: channel.write_buffer_size(),
            state: Mutex::new(State::new(channel.ready_state())),
            driver: AtomicWaker::new(),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        };
        let this = Self { shared: Arc::new(shared), channel };
        this.show();
        this
    }

    /// Shows the handle what is the state of the channel.
    fn show(&self) {
        let (shared, channel) = (&self.shared, &self.channel);
        let ready_state = channel.ready_state();
        if ready_state != ReadyState::Connecting {
            set(&shared.opened, channel.handshake());
        }
        if let Some(event) = channel.close_event() {
            set(&shared.event, event);
        }
        // Last: whoever sees a state may ask for what belongs to it.
        let mut state = shared.lock();
        state.buffered = channel.buffered_amount();
        state.page = ready_state;
    }

    /// Hands the page what may go out, and then the close.
    fn send(&mut self, cx: &mut Context<'_>) {
        let is_wanted = self.shared.lock().is_wanted();
        while !self.shared.lock().outgoing.messages.is_empty() {
            // A close does not wait for room: what was accepted before it goes out with it.
            if is_wanted {
                match Pin::new(&mut self.channel).poll_ready(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => self.lose(),
                    Poll::Pending => return,
                }
            }
            let message = self.shared.lock().outgoing.pop();
            let sent = message.map(|message| Pin::new(&mut self.channel).start_send(message));
            if let Some(Err(_)) = sent {
                self.lose();
            }
        }
        self.begin_close();
    }

    /// Begins the close that the handle asked for, once nothing is before it.
    fn begin_close(&mut self) {
        let mut state = self.shared.lock();
        if !state.outgoing.messages.is_empty() {
            return;
        }
        if let Wish::Close(frame) = &mut state.wish {
            let frame = frame.take();
            state.wish = Wish::Closing;
            drop(state);
            // The handle has checked the code.
            let _ = Pin::new(&mut self.channel).start_close(frame);
        }
    }

    /// Notes that what was accepted does not go out.
    fn lose(&self) {
        let mut state = self.shared.lock();
        state.outgoing = Queue::new();
        state.lost = true;
    }

    /// Brings in what has come, as far as there is room; ready at the end.
    fn receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Error>> {
        while self.has_room() {
            match Pin::new(&mut self.channel).poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => self.deliver(message),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(error)),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
        // The handle hears of the end even while it does not read.
        self.channel.inbox().wait_to_write(cx);
        Poll::Pending
    }

    fn has_room(&self) -> bool {
        self.shared.lock().incoming.bytes < READ_AHEAD
    }

    fn deliver(&self, message: Message) {
        let mut state = self.shared.lock();
        if !state.deaf {
            state.incoming.push(message);
            drop(state);
            self.shared.reader.wake();
        }
    }
}

/// Once is enough.
fn set<T: Clone>(place: &OnceLock<T>, value: &T) {
    if place.get().is_none() {
        // Nobody else sets it.
        let _ = place.set(value.clone());
    }
}

impl Future for SendDriver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.shared.driver.register(cx.waker());
        if matches!(this.shared.lock().wish, Wish::Gone) {
            return Poll::Ready(());
        }
        this.send(cx);
        let mut end = this.receive(cx);
        this.show();
        if let Poll::Ready(end) = &mut end {
            this.shared.lock().end(end.take());
            this.shared.reader.wake();
        }
        this.shared.writer.wake();
        end.map(drop)
    }
}

/// If the connection is not over, it is lost to the handle.
impl Drop for SendDriver {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if !state.over {
            let event = CloseEvent {
                code: status::ABNORMAL_CLOSURE,
                reason: Utf8Bytes::default(),
                was_clean: false,
                initiator: Initiator::Local,
            };
            set(&self.shared.event, &event);
            state.end(Some(Error::ConnectionLost));
        }
        drop(state);
        self.shared.reader.wake();
        self.shared.writer.wake();
    }
}

impl fmt::Debug for SendDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendDriver").field("channel", &self.channel).finish_non_exhaustive()
    }
}
