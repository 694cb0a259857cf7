//! A message that is encoded once for many receivers.

use std::fmt;
use std::sync::Arc;

use crate::protocol::Message;
use crate::protocol::frame::{Header, Opcode};
use crate::protocol::transmitter::LARGE;

/// A message encoded once, to be sent to many clients. Cheap to clone.
///
/// For a server that sends the same message to all of a room: each `start_send_prepared`
/// ([here](crate::WebSocketAdapter::start_send_prepared), and on
/// [its sink](crate::WebSocketSink::start_send_prepared)) then copies a finished frame, or, from
/// 16 KiB on, shares the payload and copies nothing.
///
/// # Examples
///
/// ```
/// use std::future::poll_fn;
///
/// use futures::{SinkExt, StreamExt};
/// use ws_channel::{Handshake, Prepared, Role, WebSocketAdapter};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ws_channel::Error> {
/// let news = Prepared::new("it rains");
/// for _ in 0..3 {
///     let (near, far) = tokio::io::duplex(1024);
///     let mut server = WebSocketAdapter::from_upgraded(near, Role::Server, Handshake::default());
///     let mut client = WebSocketAdapter::from_upgraded(far, Role::Client, Handshake::default());
///
///     poll_fn(|cx| server.poll_ready_unpin(cx)).await?;
///     server.start_send_prepared(&news)?;
///     server.flush().await?;
///     assert_eq!(client.next().await.transpose()?.as_ref(), Some(news.message()));
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Prepared(Arc<Forms>);

struct Forms {
    message: Message,
    /// The server's frame, if the message is small; a large payload is shared as it is.
    frame: Option<Box<[u8]>>,
}

impl Prepared {
    /// Encodes a message.
    pub fn new(message: impl Into<Message>) -> Self {
        let message = message.into();
        let frame = (message.len() < LARGE).then(|| encode(&message));
        Self(Arc::new(Forms { message, frame }))
    }

    /// What was prepared.
    pub fn message(&self) -> &Message {
        &self.0.message
    }

    /// The whole frame of a server, unless its payload is better shared.
    #[inline]
    pub(crate) fn frame(&self) -> Option<&[u8]> {
        self.0.frame.as_deref()
    }
}

fn encode(message: &Message) -> Box<[u8]> {
    let opcode = if message.is_text() { Opcode::Text } else { Opcode::Binary };
    let length = message.len() as u64;
    let (header, used) = Header { opcode, fin: true, length, key: None }.to_bytes();
    [&header[..used], message.as_bytes()].concat().into()
}

impl<M: Into<Message>> From<M> for Prepared {
    fn from(message: M) -> Self {
        Self::new(message)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepared").field(self.message()).finish()
    }
}
