//! The end: the closing handshake, the shutdown, and what is waited for until then.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Error;
use crate::adapter::driver::Driver;
use crate::adapter::driver::receive::{READS, SCRATCH};
use crate::platform;
use crate::protocol::CloseFrame;
use crate::protocol::connection::Lifecycle;

/// How long a peer that broke the protocol is listened to, so that it reads why.
const LINGER: Duration = Duration::from_secs(1);

impl<S> Driver<S> {
    /// Begins the closing handshake.
    pub(crate) fn start_close(&mut self, frame: Option<&CloseFrame>) -> Result<(), Error> {
        self.connection.close(frame, platform::mask_key)?;
        if self.connection.lifecycle() == Lifecycle::Closing {
            // WHATWG: once closing has begun, no message is delivered any more.
            self.kept = None;
            self.limit_close(self.close_timeout);
        }
        Ok(())
    }

    /// Sets the one deadline for all of the end, unless it is set.
    fn limit_close(&mut self, timeout: Duration) {
        if self.close_by.is_none() {
            let by = platform::later(platform::now(), timeout);
            self.close_by = Some(by);
            self.wake_by(by);
        }
    }

    fn limit_leave(&mut self) {
        if self.connection.lifecycle() != Lifecycle::Ended {
            let faulty = self.connection.known_event().is_some_and(|event| !event.was_clean);
            let timeout = self.close_timeout;
            self.limit_close(if faulty { timeout.min(LINGER) } else { timeout });
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Ready when it is over.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.connection.lifecycle() == Lifecycle::Open {
            // Without a frame there is nothing to refuse.
            let _ = self.start_close(None);
        }
        while ready!(self.poll_item(cx)).is_some() {}
        Poll::Ready(())
    }

    /// Goes the last steps: writes what is queued, shuts down, lingers. Ready when it is over.
    pub(super) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let step = match self.connection.lifecycle() {
                Lifecycle::Ended => {
                    self.timer.disarm();
                    return Poll::Ready(());
                }
                Lifecycle::Flushing { .. } if self.connection.is_broken() => Poll::Ready(Ok(())),
                Lifecycle::Flushing { .. } => self.poll_write(cx),
                Lifecycle::ShuttingDown { .. } => {
                    Pin::new(&mut self.io).poll_shutdown(cx).map(|_| Ok(()))
                }
                _ => self.poll_discard(cx).map(Ok),
            };
            self.limit_leave();
            match step {
                Poll::Ready(Ok(())) => self.connection.step(),
                Poll::Ready(Err(error)) => self.connection.write_failed(error),
                Poll::Pending => {
                    if self.connection.lifecycle() != Lifecycle::Lingering {
                        // A peer that is stuck writing does not come to read.
                        let _ = self.poll_discard(cx);
                    }
                    ready!(self.poll_clock(cx, false));
                }
            }
        }
    }

    /// Reads and drops; ready when input has ended.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..READS {
            let mut scratch = [MaybeUninit::uninit(); 4 * SCRATCH];
            let mut scratch = ReadBuf::uninit(&mut scratch);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut scratch)) {
                Ok(()) if !scratch.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
