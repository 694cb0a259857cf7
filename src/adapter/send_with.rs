//! Sending a message in a way of its own.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::adapter::WebSocketAdapter;
use crate::protocol::{Message, SendOptions};
use crate::{Error, WebSocketSink};

impl<S> WebSocketAdapter<S> {
    /// Sends a message in a way of its own: compressed or not, whatever its size.
    ///
    /// As [`start_send`](futures::Sink::start_send): after `poll_ready` was ready, and followed by
    /// a flush.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the connection is closing or closed.
    ///
    /// # Examples
    ///
    /// See [`SendOptions`].
    pub fn start_send_with(&mut self, message: Message, options: SendOptions) -> Result<(), Error> {
        self.driver.send_with(message, options)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketSink<WebSocketAdapter<S>> {
    /// Sends a message in a way of its own. See [`WebSocketAdapter::start_send_with`].
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the connection is closing or closed.
    pub fn start_send_with(&mut self, message: Message, options: SendOptions) -> Result<(), Error> {
        self.with(|mut channel| channel.start_send_with(message, options))
    }
}
