//! The halves of a channel, for two tasks.
//!
//! The halves share the channel behind a lock that is held for one poll, never across `Pending`.
//! A poll of either half may read and write: a closing sink reads until the peer has answered, a
//! stream writes pongs. A transport remembers one waker a direction; so the channel is always
//! polled with one that wakes whichever half is waiting.

mod sink;
mod stream;

use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::channel::WebSocketChannel;
use crate::stream_channel::waiting::{Half, Waiting};

pub use sink::{CloseSink, WebSocketSink};
pub use stream::WebSocketStream;

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

/// What the halves share.
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

/// What both halves know.
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
use facts;
