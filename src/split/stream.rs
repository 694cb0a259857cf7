//! The receiving half.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use futures::Stream;

use crate::channel::WebSocketChannel;
use crate::protocol::{CloseCode, CloseEvent, Message, ReadyState};
use crate::split::{Shared, facts};
use crate::{Error, Handshake};

/// The receiving half of a channel.
///
/// Answers pings and Close frames as long as it is polled. Dropping it discards what still comes.
///
/// # Cancellation safety
///
/// As on the whole channel: nothing is lost when a `next` is dropped.
pub struct WebSocketStream<C: WebSocketChannel> {
    pub(super) shared: Arc<Shared<C>>,
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
