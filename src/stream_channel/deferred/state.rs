//! Whether the channel below is there.

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use super::super::Closed;
use super::super::waiting::Waiting;

pin_project! {
    /// The channel below, or what makes it.
    #[project = StateProject]
    pub(super) enum State<F, C> {
        Waiting { #[pin] future: F },
        Set { #[pin] channel: C },
        Over,
    }
}

/// What is known of the channel below.
pub(super) enum Known<E> {
    Set,
    /// There will be none, and this says why.
    Failed(E),
    /// There will be none, as somebody knows.
    Over,
}

impl<E: From<Closed>> Known<E> {
    /// As the result of whatever needs the channel.
    pub(super) fn told(self) -> Result<(), E> {
        match self {
            Self::Set => Ok(()),
            Self::Failed(error) => Err(error),
            Self::Over => Err(Closed::Ended.into()),
        }
    }
}

impl<F, C> State<F, C> {
    /// Runs the future. Whoever polls it does so for both halves, which are `waiting`, as is `waker`.
    pub(super) fn poll_made<E>(
        mut self: Pin<&mut Self>,
        waiting: &Waiting,
        waker: &Waker,
    ) -> Poll<Known<E>>
    where
        F: Future<Output = Result<C, E>>,
    {
        let made = match self.as_mut().project() {
            StateProject::Waiting { future } => {
                ready!(future.poll(&mut Context::from_waker(waker)))
            }
            StateProject::Set { .. } => return Poll::Ready(Known::Set),
            StateProject::Over => return Poll::Ready(Known::Over),
        };
        let known = match made {
            Ok(channel) => {
                self.set(Self::Set { channel });
                Known::Set
            }
            Err(error) => {
                self.set(Self::Over);
                Known::Failed(error)
            }
        };
        waiting.wake();
        Poll::Ready(known)
    }
}
