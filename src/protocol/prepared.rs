//! A message that is encoded once for many receivers.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "deflate")]
use std::sync::OnceLock;

use bytes::Bytes;

use crate::protocol::Message;
#[cfg(feature = "deflate")]
use crate::protocol::deflate::Settings;
use crate::protocol::frame::{Header, Opcode};
use crate::protocol::transmitter::LARGE;
#[cfg(feature = "deflate")]
use crate::protocol::transmitter::deflated;

/// A message encoded once, to be sent to many clients. Cheap to clone.
///
/// For a server that sends the same message to all of a room: each `start_send_prepared`
/// ([here](crate::WebSocketAdapter::start_send_prepared), and on
/// [its sink](crate::WebSocketSink::start_send_prepared)) then copies a finished frame, or, from
/// 16 KiB on, shares the payload and copies nothing.
///
/// Where compression was agreed on, the message is compressed once for all connections that agreed
/// on the same, when the first of them sends it, and as a whole: it refers to no message before it,
/// and the next message refers to none either. A short one goes out as it is.
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
    frame: Option<Bytes>,
    #[cfg(feature = "deflate")]
    deflated: OnceLock<Box<Deflated>>,
}

/// The compressed form for connections that agreed on the same, and the next one; there are few.
#[cfg(feature = "deflate")]
struct Deflated {
    settings: Settings,
    /// The server's frame, if it is any shorter.
    frame: Option<Bytes>,
    next: OnceLock<Box<Self>>,
}

impl Prepared {
    /// Encodes a message.
    pub fn new(message: impl Into<Message>) -> Self {
        let message = message.into();
        let frame = (message.len() < LARGE).then(|| encode(&message));
        Self(Arc::new(Forms {
            message,
            frame,
            #[cfg(feature = "deflate")]
            deflated: OnceLock::new(),
        }))
    }

    /// What was prepared.
    pub fn message(&self) -> &Message {
        &self.0.message
    }

    #[inline]
    pub(crate) fn opcode(&self) -> Opcode {
        Opcode::of_message(self.message().is_text())
    }

    /// The whole frame of a server, unless its payload is better shared.
    #[inline]
    pub(crate) fn frame(&self) -> Option<&Bytes> {
        self.0.frame.as_ref()
    }

    /// The whole frame of a server that compresses so, made when it is asked for first; `None` if it
    /// would be no shorter.
    #[cfg(feature = "deflate")]
    pub(crate) fn deflated(&self, settings: Settings) -> Option<&Bytes> {
        let make = || {
            let frame = deflated(settings, self.opcode(), self.message().as_bytes());
            Box::new(Deflated { settings, frame, next: OnceLock::new() })
        };
        let mut form = self.0.deflated.get_or_init(make);
        while form.settings != settings {
            form = form.next.get_or_init(make);
        }
        form.frame.as_ref()
    }
}

fn encode(message: &Message) -> Bytes {
    let length = message.len() as u64;
    let header =
        Header { opcode: Opcode::of_message(message.is_text()), fin: true, length, key: None };
    let (header, used) = header.to_bytes();
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
