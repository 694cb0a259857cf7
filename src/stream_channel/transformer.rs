//! What turns a channel into another.

/// Turns a channel, a stream or a sink into another one.
///
/// For adapters that are made once and used for many channels, as codecs are. Every function
/// `Fn(C) -> D` is one; see [`transform`](crate::StreamChannelExt::transform).
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::StreamChannelExt;
/// use ws_channel::stream_channel::{Closed, Duplex, Transformer, TryMapChannel, duplex};
///
/// /// Sends numbers over a channel of strings.
/// struct Decimal;
///
/// type Parse = fn(String) -> Result<u32, Closed>;
/// type Print = fn(u32) -> Result<String, Closed>;
///
/// impl Transformer<Duplex<String>> for Decimal {
///     type Output = TryMapChannel<Duplex<String>, Parse, Print>;
///
///     fn bind(&self, channel: Duplex<String>) -> Self::Output {
///         channel.try_map_channel(|text| text.parse().map_err(|_| Closed::Ended), |n| Ok(n.to_string()))
///     }
/// }
///
/// # futures::executor::block_on(async {
/// let (near, far) = duplex(4);
/// let (mut near, mut far) = (near.transform(&Decimal), far.transform(&Decimal));
/// near.send(42).await?;
/// assert_eq!(far.next().await, Some(Ok(42)));
/// # Ok::<_, Closed>(())
/// # }).unwrap();
/// ```
///
/// A stream or a sink can be transformed alone, with
/// [`transform_stream`](crate::StreamChannelExt::transform_stream) and
/// [`transform_sink`](crate::StreamChannelExt::transform_sink):
///
/// ```
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::StreamChannelExt;
/// use ws_channel::stream_channel::{Closed, Duplex, SinkHalf, StreamHalf, duplex};
///
/// # futures::executor::block_on(async {
/// let (near, far) = duplex::<u32>(4);
/// let doubled = |sink: SinkHalf<Duplex<u32>>| sink.with(|n| std::future::ready(Ok(n * 2)));
/// let second = |stream: StreamHalf<Duplex<u32>>| stream.skip(1).take(1);
/// let (mut near, mut far) = (near.transform_sink(&doubled), far.transform_stream(&second));
/// near.send(10).await?;
/// near.send(21).await?;
/// assert_eq!(far.next().await, Some(Ok(42)));
/// assert_eq!(far.next().await, None);
/// # Ok::<_, Closed>(())
/// # }).unwrap();
/// ```
#[doc(alias = "StreamChannelTransformer")]
pub trait Transformer<C> {
    /// What `C` becomes.
    type Output;

    /// Turns `channel` into another. May be called for any number of channels.
    fn bind(&self, channel: C) -> Self::Output;
}

impl<F, C, D> Transformer<C> for F
where
    F: Fn(C) -> D + ?Sized,
{
    type Output = D;

    fn bind(&self, channel: C) -> D {
        self(channel)
    }
}
