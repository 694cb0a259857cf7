//! tokio-tungstenite, at its defaults and with the read buffer of 4 KiB that its documentation
//! suggests for small messages.

use bytes::Bytes;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use crate::contender::{Contender, Failure, Kind, Transport};
use crate::sink_stream::{Over, Pair, Vocabulary, pair};

/// With a read buffer of `READ_BUFFER` bytes.
pub struct Tungstenite<const READ_BUFFER: usize>;

pub type Default = Tungstenite<{ 128 << 10 }>;
pub type FourKib = Tungstenite<{ 4 << 10 }>;

impl<const READ_BUFFER: usize> Tungstenite<READ_BUFFER> {
    async fn end<S: Transport>(io: S, role: Role) -> Over<WebSocketStream<S>, Messages> {
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        Over::new(WebSocketStream::from_raw_socket(io, role, Some(config)).await)
    }
}

impl<const READ_BUFFER: usize> Contender for Tungstenite<READ_BUFFER> {
    const NAME: &'static str =
        if READ_BUFFER == 4 << 10 { "tungstenite-4k" } else { "tungstenite" };

    type Client<S: Transport> = Over<WebSocketStream<S>, Messages>;
    type Server<S: Transport> = Over<WebSocketStream<S>, Messages>;
    type SplitClient<S: Transport> = Pair<WebSocketStream<S>, Messages>;
    type SplitServer<S: Transport> = Pair<WebSocketStream<S>, Messages>;

    async fn client<S: Transport>(io: S) -> Self::Client<S> {
        Self::end(io, Role::Client).await
    }

    async fn server<S: Transport>(io: S) -> Self::Server<S> {
        Self::end(io, Role::Server).await
    }

    fn split_client<S: Transport>(client: Self::Client<S>) -> Self::SplitClient<S> {
        pair(client)
    }

    fn split_server<S: Transport>(server: Self::Server<S>) -> Self::SplitServer<S> {
        pair(server)
    }
}

pub struct Messages;

impl Vocabulary for Messages {
    type Message = Message;
    type Incoming = Result<Message, tungstenite::Error>;

    fn message(kind: Kind, payload: &[u8]) -> Message {
        let payload = Bytes::copy_from_slice(payload);
        match kind {
            Kind::Text => {
                Message::Text(Utf8Bytes::try_from(payload).expect("texts are made of UTF-8"))
            }
            Kind::Binary => Message::Binary(payload),
        }
    }

    fn accept(incoming: Self::Incoming) -> Result<Message, Failure> {
        Ok(incoming?)
    }

    fn look(message: &Message) -> (Kind, &[u8]) {
        match message {
            Message::Text(text) => (Kind::Text, text.as_bytes()),
            Message::Binary(bytes) => (Kind::Binary, bytes),
            other => panic!("no such message was sent: {other:?}"),
        }
    }
}
