//! Any codec of tokio-util.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures::{Sink, Stream};
use pin_project_lite::pin_project;
use tokio_util::codec::{Decoder, Encoder};

use super::{hand_on, over_inner};
use crate::stream_channel::Closed;

pin_project! {
    /// A channel of whatever a [codec](tokio_util::codec) makes of bytes, over a channel of bytes.
    ///
    /// As tokio-util's `Framed`, over a channel instead of an `AsyncRead + AsyncWrite`: the decoder
    /// sees one stream of bytes, however it is cut into messages; each item that is sent becomes one
    /// message. Limits on memory are the codec's.
    ///
    /// An error of the decoder is an item, [`CodecError::Codec`], and the stream goes on with what the
    /// decoder makes of the rest. If it fails twice and consumes nothing, the stream ends: it would
    /// fail for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// use bytes::Bytes;
    /// use futures::{SinkExt, StreamExt};
    /// use tokio_util::codec::LengthDelimitedCodec;
    /// use ws_channel::stream_channel::{CodecChannel, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex::<Bytes>(4);
    /// let mut near = CodecChannel::new(near, LengthDelimitedCodec::new());
    /// near.send(Bytes::from_static(b"hello")).await?;
    /// assert_eq!(far.next().await.unwrap().unwrap(), b"\0\0\0\x05hello".as_slice());
    /// # Ok::<_, ws_channel::stream_channel::CodecError<_, std::io::Error>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "fromCodec")]
    #[must_use = "channels do nothing unless polled"]
    pub struct CodecChannel<C, U> {
        #[pin]
        inner: C,
        codec: U,
        incoming: BytesMut,
        outgoing: BytesMut,
        state: State,
        // Whether the decoder has just failed without consuming anything.
        stuck: bool,
    }
}

/// Where the bytes of the decoder come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Flowing,
    /// The channel below has ended; the decoder may not have.
    Draining,
    Ended,
}

impl<C, U> CodecChannel<C, U> {
    /// A channel of what `codec` makes of `inner`.
    pub fn new(inner: C, codec: U) -> Self {
        let (incoming, outgoing) = (BytesMut::new(), BytesMut::new());
        Self { inner, codec, incoming, outgoing, state: State::Flowing, stuck: false }
    }

    /// The codec.
    pub const fn codec(&self) -> &U {
        &self.codec
    }

    /// The codec.
    pub const fn codec_mut(&mut self) -> &mut U {
        &mut self.codec
    }

    over_inner!();
}

impl<C, M, E, U> Stream for CodecChannel<C, U>
where
    C: Stream<Item = Result<M, E>>,
    M: Into<Bytes>,
    U: Decoder,
{
    type Item = Result<U::Item, CodecError<E, U::Error>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        loop {
            let before = this.incoming.len();
            let decoded = match this.state {
                State::Ended => return Poll::Ready(None),
                State::Flowing => this.codec.decode(this.incoming),
                State::Draining => this.codec.decode_eof(this.incoming),
            };
            if decoded.is_ok() {
                *this.stuck = false;
            }
            match decoded {
                Ok(Some(item)) => return Poll::Ready(Some(Ok(item))),
                Err(error) => {
                    let was_stuck = std::mem::replace(this.stuck, this.incoming.len() == before);
                    if *this.stuck && (was_stuck || *this.state == State::Draining) {
                        *this.state = State::Ended;
                    }
                    return Poll::Ready(Some(Err(CodecError::Codec(error))));
                }
                Ok(None) if *this.state == State::Draining => {
                    *this.state = State::Ended;
                    return Poll::Ready(None);
                }
                Ok(None) => {}
            }
            match ready!(this.inner.as_mut().poll_next(cx)) {
                Some(Ok(piece)) => {
                    let piece: Bytes = piece.into();
                    this.incoming.extend_from_slice(&piece);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(CodecError::Channel(error)))),
                None => *this.state = State::Draining,
            }
        }
    }
}

impl<C, M, E, U, I> Sink<I> for CodecChannel<C, U>
where
    C: Stream<Item = Result<M, E>> + Sink<M, Error = E>,
    M: From<Bytes>,
    U: Encoder<I>,
{
    type Error = CodecError<E, U::Error>;

    fn start_send(self: Pin<&mut Self>, item: I) -> Result<(), Self::Error> {
        let this = self.project();
        if let Err(error) = this.codec.encode(item, this.outgoing) {
            // Half an item would garble the next one.
            this.outgoing.clear();
            return Err(CodecError::Codec(error));
        }
        let bytes = this.outgoing.split().freeze();
        this.inner.start_send(bytes.into()).map_err(CodecError::Channel)
    }

    hand_on!(CodecError::Channel);
}

impl<C: fmt::Debug, U: fmt::Debug> fmt::Debug for CodecChannel<C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodecChannel")
            .field("inner", &self.inner)
            .field("codec", &self.codec)
            .finish_non_exhaustive()
    }
}

/// Why an item did not get through.
///
/// Only [`Channel`](Self::Channel) is about the channel; after an error of the codec it can be used
/// on, as far as the codec can.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError<E, F = io::Error> {
    /// The channel below failed.
    #[error(transparent)]
    Channel(E),
    /// The codec failed. If that was at a send, nothing was sent.
    #[error("the codec failed")]
    Codec(#[source] F),
}

/// What the codec's own `io::Error`s become where a function returns these.
impl<E, F: From<io::Error>> From<io::Error> for CodecError<E, F> {
    fn from(error: io::Error) -> Self {
        Self::Codec(error.into())
    }
}

impl<E: From<Closed>, F> From<Closed> for CodecError<E, F> {
    fn from(closed: Closed) -> Self {
        Self::Channel(closed.into())
    }
}
