//! The other end of a connection, frame by frame: for what no channel would do.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "a module of several tests, of which each uses a part"
)]

pub mod scripted;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use ws_channel::{Handshake, Options, Role, WebSocketAdapter};

/// First bytes of frames that are complete messages.
pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

/// The key of every masked frame.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub type Channel = WebSocketAdapter<DuplexStream>;

/// A channel, and the other end of its pipe of `capacity` bytes each way.
pub fn channel(role: Role, capacity: usize, options: &Options) -> (Channel, Peer<DuplexStream>) {
    let (near, far) = tokio::io::duplex(capacity);
    let channel = WebSocketAdapter::from_upgraded_with(
        near,
        role,
        Handshake::default(),
        options,
        bytes::BytesMut::new(),
    );
    (channel, Peer::new(far, other(role)))
}

/// A client, and the other end of a roomy pipe.
pub fn client() -> (Channel, Peer<DuplexStream>) {
    channel(Role::Client, 1 << 16, &Options::new())
}

/// A server, and the other end of a roomy pipe.
pub fn server() -> (Channel, Peer<DuplexStream>) {
    channel(Role::Server, 1 << 16, &Options::new())
}

/// Client and server, joined by a pipe.
pub fn pair() -> (Channel, Channel) {
    let (near, far) = tokio::io::duplex(1 << 16);
    (
        WebSocketAdapter::from_upgraded(near, Role::Client, Handshake::default()),
        WebSocketAdapter::from_upgraded(far, Role::Server, Handshake::default()),
    )
}

fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

/// A frame as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// FIN, the reserved bits and the opcode.
    pub first: u8,
    pub payload: Vec<u8>,
}

impl Frame {
    /// The code and the reason of a Close frame; 1005 if it has none.
    pub fn close(&self) -> (u16, &str) {
        assert_eq!(self.first, CLOSE, "{self:?} is not a Close frame");
        match self.payload.split_first_chunk() {
            None => (1005, ""),
            Some((code, reason)) => (
                u16::from_be_bytes(*code),
                std::str::from_utf8(reason).expect("the reason is UTF-8"),
            ),
        }
    }
}

/// The bytes of a frame that begins with `first`, as `role` sends it.
pub fn frame(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = if role == Role::Client { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(mask | u8::try_from(length).unwrap()),
        length @ 126..0x1_0000 => {
            bytes.push(mask | 0x7e);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(mask | 0x7f);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    if role == Role::Client {
        bytes.extend(KEY);
        bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        bytes.extend(payload);
    }
    bytes
}

/// The payload of a Close frame.
pub fn closing(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// An end that does what it is told, and nothing by itself.
#[derive(Debug)]
pub struct Peer<S> {
    pub io: S,
    role: Role,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub fn new(io: S, role: Role) -> Self {
        Self { io, role }
    }

    /// The bytes of a frame of this end.
    pub fn frame(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        frame(self.role, first, payload)
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).await.expect("the other end reads");
    }

    pub async fn send(&mut self, first: u8, payload: &[u8]) {
        let bytes = self.frame(first, payload);
        self.write(&bytes).await;
    }

    pub async fn close(&mut self, code: u16, reason: &str) {
        self.send(CLOSE, &closing(code, reason)).await;
    }

    /// Ends this direction of the transport.
    pub async fn shut_down(&mut self) {
        self.io.shutdown().await.expect("the transport can be shut down");
    }

    /// The next frame; `None` when the transport has ended between frames, or was reset.
    pub async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        self.io.read_exact(&mut head).await.ok()?;
        let length = match head[1] & 0x7f {
            126 => usize::from(self.io.read_u16().await.ok()?),
            127 => usize::try_from(self.io.read_u64().await.ok()?).unwrap(),
            length => usize::from(length),
        };
        let masked = head[1] & 0x80 != 0;
        assert_eq!(masked, self.role == Role::Server, "clients mask, servers do not");
        let mut key = [0; 4];
        if masked {
            self.io.read_exact(&mut key).await.ok()?;
        }
        let mut payload = vec![0; length];
        self.io.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        Some(Frame { first: head[0], payload })
    }

    /// The next frame, which has to be there.
    pub async fn expect(&mut self) -> Frame {
        self.next().await.expect("a frame comes")
    }

    /// Whether nothing more comes before the transport ends.
    pub async fn is_over(&mut self) -> bool {
        self.next().await.is_none()
    }
}
