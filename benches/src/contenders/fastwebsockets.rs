//! fastwebsockets at its defaults, with the collector that makes messages of fragments, as the
//! others do.
//!
//! It can't queue: each message is written at once. A pending read can't be dropped, so nothing
//! looks ahead.

use std::future::{Ready, ready};

use bytes::Bytes;
use fastwebsockets::{
    FragmentCollector, FragmentCollectorRead, Frame, OpCode, Payload, Role, WebSocket,
    WebSocketError, WebSocketWrite,
};
use tokio::io::{ReadHalf, WriteHalf};

use crate::contender::{Contender, End, Failure, Forward, Kind, Receiver, Sender, Transport};
use crate::form::Halves;

pub struct Fastwebsockets;

impl Contender for Fastwebsockets {
    const NAME: &'static str = "fastwebsockets";

    type Client<S: Transport> = Collector<S>;
    type Server<S: Transport> = Collector<S>;
    type SplitClient<S: Transport> = Halves<Writer<S>, Reader<S>>;
    type SplitServer<S: Transport> = Halves<Writer<S>, Reader<S>>;

    async fn client<S: Transport>(io: S) -> Self::Client<S> {
        Collector::new(io, Role::Client)
    }

    async fn server<S: Transport>(io: S) -> Self::Server<S> {
        Collector::new(io, Role::Server)
    }

    fn split_client<S: Transport>(client: Self::Client<S>) -> Self::SplitClient<S> {
        split(client, Role::Client)
    }

    fn split_server<S: Transport>(server: Self::Server<S>) -> Self::SplitServer<S> {
        split(server, Role::Server)
    }
}

/// The halves are made from the stream: a collector can't be split, and at this point it has read
/// nothing yet.
fn split<S: Transport>(whole: Collector<S>, role: Role) -> Halves<Writer<S>, Reader<S>> {
    let (read, write) =
        WebSocket::after_handshake(whole.0.into_inner(), role).split(tokio::io::split);
    Halves { sender: Writer(write), receiver: Reader(FragmentCollectorRead::new(read)) }
}

/// A message to send: its payload is lent to each frame.
#[derive(Clone)]
pub struct Item(OpCode, Bytes);

impl Item {
    fn new(kind: Kind, payload: &[u8]) -> Self {
        let op_code = match kind {
            Kind::Text => OpCode::Text,
            Kind::Binary => OpCode::Binary,
        };
        Self(op_code, Bytes::copy_from_slice(payload))
    }

    fn frame(&self) -> Frame<'_> {
        Frame::new(true, self.0, None, Payload::Borrowed(&self.1))
    }
}

fn look<'a>(frame: &'a Frame<'static>) -> (Kind, &'a [u8]) {
    match frame.opcode {
        OpCode::Text => (Kind::Text, &frame.payload),
        OpCode::Binary => (Kind::Binary, &frame.payload),
        other => panic!("no such frame was sent: {other:?}"),
    }
}

pub struct Collector<S>(FragmentCollector<S>);

impl<S: Transport> Collector<S> {
    fn new(io: S, role: Role) -> Self {
        Self(FragmentCollector::new(WebSocket::after_handshake(io, role)))
    }
}

impl<S: Transport> Sender for Collector<S> {
    type Item = Item;

    fn item(kind: Kind, payload: &[u8]) -> Item {
        Item::new(kind, payload)
    }

    async fn feed(&mut self, item: &Item) -> Result<(), Failure> {
        Ok(self.0.write_frame(item.frame()).await?)
    }

    /// There is nothing to flush, and no method to do so.
    async fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<S: Transport> Forward<Frame<'static>> for Collector<S> {
    async fn forward(&mut self, frame: Frame<'static>) -> Result<(), Failure> {
        Ok(self.0.write_frame(frame).await?)
    }
}

impl<S: Transport> Receiver for Collector<S> {
    type Message = Frame<'static>;

    const LOOKS_AHEAD: bool = false;

    async fn next(&mut self) -> Result<Frame<'static>, Failure> {
        Ok(self.0.read_frame().await?)
    }

    fn look<'a>(frame: &'a Frame<'static>) -> (Kind, &'a [u8]) {
        look(frame)
    }
}

impl<S: Transport> End for Collector<S> {}

pub struct Writer<S>(WebSocketWrite<WriteHalf<S>>);

impl<S: Transport> Sender for Writer<S> {
    type Item = Item;

    fn item(kind: Kind, payload: &[u8]) -> Item {
        Item::new(kind, payload)
    }

    async fn feed(&mut self, item: &Item) -> Result<(), Failure> {
        Ok(self.0.write_frame(item.frame()).await?)
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<S: Transport> Forward<Frame<'static>> for Writer<S> {
    async fn forward(&mut self, frame: Frame<'static>) -> Result<(), Failure> {
        Ok(self.0.write_frame(frame).await?)
    }
}

pub struct Reader<S>(FragmentCollectorRead<ReadHalf<S>>);

/// Answers to pings and closes would go here; nothing sends any.
fn refuse(_: Frame<'_>) -> Ready<Result<(), WebSocketError>> {
    ready(Err(WebSocketError::ConnectionClosed))
}

impl<S: Transport> Receiver for Reader<S> {
    type Message = Frame<'static>;

    const LOOKS_AHEAD: bool = false;

    async fn next(&mut self) -> Result<Frame<'static>, Failure> {
        Ok(self.0.read_frame(&mut refuse).await?)
    }

    fn look<'a>(frame: &'a Frame<'static>) -> (Kind, &'a [u8]) {
        look(frame)
    }
}

impl<S: Transport> End for Halves<Writer<S>, Reader<S>> {}
