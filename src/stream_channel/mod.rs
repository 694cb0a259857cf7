//! Two-way channels of anything, without WebSockets.

use futures::{Sink, Stream};

/// A two-way channel: what comes is a stream of results, what goes is a sink of the same type.
///
/// Implemented for everything that is both. A channel keeps these rules, those of Dart's
/// `StreamChannel`:
///
/// - When the stream ends, the channel is over; what is sent from then on is an error.
/// - Closing the sink ends the stream, before it yields more items.
/// - Dropping the reading side does not close the sending side.
///
/// ```
/// use futures::{Sink, Stream};
/// use ws_channel::StreamChannel;
///
/// fn accepts<T>(channel: impl StreamChannel<T>) {
///     // A `Stream<Item = Result<T, E>>` and a `Sink<T, Error = E>`.
///     let _ = channel;
/// }
/// ```
pub trait StreamChannel<T>: Stream<Item = Result<T, <Self as Sink<T>>::Error>> + Sink<T> {}

impl<C, T> StreamChannel<T> for C where
    C: ?Sized + Sink<T> + Stream<Item = Result<T, <C as Sink<T>>::Error>>
{
}
