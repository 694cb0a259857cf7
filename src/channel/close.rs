//! Closing a channel with a code and a reason.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::Error;
use crate::channel::WebSocketChannel;
use crate::protocol::{CloseCode, CloseEvent, CloseFrame};

/// The frame of a `close(code, reason)`.
pub(crate) fn close_frame<K>(code: K, reason: String) -> Result<CloseFrame, Error>
where
    K: TryInto<CloseCode>,
    Error: From<K::Error>,
{
    CloseFrame::new(code.try_into()?, reason).map_err(Error::CloseFrame)
}

/// The future of [`WebSocketChannel::close`].
#[derive(Debug)]
#[must_use = "closing does nothing until awaited"]
pub struct Close<'a, C> {
    channel: &'a mut C,
    frame: Option<Result<CloseFrame, Error>>,
}

impl<'a, C> Close<'a, C> {
    pub(super) fn new<K>(channel: &'a mut C, code: K, reason: String) -> Self
    where
        K: TryInto<CloseCode>,
        Error: From<K::Error>,
    {
        Self { channel, frame: Some(close_frame(code, reason)) }
    }
}

impl<C: WebSocketChannel + Unpin> Future for Close<'_, C> {
    type Output = Result<CloseEvent, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(frame) = self.frame.take() {
            Pin::new(&mut *self.channel).start_close(Some(frame?))?;
        }
        ready!(Pin::new(&mut *self.channel).poll_close(cx))?;
        Poll::Ready(match self.channel.close_event() {
            Some(event) => Ok(event.clone()),
            None => Err(Error::closed(None)),
        })
    }
}
