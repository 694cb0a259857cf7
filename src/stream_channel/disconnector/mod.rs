//! Ending channels from outside.

mod disconnectable;
mod disconnecting;
mod registry;

use std::fmt;
use std::sync::Arc;

use super::Transformer;

use registry::{Member, Shared};

pub use disconnectable::Disconnectable;
pub use disconnecting::Disconnecting;

/// Ends any number of channels from outside.
///
/// For whoever does not own the channels, as at the shutdown of a server, or when a user logs out.
/// The channels are those that it [bound](Self::bind); each is closed by the task that has it, which
/// is woken for that. Clones are of one disconnector.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
/// use ws_channel::StreamChannelExt;
/// use ws_channel::stream_channel::{Disconnector, duplex};
///
/// # futures::executor::block_on(async {
/// let disconnector = Disconnector::new();
/// let (near, mut far) = duplex::<u8>(4);
/// let mut near = near.transform(&disconnector);
///
/// let handler = async move { assert_eq!(near.next().await, None) };
/// futures::join!(handler, disconnector.disconnect());
/// assert_eq!(far.next().await, None);
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Disconnector {
    shared: Arc<Shared>,
}

impl Disconnector {
    /// A disconnector of no channel yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A channel that ends when [`disconnect`](Self::disconnect) is called; at once if it was called.
    pub fn bind<C>(&self, channel: C) -> Disconnectable<C> {
        Disconnectable::new(channel, Member::new(&self.shared))
    }

    /// Ends the channels, now, and says when all of them are closed.
    ///
    /// What they still receive is dropped. Each is closed when its task polls it, to which it is woken;
    /// one that is dropped counts as closed. So the future resolves when all of them were polled to
    /// their end or dropped; how long the closing of one may take is its own matter, and a deadline
    /// that of the caller. Called again, it gives a future of the same end.
    ///
    /// What goes wrong in the closing is told to whoever has the channel.
    ///
    /// # Cancellation safety
    ///
    /// The channels end whether or not the future is polled.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::SinkExt;
    /// use ws_channel::stream_channel::{Closed, Disconnector, duplex};
    ///
    /// # futures::executor::block_on(async {
    /// let disconnector = Disconnector::new();
    /// let mut channel = disconnector.bind(duplex::<u8>(4).0);
    /// let (first, again) = (disconnector.disconnect(), disconnector.disconnect());
    /// assert!(disconnector.is_disconnected());
    /// // It is closed by whoever has it.
    /// assert_eq!(channel.send(1).await, Err(Closed::Ended));
    /// futures::join!(first, again);
    /// # });
    /// ```
    pub fn disconnect(&self) -> Disconnecting {
        self.shared.disconnect();
        Disconnecting::new(&self.shared)
    }

    /// Whether [`disconnect`](Self::disconnect) was called.
    pub fn is_disconnected(&self) -> bool {
        self.shared.is_disconnected()
    }
}

impl<C> Transformer<C> for Disconnector {
    type Output = Disconnectable<C>;

    fn bind(&self, channel: C) -> Disconnectable<C> {
        Self::bind(self, channel)
    }
}

impl fmt::Debug for Disconnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disconnector")
            .field("is_disconnected", &self.is_disconnected())
            .field("channels", &self.shared.len())
            .finish()
    }
}
