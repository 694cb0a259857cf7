//! Sending what was encoded once for many.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::adapter::WebSocketAdapter;
use crate::protocol::Prepared;
use crate::{Error, WebSocketSink};

impl<S> WebSocketAdapter<S> {
    /// Sends a message that was encoded once for many receivers.
    ///
    /// As [`start_send`](futures::Sink::start_send): after `poll_ready` was ready, and followed by
    /// a flush. Made for servers; a client masks the message anew, as it does any other.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the connection is closing or closed.
    ///
    /// # Examples
    ///
    /// See [`Prepared`].
    pub fn start_send_prepared(&mut self, prepared: &Prepared) -> Result<(), Error> {
        self.driver.send_prepared(prepared)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketSink<WebSocketAdapter<S>> {
    /// Sends a message that was encoded once for many receivers. See
    /// [`WebSocketAdapter::start_send_prepared`].
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the connection is closing or closed.
    pub fn start_send_prepared(&mut self, prepared: &Prepared) -> Result<(), Error> {
        self.with(|mut channel| channel.start_send_prepared(prepared))
    }
}
