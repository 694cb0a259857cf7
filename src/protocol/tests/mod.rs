//! The engine by itself: raw bytes in, messages and bytes out, no socket and no clock.

#![allow(clippy::cast_possible_truncation, reason = "test data is made of low bytes")]

mod closing;
#[cfg(feature = "deflate")]
mod deflate;
mod fragments;
mod keepalive;
mod limits;
mod pair;
mod sending;
mod utf8;
mod wire;

use bytes::{BufMut, BytesMut};

use crate::Error;
use crate::protocol::connection::{Connection, Received};
use crate::protocol::{Message, Prepared, Role};

/// The mask key of a test: it changes the bytes, and is the same every time.
const KEY: [u8; 4] = [0x1F, 0xA2, 0x33, 0xC4];

const ROLES: [Role; 2] = [Role::Client, Role::Server];

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FIN: u8 = 0x80;

/// One end, and what it yielded so far.
struct End {
    connection: Connection,
    role: Role,
    messages: Vec<Message>,
}

impl End {
    fn new(role: Role) -> Self {
        Self::with_limit(role, 1 << 20)
    }

    fn with_limit(role: Role, limit: usize) -> Self {
        let connection = Connection::new(role, limit, BytesMut::new());
        Self { connection, role, messages: Vec::new() }
    }

    /// A frame as the peer of this end sends it.
    fn frame(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        raw(self.role, first, &shortest(payload.len()), payload)
    }

    /// Reads `bytes`, as a transport would write them; says how that ended.
    fn read(&mut self, bytes: &[u8]) -> Received {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = {
                let mut space = self.connection.space();
                let offered = space.remaining_mut();
                assert!(offered > 0, "no room to read into looks like the end of input");
                let taken = rest.len().min(offered).min(space.chunk_mut().len());
                space.put_slice(&rest[..taken]);
                drop(space);
                self.connection.filled(taken, offered);
                taken
            };
            rest = &rest[taken..];
            if self.understand() == Received::Over {
                return Received::Over;
            }
        }
        self.understand()
    }

    /// Takes the messages that have arrived.
    fn understand(&mut self) -> Received {
        loop {
            match self.connection.receive(|| KEY) {
                Received::Message(item) => {
                    let lent = self.connection.message_ref(item).to_message();
                    let message = self.connection.take_message(item).expect("it was validated");
                    assert_eq!(lent, message);
                    self.messages.push(message);
                }
                Received::Backlog => {}
                other => return other,
            }
        }
    }

    /// Reads what the peer sends, as one frame.
    fn read_frame(&mut self, first: u8, payload: &[u8]) -> Received {
        let bytes = self.frame(first, payload);
        self.read(&bytes)
    }

    /// What it has to write.
    fn written(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !self.connection.is_flushed() {
            let (first, second) = self.connection.unsent();
            let n = first.len() + second.len();
            assert!(n > 0, "not flushed, and nothing to write");
            bytes.extend_from_slice(first);
            bytes.extend_from_slice(second);
            self.connection.advance(n);
        }
        bytes
    }

    /// What it has to write, as frames.
    fn frames(&mut self) -> Vec<(u8, Vec<u8>)> {
        frames(&self.written(), self.role)
    }

    fn error(&mut self) -> Option<Error> {
        self.connection.take_error()
    }
}

/// The length field of a frame without its mask bit, in its shortest form.
fn shortest(length: usize) -> Vec<u8> {
    match length {
        0..=125 => vec![length as u8],
        126..=0xFFFF => [&[126], &(length as u16).to_be_bytes()[..]].concat(),
        _ => [&[127], &(length as u64).to_be_bytes()[..]].concat(),
    }
}

/// A frame for an end of `role`, with any length field.
fn raw(role: Role, first: u8, length: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    bytes.extend_from_slice(length);
    if role == Role::Server {
        bytes[1] |= 0x80;
        bytes.extend_from_slice(&KEY);
        bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        bytes.extend_from_slice(payload);
    }
    bytes
}

/// Takes apart what an end of `role` wrote.
fn frames(mut bytes: &[u8], role: Role) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(second & 0x80 != 0, role == Role::Client, "clients mask, servers do not");
        let (length, rest) = match second & 0x7F {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => {
                let (length, rest) = rest.split_first_chunk().expect("eight bytes of length");
                (usize::try_from(u64::from_be_bytes(*length)).expect("it was sent"), rest)
            }
            short => (usize::from(short), rest),
        };
        let (key, rest) =
            if role == Role::Client { rest.split_at(4) } else { (&[0_u8; 4][..], rest) };
        let (payload, rest) = rest.split_at(length);
        let payload = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
        frames.push((*first, payload.collect()));
        bytes = rest;
    }
    assert!(bytes.is_empty());
    frames
}

/// A Close frame's payload.
fn close(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}
