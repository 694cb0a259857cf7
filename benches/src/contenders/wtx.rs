//! wtx at its defaults, with its `optimization` feature, masking on, and the generator of mask keys
//! that its own acceptor and connector use, which is not a cryptographic one.
//!
//! It can't queue, and a pending read can't be dropped. It shows a message in its read buffer,
//! which is its usual form; an owned message is a copy. It masks in place what it sends, so a
//! client copies the payload first.

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use wtx::collection::Vector;
use wtx::rng::{Xorshift64, simple_seed};
use wtx::stream::{StreamReader, StreamWriter};
use wtx::web_socket::{
    Frame, FrameMut, OpCode, WebSocketBuffer, WebSocketOwned, WebSocketPayloadOrigin,
    WebSocketReaderOwned, WebSocketWriterOwned,
};

use crate::contender::{Contender, End, Failure, Forward, Kind, Receiver, Sender, Transport};
use crate::form::Halves;

pub struct Wtx;

impl Contender for Wtx {
    const NAME: &'static str = "wtx";
    const LENDS: bool = true;

    type Client<S: Transport> = Whole<S, true>;
    type Server<S: Transport> = Whole<S, false>;
    type SplitClient<S: Transport> = Halves<Writer<S, true>, Reader<S, true>>;
    type SplitServer<S: Transport> = Halves<Writer<S, false>, Reader<S, false>>;

    async fn client<S: Transport>(io: S) -> Self::Client<S> {
        Whole::new(io)
    }

    async fn server<S: Transport>(io: S) -> Self::Server<S> {
        Whole::new(io)
    }

    fn split_client<S: Transport>(client: Self::Client<S>) -> Self::SplitClient<S> {
        client.split()
    }

    fn split_server<S: Transport>(server: Self::Server<S>) -> Self::SplitServer<S> {
        server.split()
    }
}

/// wtx has a trait of its own for byte streams, and implements it for named types only.
pub struct Io<S>(S);

impl<S: Transport> StreamReader for Io<S> {
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(self.0.read(bytes).await?)
    }
}

impl<S: Transport> StreamWriter for Io<S> {
    async fn write_all(&mut self, bytes: &[u8]) -> wtx::Result<()> {
        Ok(self.0.write_all(bytes).await?)
    }

    async fn write_all_vectored(&mut self, bytes: &[&[u8]]) -> wtx::Result<()> {
        let [mut head, mut body] = *bytes else { panic!("a frame is a header and a payload") };
        while !head.is_empty() || !body.is_empty() {
            let slices = [std::io::IoSlice::new(head), std::io::IoSlice::new(body)];
            let n = self.0.write_vectored(&slices).await?;
            let of_head = n.min(head.len());
            head = &head[of_head..];
            body = &body[n - of_head..];
        }
        Ok(())
    }
}

/// The payload to send, copied where wtx may change it.
#[derive(Default)]
struct Scratch {
    bytes: Vec<u8>,
    /// Where the copy is from, if it has not been masked since.
    of: Option<(usize, usize)>,
}

impl Scratch {
    /// A frame whose payload a client will mask: a server's copy is good for the next time.
    fn frame<const CLIENT: bool>(&mut self, (kind, payload): &Message) -> FrameMut<'_, CLIENT> {
        let of = Some((payload.as_ptr().addr(), payload.len()));
        if CLIENT || self.of != of {
            self.bytes.clear();
            self.bytes.extend_from_slice(payload);
            self.of = of;
        }
        Frame::new_fin(op_code(*kind), &mut self.bytes[..])
    }
}

/// A message: its kind and its payload.
type Message = (Kind, Vec<u8>);

fn op_code(kind: Kind) -> OpCode {
    match kind {
        Kind::Text => OpCode::Text,
        Kind::Binary => OpCode::Binary,
    }
}

fn kind(op_code: OpCode) -> Kind {
    match op_code {
        OpCode::Text => Kind::Text,
        OpCode::Binary => Kind::Binary,
        other => panic!("no such frame was sent: {other:?}"),
    }
}

pub struct Whole<S, const CLIENT: bool> {
    socket: WebSocketOwned<(), Xorshift64, Io<S>, CLIENT>,
    buffer: Vector<u8>,
    scratch: Scratch,
}

impl<S: Transport, const CLIENT: bool> Whole<S, CLIENT> {
    fn new(io: S) -> Self {
        let random = Xorshift64::from(simple_seed());
        Self {
            socket: WebSocketOwned::new((), false, random, Io(io), WebSocketBuffer::new()),
            buffer: Vector::new(),
            scratch: Scratch::default(),
        }
    }

    fn split(self) -> Halves<Writer<S, CLIENT>, Reader<S, CLIENT>> {
        let halves = |Io(io): Io<S>| tokio::io::split(io);
        let parts = self.socket.into_split(halves).expect("a seed can be drawn");
        Halves {
            sender: Writer { socket: parts.writer, scratch: self.scratch },
            receiver: Reader { socket: parts.reader, buffer: self.buffer },
        }
    }
}

impl<S: Transport, const CLIENT: bool> Sender for Whole<S, CLIENT> {
    type Item = Message;

    fn item(kind: Kind, payload: &[u8]) -> Message {
        (kind, payload.to_vec())
    }

    async fn feed(&mut self, item: &Message) -> Result<(), Failure> {
        Ok(self.socket.write_frame(&mut self.scratch.frame(item)).await?)
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<S: Transport, const CLIENT: bool> Forward<Message> for Whole<S, CLIENT> {
    async fn forward(&mut self, (kind, mut payload): Message) -> Result<(), Failure> {
        Ok(self.socket.write_frame(&mut Frame::new_fin(op_code(kind), &mut payload[..])).await?)
    }
}

impl<S: Transport, const CLIENT: bool> Receiver for Whole<S, CLIENT> {
    type Message = Message;

    const LOOKS_AHEAD: bool = false;

    async fn next(&mut self) -> Result<Message, Failure> {
        let frame =
            self.socket.read_frame(&mut self.buffer, WebSocketPayloadOrigin::Adaptive).await?;
        let message = (kind(frame.op_code()), frame.payload().to_vec());
        self.buffer.clear();
        Ok(message)
    }

    fn look((kind, payload): &Message) -> (Kind, &[u8]) {
        (*kind, payload)
    }

    async fn recv_lent<R: Send>(
        &mut self,
        see: impl FnOnce(Kind, &[u8]) -> R + Send,
    ) -> Result<R, Failure> {
        let frame =
            self.socket.read_frame(&mut self.buffer, WebSocketPayloadOrigin::Adaptive).await?;
        let seen = see(kind(frame.op_code()), frame.payload());
        self.buffer.clear();
        Ok(seen)
    }

    async fn recv<R: Send>(
        &mut self,
        see: impl FnOnce(Kind, &[u8]) -> R + Send,
    ) -> Result<R, Failure> {
        self.recv_lent(see).await
    }
}

impl<S: Transport, const CLIENT: bool> End for Whole<S, CLIENT> {
    /// Answers from the read buffer, as wtx's own examples do.
    async fn echo(&mut self, count: u64) -> Result<(), Failure> {
        let (mut common, mut reader, mut writer) = self.socket.split_mut();
        for _ in 0..count {
            self.buffer.clear();
            let mut frame = reader
                .read_frame(&mut self.buffer, &mut common, WebSocketPayloadOrigin::Adaptive)
                .await?;
            writer.write_frame(&mut common, &mut frame).await?;
        }
        Ok(())
    }
}

pub struct Writer<S, const CLIENT: bool> {
    socket: WebSocketWriterOwned<(), Xorshift64, WriteHalf<S>, CLIENT>,
    scratch: Scratch,
}

impl<S: Transport, const CLIENT: bool> Sender for Writer<S, CLIENT> {
    type Item = Message;

    fn item(kind: Kind, payload: &[u8]) -> Message {
        (kind, payload.to_vec())
    }

    async fn feed(&mut self, item: &Message) -> Result<(), Failure> {
        Ok(self.socket.write_frame(&mut self.scratch.frame(item)).await?)
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<S: Transport, const CLIENT: bool> Forward<Message> for Writer<S, CLIENT> {
    async fn forward(&mut self, (kind, mut payload): Message) -> Result<(), Failure> {
        Ok(self.socket.write_frame(&mut Frame::new_fin(op_code(kind), &mut payload[..])).await?)
    }
}

pub struct Reader<S, const CLIENT: bool> {
    socket: WebSocketReaderOwned<(), Xorshift64, ReadHalf<S>, CLIENT>,
    buffer: Vector<u8>,
}

impl<S: Transport, const CLIENT: bool> Receiver for Reader<S, CLIENT> {
    type Message = Message;

    const LOOKS_AHEAD: bool = false;

    async fn next(&mut self) -> Result<Message, Failure> {
        self.recv(|kind, payload| (kind, payload.to_vec())).await
    }

    fn look((kind, payload): &Message) -> (Kind, &[u8]) {
        (*kind, payload)
    }

    async fn recv<R: Send>(
        &mut self,
        see: impl FnOnce(Kind, &[u8]) -> R + Send,
    ) -> Result<R, Failure> {
        let frame =
            self.socket.read_frame(&mut self.buffer, WebSocketPayloadOrigin::Adaptive).await?;
        let seen = see(kind(frame.op_code()), frame.payload());
        self.buffer.clear();
        Ok(seen)
    }
}

impl<S: Transport, const CLIENT: bool> End for Halves<Writer<S, CLIENT>, Reader<S, CLIENT>> {
    /// Answers from the read buffer too.
    async fn echo(&mut self, count: u64) -> Result<(), Failure> {
        let Self { sender, receiver } = self;
        for _ in 0..count {
            receiver.buffer.clear();
            let mut frame = receiver
                .socket
                .read_frame(&mut receiver.buffer, WebSocketPayloadOrigin::Adaptive)
                .await?;
            sender.socket.write_frame(&mut frame).await?;
        }
        Ok(())
    }
}
