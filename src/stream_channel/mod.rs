//! Two-way channels of anything, without WebSockets.
//!
//! A [`StreamChannel`] is a `Stream` and a `Sink` of the same items, with a few rules about how the
//! two hang together. A WebSocket is one; so are two pipes of a child process, two tasks with a queue
//! each way, or a channel of JSON documents over any of them. Protocols that are written for a
//! channel run over all of them, and are tested without a network.
//!
//! Nothing here needs a runtime, and all of it is the same natively and in the browser.
//!
//! | to | there is |
//! |---|---|
//! | connect two tasks, or test one end | [`duplex`] |
//! | connect a page and its worker | `PortChannel`, in the browser |
//! | make a channel of a stream and a sink | [`join`], [`with_guarantees`](StreamChannelExt::with_guarantees) |
//! | connect two channels | [`pipe`](StreamChannelExt::pipe) |
//! | send other items | [`map_channel`], [`try_map_channel`], [`transform`](StreamChannelExt::transform) |
//! | send values as JSON, lines, or what a codec makes | `JsonChannel` (feature `json`), [`LinesChannel`], `CodecChannel` (feature `codec`) |
//! | adapt one direction | [`change_stream`](StreamChannelExt::change_stream), [`change_sink`](StreamChannelExt::change_sink) |
//! | own the directions in two tasks | [`into_halves`](StreamChannelExt::into_halves) |
//! | use a channel before it exists | [`Completer`], [`Deferred`] |
//! | end channels from outside | [`Disconnector`] |
//! | run many channels over one | [`MultiChannel`] |
//! | name a channel of any type | [`boxed_channel`], [`local_boxed_channel`] |
//!
//! # Rules
//!
//! A channel keeps these rules, those of Dart's `StreamChannel` as far as Rust leaves them to the
//! program; [`with_guarantees`](StreamChannelExt::with_guarantees) makes one keep them that does not.
//!
//! 1. The stream has one reader: whoever owns it, which the compiler sees to.
//! 2. Closing the sink ends the stream before it yields more items.
//! 3. When the stream has ended, the channel is over and its sink is closed. What is sent from then
//!    on is an error, [`Closed`] where a tool of this module has to make it, until and after the
//!    program closes it itself. (Dart drops it silently; here nothing is lost without an error.)
//! 4. The end is noticed by a sender, too, where nobody reads: rule 3 holds when the reading
//!    [half](StreamChannelExt::into_halves) was dropped, which has no other effect on the sink.
//! 5. An error of the sink is the end, and is told where it occurs and nowhere else. An error in the
//!    stream is an item; what follows it is the channel's matter.
//! 6. `close` resolves once what was sent is handed over and the other end is told. A second one does
//!    nothing.
//!
//! Nobody else sends while a stream is being sent, since `send_all` borrows the sink:
//!
//! ```compile_fail,E0499
//! use futures::{SinkExt, stream};
//! use ws_channel::stream_channel::duplex;
//!
//! let (mut near, _far) = duplex::<u8>(4);
//! let mut items = stream::iter([Ok(1), Ok(2)]);
//! let sending = near.send_all(&mut items);
//! near.close();
//! drop(sending);
//! ```
//!
//! Nor can there be a second reader, as the halves cannot be cloned:
//!
//! ```compile_fail,E0599
//! use ws_channel::StreamChannelExt;
//! use ws_channel::stream_channel::duplex;
//!
//! let (near, _far) = duplex::<u8>(4);
//! let (_sink, stream) = near.into_halves();
//! let again = stream.clone();
//! ```
//!
//! [`map_channel`]: StreamChannelExt::map_channel
//! [`try_map_channel`]: StreamChannelExt::try_map_channel
//! [`boxed_channel`]: StreamChannelExt::boxed_channel
//! [`local_boxed_channel`]: StreamChannelExt::local_boxed_channel

mod boxed;
mod close_guarantee;
mod closed;
mod codec;
mod completer;
mod deferred;
mod disconnector;
mod duplex;
mod ext;
mod guarantees;
mod halves;
mod join;
mod map;
mod multi_channel;
mod pipe;
mod transformer;
pub(crate) mod waiting;

use futures::{Sink, Stream};

pub use boxed::{BoxStreamChannel, LocalBoxStreamChannel};
pub use close_guarantee::CloseGuarantee;
pub use closed::Closed;
#[cfg(feature = "codec")]
pub use codec::{CodecChannel, CodecError};
#[cfg(feature = "json")]
pub use codec::{JsonChannel, JsonError};
pub use codec::{LinesChannel, LinesError};
pub use completer::{Completer, Completion};
pub use deferred::Deferred;
pub use disconnector::{Disconnectable, Disconnecting, Disconnector};
pub use duplex::{Duplex, duplex};
pub use ext::StreamChannelExt;
pub use guarantees::Guarantees;
pub use halves::{SinkHalf, StreamHalf};
pub use join::{Join, join};
pub use map::{MapChannel, TryMapChannel};
pub use multi_channel::{Frame, InvalidId, MultiChannel, MultiChannelBuilder, VirtualChannel};
pub use pipe::Pipe;
pub use transformer::Transformer;

/// A two-way channel: what comes is a stream of results, what goes is a sink of the same type.
///
/// Implemented for everything that is both. The [module](self) has the rules that a channel keeps,
/// [`StreamChannelExt`] what it can do.
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
