//! sockudo-ws at its defaults: SIMD, UTF-8 check, keepalive, batching on. Its default mask keys are
//! not cryptographic.
//!
//! Its own halves can't queue: each message is flushed.

use bytes::Bytes;
use sockudo_ws::{Config, Error, Message, SplitReader, SplitWriter, WebSocketStream};

use crate::contender::{Contender, End, Failure, Forward, Kind, Receiver, Sender, Transport};
use crate::form::Halves;
use crate::sink_stream::{Over, Vocabulary};

pub struct SockudoWs;

impl Contender for SockudoWs {
    const NAME: &'static str = "sockudo-ws";

    type Client<S: Transport> = Over<WebSocketStream<S>, Messages>;
    type Server<S: Transport> = Over<WebSocketStream<S>, Messages>;
    type SplitClient<S: Transport> = Halves<Writer<S>, Reader<S>>;
    type SplitServer<S: Transport> = Halves<Writer<S>, Reader<S>>;

    async fn client<S: Transport>(io: S) -> Self::Client<S> {
        Over::new(WebSocketStream::client(io, Config::default()))
    }

    async fn server<S: Transport>(io: S) -> Self::Server<S> {
        Over::new(WebSocketStream::server(io, Config::default()))
    }

    fn split_client<S: Transport>(client: Self::Client<S>) -> Self::SplitClient<S> {
        let (reader, writer) = client.into_inner().split();
        Halves { sender: Writer(writer), receiver: Reader(reader) }
    }

    fn split_server<S: Transport>(server: Self::Server<S>) -> Self::SplitServer<S> {
        Self::split_client(server)
    }
}

pub struct Messages;

impl Vocabulary for Messages {
    type Message = Message;
    type Incoming = Result<Message, Error>;

    fn message(kind: Kind, payload: &[u8]) -> Message {
        let payload = Bytes::copy_from_slice(payload);
        match kind {
            Kind::Text => Message::Text(payload),
            Kind::Binary => Message::Binary(payload),
        }
    }

    fn accept(incoming: Self::Incoming) -> Result<Message, Failure> {
        Ok(incoming?)
    }

    fn look(message: &Message) -> (Kind, &[u8]) {
        match message {
            Message::Text(payload) => (Kind::Text, payload),
            Message::Binary(payload) => (Kind::Binary, payload),
            other => panic!("no such message was sent: {other:?}"),
        }
    }
}

pub struct Writer<S>(SplitWriter<S>);

impl<S: Transport> Sender for Writer<S> {
    type Item = Message;

    fn item(kind: Kind, payload: &[u8]) -> Message {
        Messages::message(kind, payload)
    }

    async fn feed(&mut self, item: &Message) -> Result<(), Failure> {
        Ok(self.0.send(item.clone()).await?)
    }

    /// Sending has flushed.
    async fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<S: Transport> Forward<Message> for Writer<S> {
    async fn forward(&mut self, message: Message) -> Result<(), Failure> {
        Ok(self.0.send(message).await?)
    }
}

pub struct Reader<S>(SplitReader<S>);

impl<S: Transport> Receiver for Reader<S> {
    type Message = Message;

    async fn next(&mut self) -> Result<Message, Failure> {
        Ok(self.0.next().await.ok_or("the stream ended")??)
    }

    fn look(message: &Message) -> (Kind, &[u8]) {
        Messages::look(message)
    }
}

impl<S: Transport> End for Halves<Writer<S>, Reader<S>> {}
