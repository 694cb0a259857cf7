//! Channels whose items are encoded for the channel below: documents, lines, frames of any codec.
//!
//! What is below carries text or bytes, in any type that becomes [`Bytes`](bytes::Bytes) and is made
//! from them: `String`, `Vec<u8>`, `Bytes`, or a WebSocket's `Message`.

#[cfg(feature = "codec")]
mod framed;
#[cfg(feature = "json")]
mod json;
mod lines;

#[cfg(feature = "codec")]
pub use framed::{CodecChannel, CodecError};
#[cfg(feature = "json")]
pub use json::{JsonChannel, JsonError};
pub use lines::{LinesChannel, LinesError};

/// The accessors of a channel over `inner`.
macro_rules! over_inner {
    () => {
        /// The channel below.
        pub const fn get_ref(&self) -> &C {
            &self.inner
        }

        /// The channel below. What is received there is missing here.
        pub const fn get_mut(&mut self) -> &mut C {
            &mut self.inner
        }

        /// The channel below; what was received and not asked for yet is lost.
        pub fn into_inner(self) -> C {
            self.inner
        }
    };
}
use over_inner;

/// The polls of a sink over `inner` that only hand on.
macro_rules! hand_on {
    ($error:path) => {
        fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.project().inner.poll_ready(cx).map_err($error)
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.project().inner.poll_flush(cx).map_err($error)
        }

        fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.project().inner.poll_close(cx).map_err($error)
        }
    };
}
use hand_on;
