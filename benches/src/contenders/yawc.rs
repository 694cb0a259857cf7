//! yawc with its `simd` feature and its UTF-8 check, which is off by default, and limits that let 1
//! MiB through.

use bytes::Bytes;
use yawc::frame::OpCode;
use yawc::{Frame, Options, Role, WebSocket};

use crate::contender::{Contender, Failure, Kind, Transport};
use crate::sink_stream::{Over, Pair, Vocabulary, pair};

pub struct Yawc;

impl Yawc {
    fn end<S: Transport>(io: S, role: Role) -> Over<WebSocket<S>, Frames> {
        let options = Options::default().with_utf8().with_limits(64 << 20, 128 << 20);
        Over::new(WebSocket::from_stream(io, role, options).expect("no extension is asked for"))
    }
}

impl Contender for Yawc {
    const NAME: &'static str = "yawc";

    type Client<S: Transport> = Over<WebSocket<S>, Frames>;
    type Server<S: Transport> = Over<WebSocket<S>, Frames>;
    type SplitClient<S: Transport> = Pair<WebSocket<S>, Frames>;
    type SplitServer<S: Transport> = Pair<WebSocket<S>, Frames>;

    async fn client<S: Transport>(io: S) -> Self::Client<S> {
        Self::end(io, Role::Client)
    }

    async fn server<S: Transport>(io: S) -> Self::Server<S> {
        Self::end(io, Role::Server)
    }

    fn split_client<S: Transport>(client: Self::Client<S>) -> Self::SplitClient<S> {
        pair(client)
    }

    fn split_server<S: Transport>(server: Self::Server<S>) -> Self::SplitServer<S> {
        pair(server)
    }
}

pub struct Frames;

impl Vocabulary for Frames {
    type Message = Frame;
    /// Its stream ends at an error, and doesn't say at which.
    type Incoming = Frame;

    fn message(kind: Kind, payload: &[u8]) -> Frame {
        let payload = Bytes::copy_from_slice(payload);
        match kind {
            Kind::Text => Frame::text(payload),
            Kind::Binary => Frame::binary(payload),
        }
    }

    fn accept(incoming: Frame) -> Result<Frame, Failure> {
        Ok(incoming)
    }

    fn look(frame: &Frame) -> (Kind, &[u8]) {
        match frame.opcode() {
            OpCode::Text => (Kind::Text, frame.payload()),
            OpCode::Binary => (Kind::Binary, frame.payload()),
            other => panic!("no such frame was sent: {other:?}"),
        }
    }
}
