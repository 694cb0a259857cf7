//! This crate, at its defaults: limits, UTF-8 check and keepalive on, mask keys that nobody can
//! predict.

use bytes::Bytes;
use ws_channel::{
    Error, Handshake, Message, MessageRef, Role, Utf8Bytes, WebSocketAdapter, WebSocketSink,
    WebSocketStream,
};

use crate::contender::{Contender, End, Failure, Forward, Kind, Receiver, Sender, Transport};
use crate::contenders::OURS;
use crate::form::Halves;
use crate::sink_stream::{Over, Vocabulary};

pub struct WsChannel;

impl Contender for WsChannel {
    const NAME: &'static str = OURS;
    const LENDS: bool = true;

    type Client<S: Transport> = Adapter<S>;
    type Server<S: Transport> = Adapter<S>;
    type SplitClient<S: Transport> = Pair<S>;
    type SplitServer<S: Transport> = Pair<S>;

    async fn client<S: Transport>(io: S) -> Self::Client<S> {
        Adapter::new(io, Role::Client)
    }

    async fn server<S: Transport>(io: S) -> Self::Server<S> {
        Adapter::new(io, Role::Server)
    }

    fn split_client<S: Transport>(client: Self::Client<S>) -> Self::SplitClient<S> {
        let (sink, stream) = client.0.into_inner().split();
        Halves { sender: Over::new(sink), receiver: Over::new(stream) }
    }

    fn split_server<S: Transport>(server: Self::Server<S>) -> Self::SplitServer<S> {
        Self::split_client(server)
    }
}

type Whole<S> = Over<WebSocketAdapter<S>, Messages>;

type Pair<S> = Halves<
    Over<WebSocketSink<WebSocketAdapter<S>>, Messages>,
    Over<WebSocketStream<WebSocketAdapter<S>>, Messages>,
>;

impl<S: Transport> End for Pair<S> {}

pub struct Messages;

impl Vocabulary for Messages {
    type Message = Message;
    type Incoming = Result<Message, Error>;

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
        }
    }
}

/// A sink and a stream, as the others are, with the lending receive beside it.
pub struct Adapter<S>(Whole<S>);

impl<S: Transport> Adapter<S> {
    fn new(io: S, role: Role) -> Self {
        Self(Over::new(WebSocketAdapter::from_upgraded(io, role, Handshake::default())))
    }
}

impl<S: Transport> Sender for Adapter<S> {
    type Item = Message;

    fn item(kind: Kind, payload: &[u8]) -> Message {
        Messages::message(kind, payload)
    }

    fn feed(&mut self, item: &Message) -> impl Future<Output = Result<(), Failure>> + Send {
        self.0.feed(item)
    }

    fn flush(&mut self) -> impl Future<Output = Result<(), Failure>> + Send {
        self.0.flush()
    }

    fn send(&mut self, item: &Message) -> impl Future<Output = Result<(), Failure>> + Send {
        self.0.send(item)
    }
}

impl<S: Transport> Forward<Message> for Adapter<S> {
    fn forward(&mut self, message: Message) -> impl Future<Output = Result<(), Failure>> + Send {
        self.0.forward(message)
    }
}

impl<S: Transport> Receiver for Adapter<S> {
    type Message = Message;

    fn next(&mut self) -> impl Future<Output = Result<Message, Failure>> + Send {
        self.0.next()
    }

    fn look(message: &Message) -> (Kind, &[u8]) {
        Messages::look(message)
    }

    async fn recv_lent<R: Send>(
        &mut self,
        see: impl FnOnce(Kind, &[u8]) -> R + Send,
    ) -> Result<R, Failure> {
        Ok(match self.0.get_mut().recv_ref().await.ok_or("the stream ended")?? {
            MessageRef::Text(text) => see(Kind::Text, text.as_bytes()),
            MessageRef::Binary(bytes) => see(Kind::Binary, bytes),
        })
    }
}

impl<S: Transport> End for Adapter<S> {
    fn echo(&mut self, count: u64) -> impl Future<Output = Result<(), Failure>> + Send {
        self.0.echo(count)
    }
}
