//! What every channel can do.

use futures::{Sink, Stream};

use super::{
    BoxStreamChannel, CloseGuarantee, Closed, Guarantees, Join, LocalBoxStreamChannel, MapChannel,
    Pipe, SinkHalf, StreamChannel, StreamHalf, Transformer, TryMapChannel, halves, join,
};

/// The error of the channel `C` of `T`.
type ErrorOf<C, T> = <C as Sink<T>>::Error;

/// What every [`StreamChannel`] can do beside what it can as a stream and as a sink.
///
/// Adapters of streams that hand on the sink, and of sinks that hand on the stream, make channels of
/// channels as well: futures' `map`, `filter`, `then`, `sink_map_err` and `with` do.
#[doc(alias = "StreamChannelMixin")]
pub trait StreamChannelExt<T>: StreamChannel<T> {
    /// Connects this channel with another: what one receives, the other sends, both ways.
    ///
    /// When one ends, the other is closed. The future resolves when both are; then everything was
    /// handed over.
    ///
    /// # Errors
    ///
    /// The first error of either channel, be it an item or of a sink. Both channels are closed
    /// before it is returned, which takes as long as they take to close.
    ///
    /// # Cancellation safety
    ///
    /// Dropping the future drops both channels, and up to one item of each direction.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::{Closed, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let ((mut near, one), (other, mut far)) = (duplex(4), duplex(4));
    /// let talk = async {
    ///     near.send("through the pipe").await?;
    ///     assert_eq!(far.next().await, Some(Ok("through the pipe")));
    ///     near.close().await
    /// };
    /// futures::try_join!(one.pipe(other), talk)?;
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    fn pipe<C>(self, other: C) -> Pipe<Self, C, T>
    where
        Self: Sized,
        C: StreamChannel<T>,
        ErrorOf<C, T>: Into<ErrorOf<Self, T>>,
    {
        Pipe::new(self, other)
    }

    /// The channel that `transformer` makes of this one: a codec, a
    /// function, or whatever implements [`Transformer`].
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::{Closed, Duplex, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex::<String>(4);
    /// let lengths = |channel: Duplex<String>| channel.map_channel(|s| s.len(), |n| "x".repeat(n));
    /// let mut near = near.transform(&lengths);
    /// near.send(3).await?;
    /// assert_eq!(far.next().await, Some(Ok("xxx".to_owned())));
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    fn transform<X>(self, transformer: &X) -> X::Output
    where
        Self: Sized,
        X: Transformer<Self> + ?Sized,
    {
        transformer.bind(self)
    }

    /// Replaces the stream by what `transformer` makes of it; the sink stays.
    ///
    /// The result has the [close guarantee](Self::with_close_guarantee). [`Transformer`] has an example.
    fn transform_stream<X>(self, transformer: &X) -> CloseGuarantee<Join<X::Output, SinkHalf<Self>>>
    where
        Self: Sized,
        X: Transformer<StreamHalf<Self>> + ?Sized,
        X::Output: Stream<Item = Result<T, ErrorOf<Self, T>>>,
    {
        self.change_stream(|stream| transformer.bind(stream))
    }

    /// Replaces the sink by what `transformer` makes of it; the stream stays.
    ///
    /// The result has the [close guarantee](Self::with_close_guarantee). [`Transformer`] has an example.
    fn transform_sink<X>(self, transformer: &X) -> CloseGuarantee<Join<StreamHalf<Self>, X::Output>>
    where
        Self: Sized,
        X: Transformer<SinkHalf<Self>> + ?Sized,
        X::Output: Sink<T, Error = ErrorOf<Self, T>>,
    {
        self.change_sink(|sink| transformer.bind(sink))
    }

    /// Replaces the stream by what `change` makes of it; the sink stays.
    ///
    /// The result has the [close guarantee](Self::with_close_guarantee). Where an adapter hands on
    /// the sink, as those of `StreamExt` mostly do, calling it on the channel itself costs less: here
    /// the two halves share the channel behind a lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::{Closed, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex(4);
    /// let mut near = near.change_stream(|stream| stream.skip(1));
    /// far.send("preamble").await?;
    /// far.send("message").await?;
    /// assert_eq!(near.next().await, Some(Ok("message")));
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    fn change_stream<F, S>(self, change: F) -> CloseGuarantee<Join<S, SinkHalf<Self>>>
    where
        Self: Sized,
        F: FnOnce(StreamHalf<Self>) -> S,
        S: Stream<Item = Result<T, ErrorOf<Self, T>>>,
    {
        let (sink, stream) = halves::halves(self);
        CloseGuarantee::new(join(change(stream), sink))
    }

    /// Replaces the sink by what `change` makes of it; the stream stays.
    ///
    /// The result has the [close guarantee](Self::with_close_guarantee). The note of
    /// [`change_stream`](Self::change_stream) holds for adapters of `SinkExt`, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::{Closed, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex(4);
    /// let mut near = near.change_sink(|sink| sink.with(async |n: u32| Ok(n * 2)));
    /// # let mut near = std::pin::pin!(near);
    /// near.send(21).await?;
    /// assert_eq!(far.next().await, Some(Ok(42)));
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    fn change_sink<F, S>(self, change: F) -> CloseGuarantee<Join<StreamHalf<Self>, S>>
    where
        Self: Sized,
        F: FnOnce(SinkHalf<Self>) -> S,
        S: Sink<T, Error = ErrorOf<Self, T>>,
    {
        let (sink, stream) = halves::halves(self);
        CloseGuarantee::new(join(stream, change(sink)))
    }

    /// A channel of `U`: each item that is received goes through `decode`, each that is sent through
    /// `encode`.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::{Closed, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex::<u8>(4);
    /// let mut near = near.map_channel(char::from, |c: char| c as u8);
    /// near.send('a').await?;
    /// assert_eq!(far.next().await, Some(Ok(97)));
    /// far.send(98).await?;
    /// assert_eq!(near.next().await, Some(Ok('b')));
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "cast")]
    fn map_channel<U, D, N>(self, decode: D, encode: N) -> MapChannel<Self, D, N>
    where
        Self: Sized,
        D: FnMut(T) -> U,
        N: FnMut(U) -> T,
    {
        MapChannel::new(self, decode, encode)
    }

    /// A channel of `U` as [`map_channel`](Self::map_channel) makes it, whose functions may fail.
    ///
    /// What `decode` refuses is an item `Err` of the stream, which goes on; what `encode` refuses is an
    /// `Err` of sending, and nothing is sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::duplex;
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex::<String>(4);
    /// let mut near = near.try_map_channel(
    ///     |text| text.parse::<u32>().map_err(io::Error::other),
    ///     |number| Ok(number.to_string()),
    /// );
    /// far.send("many".into()).await?;
    /// far.send("7".into()).await?;
    /// assert!(near.next().await.unwrap().is_err());
    /// assert_eq!(near.next().await.unwrap()?, 7);
    /// # io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "cast")]
    fn try_map_channel<U, F, D, N>(self, decode: D, encode: N) -> TryMapChannel<Self, D, N>
    where
        Self: Sized,
        D: FnMut(T) -> Result<U, F>,
        N: FnMut(U) -> Result<T, F>,
        F: From<ErrorOf<Self, T>>,
    {
        TryMapChannel::new(self, decode, encode)
    }

    /// Boxes a channel that may move between threads.
    ///
    /// ```
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::{BoxStreamChannel, Closed, duplex};
    ///
    /// let (near, far) = duplex::<u8>(4);
    /// let _either: [BoxStreamChannel<u8, Closed>; 2] =
    ///     [near.boxed_channel(), far.with_guarantees().boxed_channel()];
    /// ```
    fn boxed_channel(self) -> BoxStreamChannel<T, ErrorOf<Self, T>>
    where
        Self: Sized + Send + 'static,
    {
        BoxStreamChannel::new(self)
    }

    /// Boxes a channel that stays on its thread.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::{Closed, LocalBoxStreamChannel, duplex};
    ///
    /// let (near, _far) = duplex::<Rc<str>>(4);
    /// let _any: LocalBoxStreamChannel<Rc<str>, Closed> = near.local_boxed_channel();
    /// ```
    fn local_boxed_channel(self) -> LocalBoxStreamChannel<T, ErrorOf<Self, T>>
    where
        Self: Sized + 'static,
    {
        LocalBoxStreamChannel::new(self)
    }

    /// Makes a channel keep the [rules](crate::stream_channel#rules), over one that does not by
    /// itself, such as two pipes that were [joined](super::join).
    ///
    /// - Closing ends the stream at once.
    /// - When the stream has ended, sending is [`Closed`], and the inner sink is closed: as far as that
    ///   needs no waiting when `None` is read, and to the end by `close`.
    /// - The first error of the sink is returned where it occurs and is the end: the stream ends,
    ///   sending is `Closed`, and the inner sink is closed as above.
    /// - After `None` there is `None`; a channel that is closed is closed again without an effect.
    ///
    /// It does not read ahead: what comes waits in the inner channel. [`Guarantees`] has an example.
    #[doc(alias = "withGuarantees")]
    fn with_guarantees(self) -> Guarantees<Self>
    where
        Self: Sized,
        ErrorOf<Self, T>: From<Closed>,
    {
        Guarantees::new(self)
    }

    /// Makes a channel's stream end when its sink is closed, before it yields more items.
    ///
    /// Of [`with_guarantees`](Self::with_guarantees) this is the rule that adapters of one half are
    /// likely to break; it needs nothing of the error type. [`CloseGuarantee`] has an example.
    #[doc(alias = "withCloseGuarantee")]
    fn with_close_guarantee(self) -> CloseGuarantee<Self>
    where
        Self: Sized,
    {
        CloseGuarantee::new(self)
    }

    /// Splits the channel into halves that two tasks can own.
    ///
    /// Unlike `StreamExt::split`, dropping the stream half does not leave the sink half behind: it
    /// then reads and drops what comes, so that it notices the end. Dropping the sink half does not
    /// close the channel; dropping both drops it.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use ws_channel::StreamChannelExt;
    /// use ws_channel::stream_channel::{Closed, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let (near, mut far) = duplex(4);
    /// let (mut sink, stream) = near.into_halves();
    /// drop(stream);
    /// sink.send("still there").await?;
    /// assert_eq!(far.next().await, Some(Ok("still there")));
    /// # Ok::<_, Closed>(())
    /// # }).unwrap();
    /// ```
    fn into_halves(self) -> (SinkHalf<Self>, StreamHalf<Self>)
    where
        Self: Sized,
    {
        halves::halves(self)
    }
}

impl<C: StreamChannel<T> + ?Sized, T> StreamChannelExt<T> for C {}
