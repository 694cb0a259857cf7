//! The floor: four bytes of length and kind before the payload, no masking, no checks, nothing to
//! close.
//!
//! A reference and no strict bound: it reads 16 KiB at a time and hands out owned payloads.

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

use super::FLOOR;
use crate::contender::{Contender, End, Failure, Forward, Kind, Receiver, Role, Sender, Transport};
use crate::form::Halves;

/// Bytes read at a time, and bytes queued before they are written.
const CHUNK: usize = 16 << 10;

/// The bit of the length that says text.
const TEXT: u32 = 1 << 31;

pub struct Floor;

impl Contender for Floor {
    const NAME: &'static str = FLOOR;

    type Client<S: Transport> = Raw<S>;
    type Server<S: Transport> = Raw<S>;
    type SplitClient<S: Transport> = Halves<Writer<WriteHalf<S>>, Reader<ReadHalf<S>>>;
    type SplitServer<S: Transport> = Halves<Writer<WriteHalf<S>>, Reader<ReadHalf<S>>>;

    async fn client<S: Transport>(io: S) -> Self::Client<S> {
        Raw { io, input: BytesMut::new(), output: BytesMut::new() }
    }

    async fn server<S: Transport>(io: S) -> Self::Server<S> {
        Self::client(io).await
    }

    fn split_client<S: Transport>(client: Self::Client<S>) -> Self::SplitClient<S> {
        let (read, write) = tokio::io::split(client.io);
        Halves {
            sender: Writer { io: write, output: client.output },
            receiver: Reader { io: read, input: client.input },
        }
    }

    fn split_server<S: Transport>(server: Self::Server<S>) -> Self::SplitServer<S> {
        Self::split_client(server)
    }

    fn frame(_: Role, kind: Kind, payload: &[u8], _: [u8; 4], out: &mut Vec<u8>) {
        out.extend_from_slice(&header(kind, payload.len()));
        out.extend_from_slice(payload);
    }
}

/// A message: its kind and its payload.
type Message = (Kind, Bytes);

fn header(kind: Kind, len: usize) -> [u8; 4] {
    let len = u32::try_from(len).expect("no message is that long");
    match kind {
        Kind::Text => (len | TEXT).to_be_bytes(),
        Kind::Binary => len.to_be_bytes(),
    }
}

async fn read(io: &mut (impl AsyncRead + Unpin), input: &mut BytesMut) -> Result<Message, Failure> {
    loop {
        let mut missing = CHUNK;
        if let Some(header) = input.first_chunk::<4>() {
            let word = u32::from_be_bytes(*header);
            let len = (word & !TEXT) as usize;
            if input.len() >= 4 + len {
                input.advance(4);
                let kind = if word & TEXT == 0 { Kind::Binary } else { Kind::Text };
                return Ok((kind, input.split_to(len).freeze()));
            }
            missing = missing.max(4 + len - input.len());
        }
        input.reserve(missing);
        if io.read_buf(input).await? == 0 {
            return Err("the stream ended".into());
        }
    }
}

async fn flush(io: &mut (impl AsyncWrite + Unpin), output: &mut BytesMut) -> Result<(), Failure> {
    io.write_all(output).await?;
    output.clear();
    Ok(io.flush().await?)
}

async fn write(
    io: &mut (impl AsyncWrite + Unpin),
    output: &mut BytesMut,
    (kind, payload): &Message,
) -> Result<(), Failure> {
    output.extend_from_slice(&header(*kind, payload.len()));
    if payload.len() < CHUNK {
        output.extend_from_slice(payload);
        if output.len() >= CHUNK {
            flush(io, output).await?;
        }
        return Ok(());
    }
    let mut both = output.split().freeze().chain(&payload[..]);
    while both.has_remaining() {
        io.write_buf(&mut both).await?;
    }
    Ok(())
}

pub struct Raw<S> {
    io: S,
    input: BytesMut,
    output: BytesMut,
}

impl<S: Transport> Sender for Raw<S> {
    type Item = Message;

    fn item(kind: Kind, payload: &[u8]) -> Message {
        (kind, Bytes::copy_from_slice(payload))
    }

    fn feed(&mut self, item: &Message) -> impl Future<Output = Result<(), Failure>> + Send {
        write(&mut self.io, &mut self.output, item)
    }

    fn flush(&mut self) -> impl Future<Output = Result<(), Failure>> + Send {
        flush(&mut self.io, &mut self.output)
    }
}

impl<S: Transport> Forward<Message> for Raw<S> {
    async fn forward(&mut self, message: Message) -> Result<(), Failure> {
        self.feed(&message).await
    }
}

impl<S: Transport> Receiver for Raw<S> {
    type Message = Message;

    fn next(&mut self) -> impl Future<Output = Result<Message, Failure>> + Send {
        read(&mut self.io, &mut self.input)
    }

    fn look((kind, payload): &Message) -> (Kind, &[u8]) {
        (*kind, payload)
    }
}

impl<S: Transport> End for Raw<S> {}

pub struct Writer<W> {
    io: W,
    output: BytesMut,
}

impl<W: AsyncWrite + Unpin + Send> Sender for Writer<W> {
    type Item = Message;

    fn item(kind: Kind, payload: &[u8]) -> Message {
        (kind, Bytes::copy_from_slice(payload))
    }

    fn feed(&mut self, item: &Message) -> impl Future<Output = Result<(), Failure>> + Send {
        write(&mut self.io, &mut self.output, item)
    }

    fn flush(&mut self) -> impl Future<Output = Result<(), Failure>> + Send {
        flush(&mut self.io, &mut self.output)
    }
}

impl<W: AsyncWrite + Unpin + Send> Forward<Message> for Writer<W> {
    async fn forward(&mut self, message: Message) -> Result<(), Failure> {
        self.feed(&message).await
    }
}

pub struct Reader<R> {
    io: R,
    input: BytesMut,
}

impl<R: AsyncRead + Unpin + Send> Receiver for Reader<R> {
    type Message = Message;

    fn next(&mut self) -> impl Future<Output = Result<Message, Failure>> + Send {
        read(&mut self.io, &mut self.input)
    }

    fn look((kind, payload): &Message) -> (Kind, &[u8]) {
        (*kind, payload)
    }
}

impl<R, W> End for Halves<Writer<W>, Reader<R>>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
}
