//! The limits and deadlines of a connection.

use std::time::Duration;

/// The setters of [`Options`], for the `impl` block of every builder that has an `options_mut()`.
macro_rules! option_setters {
    () => {
        /// Sets the largest message that is received, in bytes, inclusive. Default: 16 MiB.
        ///
        /// A larger one ends the connection with close code 1009, on its header.
        pub fn max_message_size(mut self, bytes: usize) -> Self {
            self.options_mut().max_message_size = bytes;
            self
        }

        /// Sets how many bytes may wait to be written before sending waits. Default: 128 KiB.
        ///
        /// One message that was accepted may exceed it.
        pub fn write_buffer_size(mut self, bytes: usize) -> Self {
            self.options_mut().write_buffer_size = bytes;
            self
        }

        #[doc(alias = "pingInterval")]
        /// Sets after how much inbound silence a ping is sent (`interval`) and how long its pong,
        /// or any other byte, is waited for (`timeout`). Default: 20 s each; at least 1 ms.
        ///
        /// A ping behind a message that the peer is slow to take is waited for once it is out, then
        /// for up to twice `timeout`.
        ///
        /// A peer that does not answer ends the connection with close code 1011 and
        /// [`Error::Timeout`](crate::Error::Timeout); so does a write that makes no progress for
        /// `timeout`.
        pub fn keepalive(
            mut self,
            interval: ::std::time::Duration,
            timeout: ::std::time::Duration,
        ) -> Self {
            self.options_mut().keepalive =
                Some($crate::adapter::options::Keepalive::new(interval, timeout));
            self
        }

        /// Turns keepalive off: a connection that is lost without a sign is then found only by
        /// sending.
        pub fn no_keepalive(mut self) -> Self {
            self.options_mut().keepalive = None;
            self
        }

        /// Sets how long closing may take: what is queued, the Close frame, the peer's answer and
        /// the transport's shutdown together. Default: 5 s.
        pub fn close_timeout(mut self, timeout: ::std::time::Duration) -> Self {
            self.options_mut().close_timeout = timeout;
            self
        }

        /// Sets how messages are compressed: a client offers that, a server accepts it.
        ///
        /// Default: [`Deflate::new`](crate::Deflate::new).
        #[cfg(feature = "deflate")]
        #[doc(alias("compression", "compressionDefault"))]
        pub fn deflate(mut self, deflate: $crate::Deflate) -> Self {
            self.options_mut().deflate = Some(deflate);
            self
        }

        /// Turns compression off: it is neither offered nor accepted.
        #[cfg(feature = "deflate")]
        #[doc(alias = "compressionOff")]
        pub fn no_deflate(mut self) -> Self {
            self.options_mut().deflate = None;
            self
        }
    };
}
pub(crate) use option_setters;

/// Limits and deadlines of a connection, with defaults that suit most.
///
/// Each builder of the crate has these setters too; this is for handing one set to many.
///
/// ```
/// use std::time::Duration;
/// use ws_channel::Options;
///
/// let options = Options::new()
///     .max_message_size(1 << 20)
///     .close_timeout(Duration::from_secs(2));
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until they are given to a builder"]
pub struct Options {
    pub(crate) max_message_size: usize,
    pub(crate) write_buffer_size: usize,
    pub(crate) keepalive: Option<Keepalive>,
    pub(crate) close_timeout: Duration,
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<crate::Deflate>,
}

/// When a silent peer is asked for a sign of life, and how long that is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keepalive {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

impl Keepalive {
    /// What the clocks of all platforms tell apart. Without any period, each look at the clock
    /// would find another deadline passed.
    const LEAST: Duration = Duration::from_millis(1);

    pub(crate) fn new(interval: Duration, timeout: Duration) -> Self {
        Self { interval: interval.max(Self::LEAST), timeout: timeout.max(Self::LEAST) }
    }
}

impl Options {
    /// The defaults: messages up to 16 MiB, a write buffer of 128 KiB, keepalive after 20 s of
    /// silence with 20 s for the pong, a close timeout of 5 s.
    pub const fn new() -> Self {
        Self {
            max_message_size: 16 << 20,
            write_buffer_size: 128 << 10,
            keepalive: Some(Keepalive {
                interval: Duration::from_secs(20),
                timeout: Duration::from_secs(20),
            }),
            close_timeout: Duration::from_secs(5),
            #[cfg(feature = "deflate")]
            deflate: Some(crate::Deflate::new()),
        }
    }

    option_setters!();

    fn options_mut(&mut self) -> &mut Self {
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_periods_of_keepalive_are_never_zero() {
        let options = Options::new().keepalive(Duration::ZERO, Duration::from_nanos(1));
        let Some(Keepalive { interval, timeout }) = options.keepalive else {
            panic!("keepalive is on");
        };
        assert_eq!((interval, timeout), (Keepalive::LEAST, Keepalive::LEAST));
    }
}
