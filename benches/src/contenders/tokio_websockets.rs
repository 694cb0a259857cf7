//! tokio-websockets at its defaults. Of the generators of mask keys that it offers this is the
//! fastest, which is not a cryptographic one.

use tokio_websockets::{ClientBuilder, Error, Message, ServerBuilder, WebSocketStream};

use crate::contender::{Contender, Failure, Kind, Transport};
use crate::sink_stream::{Over, Pair, Vocabulary, pair};

pub struct TokioWebsockets;

impl Contender for TokioWebsockets {
    const NAME: &'static str = "tokio-websockets";

    type Client<S: Transport> = Over<WebSocketStream<S>, Messages>;
    type Server<S: Transport> = Over<WebSocketStream<S>, Messages>;
    type SplitClient<S: Transport> = Pair<WebSocketStream<S>, Messages>;
    type SplitServer<S: Transport> = Pair<WebSocketStream<S>, Messages>;

    async fn client<S: Transport>(io: S) -> Self::Client<S> {
        Over::new(ClientBuilder::new().take_over(io))
    }

    async fn server<S: Transport>(io: S) -> Self::Server<S> {
        Over::new(ServerBuilder::new().serve(io))
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
    type Incoming = Result<Message, Error>;

    const READING_FLUSHES: bool = true;

    fn message(kind: Kind, payload: &[u8]) -> Message {
        match kind {
            Kind::Text => {
                Message::text(String::from_utf8(payload.to_vec()).expect("texts are made of UTF-8"))
            }
            Kind::Binary => Message::binary(payload.to_vec()),
        }
    }

    fn accept(incoming: Self::Incoming) -> Result<Message, Failure> {
        Ok(incoming?)
    }

    fn look(message: &Message) -> (Kind, &[u8]) {
        assert!(message.is_text() || message.is_binary(), "no such message was sent: {message:?}");
        let kind = if message.is_text() { Kind::Text } else { Kind::Binary };
        (kind, message.as_payload())
    }
}
