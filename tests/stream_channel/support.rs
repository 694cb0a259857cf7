//! What the tests need: a runner that knows when nobody wakes a task, and channels that can be broken.

use std::cell::Cell;
use std::io;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::channel::mpsc;
use futures::future::LocalBoxFuture;
use futures::{Sink, SinkExt, Stream, StreamExt};
use ws_channel::stream_channel::{Frame, Join, join};

/// Whether a task was woken.
#[derive(Default)]
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Whether it was woken since it was last asked.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Runs a future to its end.
///
/// # Panics
///
/// If it waits and nobody wakes it.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let flag = Flag::new();
    let waker = Waker::from(Arc::clone(&flag));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        assert!(flag.take(), "it waits, and nobody wakes it");
    }
}

/// Tasks with a waker each, which take turns on one thread.
#[derive(Default)]
pub(crate) struct Tasks<'a> {
    tasks: Vec<(LocalBoxFuture<'a, ()>, Arc<Flag>)>,
}

impl<'a> Tasks<'a> {
    pub(crate) fn spawn(&mut self, future: impl Future<Output = ()> + 'a) {
        let flag = Flag::new();
        flag.wake_by_ref();
        self.tasks.push((Box::pin(future), flag));
    }

    /// Polls those that were woken, until none is. Returns how many wait.
    pub(crate) fn turn(&mut self) -> usize {
        while self.tasks.iter().any(|(_, flag)| flag.0.load(Ordering::SeqCst)) {
            self.tasks.retain_mut(|(task, flag)| {
                if !flag.take() {
                    return true;
                }
                let waker = Waker::from(Arc::clone(flag));
                task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            });
        }
        self.tasks.len()
    }

    /// Runs all of them to their end.
    pub(crate) fn run(mut self) {
        assert_eq!(self.turn(), 0, "tasks wait, and nobody wakes them");
    }
}

/// Polls once, with a flag for a waker.
pub(crate) fn poll<T>(flag: &Arc<Flag>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(&Waker::from(Arc::clone(flag))))
}

/// A channel without any guarantee: a stream and a sink that know nothing of each other.
pub(crate) type Bare = Join<mpsc::UnboundedReceiver<io::Result<u8>>, Fragile>;

/// The far sides of a [`Bare`].
pub(crate) struct Far {
    /// Feeds the stream.
    pub(crate) feed: mpsc::UnboundedSender<io::Result<u8>>,
    /// What arrived at the sink; `None` when that was closed or dropped.
    pub(crate) sent: mpsc::UnboundedReceiver<u8>,
}

/// The one item that a [`Fragile`] sink does not take.
pub(crate) const UNLUCKY: u8 = 13;

pub(crate) fn bare() -> (Bare, Far) {
    let (feed, stream) = mpsc::unbounded();
    let (sink, sent) = mpsc::unbounded();
    (join(stream, Fragile { sink }), Far { feed, sent })
}

impl Far {
    pub(crate) fn feed(&self, item: u8) {
        self.feed.unbounded_send(Ok(item)).unwrap();
    }

    /// Ends the stream.
    pub(crate) fn end(&self) {
        self.feed.close_channel();
    }

    /// What arrived up to now, and whether the sink was closed.
    pub(crate) fn arrived(&mut self) -> (Vec<u8>, bool) {
        let mut items = Vec::new();
        let flag = Flag::new();
        loop {
            match poll(&flag, |cx| self.sent.poll_next_unpin(cx)) {
                Poll::Ready(Some(item)) => items.push(item),
                Poll::Ready(None) => return (items, true),
                Poll::Pending => return (items, false),
            }
        }
    }
}

/// A sink that fails at [`UNLUCKY`].
pub(crate) struct Fragile {
    sink: mpsc::UnboundedSender<u8>,
}

impl Sink<u8> for Fragile {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sink.poll_ready_unpin(cx).map_err(io::Error::other)
    }

    fn start_send(mut self: Pin<&mut Self>, item: u8) -> io::Result<()> {
        if item == UNLUCKY {
            return Err(io::Error::other("unlucky"));
        }
        self.sink.start_send_unpin(item).map_err(io::Error::other)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sink.poll_flush_unpin(cx).map_err(io::Error::other)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sink.poll_close_unpin(cx).map_err(io::Error::other)
    }
}

/// Whether an item waits, without waiting for one.
pub(crate) fn now<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    poll(&Flag::new(), |cx| stream.poll_next_unpin(cx))
}

/// Whether sending failed because the channel is over.
pub(crate) fn is_closed(result: &io::Result<()>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::BrokenPipe)
}

/// A channel that has to be polled again, as it wakes nobody: of two tasks that wait for it, one finds what
/// the other waits for as well.
#[derive(Clone, Default)]
pub(crate) struct Silent(Rc<SilentState>);

#[derive(Default)]
pub(crate) struct SilentState {
    /// Whether its sink is ready, and can be closed.
    pub(crate) ready: Cell<bool>,
    /// Whether its sink has failed.
    pub(crate) failed: Cell<bool>,
}

impl Deref for Silent {
    type Target = SilentState;

    fn deref(&self) -> &SilentState {
        &self.0
    }
}

impl Silent {
    fn poll(&self) -> Poll<io::Result<()>> {
        if self.failed.get() {
            return Poll::Ready(Err(io::Error::other("lost")));
        }
        if self.ready.get() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl Stream for Silent {
    type Item = io::Result<Frame<u8>>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Pending
    }
}

impl Sink<Frame<u8>> for Silent {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll(&self)
    }

    fn start_send(self: Pin<&mut Self>, _: Frame<u8>) -> io::Result<()> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll(&self)
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll(&self)
    }
}
