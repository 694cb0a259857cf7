//! A channel made of a stream and a sink.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};
use pin_project_lite::pin_project;

/// Makes a channel of a stream and a sink.
///
/// Nothing is checked: where the two do not keep the [rules](crate::stream_channel#rules) by
/// themselves, add [`with_guarantees`](crate::StreamChannelExt::with_guarantees). The stream's items
/// are results with the sink's error; a plain stream becomes one with `map(Ok)`.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use futures::{SinkExt, StreamExt, channel::mpsc};
/// use ws_channel::StreamChannelExt;
/// use ws_channel::stream_channel::join;
///
/// # futures::executor::block_on(async {
/// let (sender, sent) = mpsc::channel::<u8>(8);
/// let (feed, receiver) = mpsc::channel::<u8>(8);
/// let mut channel = join(receiver.map(Ok), sender.sink_map_err(io::Error::other)).with_guarantees();
/// channel.send(1).await?;
/// # drop((feed, sent));
/// # io::Result::Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "withGuarantees")]
pub fn join<St, Si>(stream: St, sink: Si) -> Join<St, Si> {
    Join { stream, sink }
}

pin_project! {
    /// The channel of [`join`].
    #[derive(Debug)]
    #[must_use = "channels do nothing unless polled"]
    pub struct Join<St, Si> {
        #[pin]
        stream: St,
        #[pin]
        sink: Si,
    }
}

impl<St, Si> Join<St, Si> {
    /// Its stream and its sink.
    pub fn get_ref(&self) -> (&St, &Si) {
        (&self.stream, &self.sink)
    }

    /// Its stream and its sink.
    pub fn get_mut(&mut self) -> (&mut St, &mut Si) {
        (&mut self.stream, &mut self.sink)
    }

    /// Its stream and its sink.
    pub fn into_inner(self) -> (St, Si) {
        (self.stream, self.sink)
    }
}

impl<St: Stream, Si> Stream for Join<St, Si> {
    type Item = St::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<St::Item>> {
        self.project().stream.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl<St, Si: Sink<T>, T> Sink<T> for Join<St, Si> {
    type Error = Si::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>> {
        self.project().sink.poll_ready(cx)
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), Si::Error> {
        self.project().sink.start_send(item)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>> {
        self.project().sink.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>> {
        self.project().sink.poll_close(cx)
    }
}
