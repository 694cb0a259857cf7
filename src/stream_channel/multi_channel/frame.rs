//! What a multiplexed channel carries.

/// A message of one virtual channel, or its end; what the channel below a
/// [`MultiChannel`](super::MultiChannel) carries.
///
/// With the feature `json` it is written as in Dart: `[id, message]` and `[id]`. Another encoding
/// converts to and from `(u64, Option<T>)`.
///
/// ```
/// use ws_channel::stream_channel::Frame;
///
/// let frame = Frame::from((1, Some("hello")));
/// assert_eq!(frame, Frame::Message { id: 1, message: "hello" });
/// assert_eq!(<(u64, Option<&str>)>::from(frame), (1, Some("hello")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the wire format has these two")]
pub enum Frame<T> {
    /// A message.
    Message {
        /// The id of the virtual channel, as its sender numbers it.
        id: u64,
        /// What is sent.
        message: T,
    },
    /// Nothing more is sent on a virtual channel.
    Close {
        /// The id of the virtual channel, as its sender numbers it.
        id: u64,
    },
}

impl<T> Frame<T> {
    /// The id of the virtual channel, as the frame's sender numbers it.
    pub const fn id(&self) -> u64 {
        match self {
            Self::Message { id, .. } | Self::Close { id } => *id,
        }
    }
}

impl<T> From<(u64, Option<T>)> for Frame<T> {
    fn from((id, message): (u64, Option<T>)) -> Self {
        match message {
            Some(message) => Self::Message { id, message },
            None => Self::Close { id },
        }
    }
}

impl<T> From<Frame<T>> for (u64, Option<T>) {
    fn from(frame: Frame<T>) -> Self {
        match frame {
            Frame::Message { id, message } => (id, Some(message)),
            Frame::Close { id } => (id, None),
        }
    }
}
