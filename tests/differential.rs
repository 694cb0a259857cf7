//! The engine beside tungstenite's: the same bytes, the same messages, and no fault that only they
//! find.
//!
//! Where the two differ on purpose, `may_differ` says so.

mod scripted;

use std::collections::VecDeque;
use std::io;

use futures::executor::block_on;
use futures::{SinkExt, StreamExt};
use proptest::collection::vec;
use proptest::prelude::*;
use scripted::{Read, Scripted, frame};
use tokio_tungstenite::tungstenite::protocol::{self, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, WebSocket};
use ws_channel::{
    CloseEvent, Error, Handshake, Message, ProtocolError, Role, WebSocketAdapter, WebSocketChannel,
    status,
};

const LIMIT: usize = 16 << 20;

/// How a connection ended.
#[derive(Debug)]
enum End<F> {
    /// By a Close frame with this code.
    Closed(u16),
    /// By a fault of the peer.
    Fault(F),
    /// The input just ended.
    Lost,
}

/// Cuts `bytes` into pieces of the given sizes, in turn.
fn cut(mut bytes: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
        pieces.push(piece.to_vec());
        bytes = rest;
    }
    pieces
}

/// What our engine makes of it.
fn ours(bytes: &[u8], sizes: &[usize], role: Role) -> (Vec<Message>, End<Error>) {
    let pieces = cut(bytes, sizes).into_iter();
    let reads = pieces.flat_map(|piece| [Read::Bytes(piece), Read::Later]).chain([Read::End]);
    let mut channel =
        WebSocketAdapter::from_upgraded(Scripted::new(reads), role, Handshake::default());
    let mut messages = Vec::new();
    block_on(async {
        loop {
            match channel.next().await {
                Some(Ok(message)) => messages.push(message),
                Some(Err(Error::ConnectionLost)) => return (messages, End::Lost),
                Some(Err(error)) => return (messages, End::Fault(error)),
                None => {
                    let event: &CloseEvent = channel.close_event().expect("it is over");
                    return (messages, End::Closed(event.code.as_u16()));
                }
            }
        }
    })
}

/// Bytes to read, a piece at a time; what is written is kept.
#[derive(Debug, Default)]
struct Pieces {
    input: VecDeque<Vec<u8>>,
    output: Vec<u8>,
}

impl io::Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut piece) = self.input.pop_front() else { return Ok(0) };
        let taken = piece.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&piece[..taken]);
        if taken < piece.len() {
            piece.drain(..taken);
            self.input.push_front(piece);
        }
        Ok(taken)
    }
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn socket(io: Pieces, role: Role) -> WebSocket<Pieces> {
    let role = match role {
        Role::Client => protocol::Role::Client,
        Role::Server => protocol::Role::Server,
    };
    let config =
        WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    WebSocket::from_raw_socket(io, role, Some(config))
}

/// What tungstenite makes of it.
fn theirs(bytes: &[u8], sizes: &[usize], role: Role) -> (Vec<Message>, End<tungstenite::Error>) {
    let io = Pieces { input: cut(bytes, sizes).into(), output: Vec::new() };
    let mut socket = socket(io, role);
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(tungstenite::Message::Text(text)) => messages.push(text.as_str().into()),
            Ok(tungstenite::Message::Binary(bytes)) => messages.push(bytes.into()),
            Ok(tungstenite::Message::Close(frame)) => {
                let code =
                    frame.map_or(status::NO_STATUS_RECEIVED.into(), |frame| u16::from(frame.code));
                return (messages, End::Closed(code));
            }
            Ok(_) => {}
            Err(
                tungstenite::Error::Io(_)
                | tungstenite::Error::ConnectionClosed
                | tungstenite::Error::Protocol(
                    tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
                ),
            ) => return (messages, End::Lost),
            Err(error) => return (messages, End::Fault(error)),
        }
    }
}

/// Faults that only our engine finds, or finds before the frame is whole.
fn may_differ(error: &Error, their: &End<tungstenite::Error>) -> bool {
    match error {
        // RFC 6455 §5.2: tungstenite takes any form of the length.
        Error::Protocol(ProtocolError::Length) => true,
        // It answers a wrong code 1002, as we do, and calls it a normal end.
        Error::Protocol(ProtocolError::CloseCode { .. }) => {
            matches!(their, End::Closed(1002))
        }
        // It looks at a frame when it is whole: the input ended before.
        _ => matches!(their, End::Lost),
    }
}

/// A data message: how it is cut into fragments, and a control frame to put between them.
#[derive(Clone, Debug)]
struct Sent {
    message: Message,
    cuts: Vec<usize>,
    control: Option<(u8, Vec<u8>)>,
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        4 => "\\PC{0,40}".prop_map(Message::from),
        4 => vec(any::<u8>(), 0..200).prop_map(Message::from),
        1 => (0_usize..40_000).prop_map(|n| Message::from("é".repeat(n))),
        1 => (0_usize..90_000).prop_map(|n| Message::from(vec![7; n])),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    let control = (prop_oneof![Just(0x89_u8), Just(0x8A)], vec(any::<u8>(), 0..126));
    (message(), vec(0_usize..300, 0..4), proptest::option::of(control))
        .prop_map(|(message, cuts, control)| Sent { message, cuts, control })
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        Just(vec![1]),
        vec(1_usize..20, 1..10),
        vec(1_usize..5000, 1..10),
        Just(vec![usize::MAX]),
    ]
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

/// The bytes that the peer of an end of `role` sends.
fn encode(sent: &[Sent], close: Option<&Vec<u8>>, role: Role) -> Vec<u8> {
    let masked = role == Role::Server;
    let mut bytes = Vec::new();
    for Sent { message, cuts, control } in sent {
        let mut opcode = if message.is_text() { 0x1 } else { 0x2 };
        let mut rest = message.as_bytes();
        for at in cuts {
            let (part, behind) = rest.split_at((*at).min(rest.len()));
            bytes.extend(frame(opcode, part, masked));
            opcode = 0;
            rest = behind;
            if let Some((first, payload)) = control {
                bytes.extend(frame(*first, payload, masked));
            }
        }
        bytes.extend(frame(0x80 | opcode, rest, masked));
    }
    if let Some(payload) = close {
        bytes.extend(frame(0x88, payload, masked));
    }
    bytes
}

fn close() -> impl Strategy<Value = Option<Vec<u8>>> {
    // 1014 and the unassigned ones are among the known differences.
    let code = prop_oneof![1000_u16..1004, 1007_u16..1014, 3000_u16..5000];
    let with_code = (code, "\\PC{0,30}")
        .prop_map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat());
    prop_oneof![Just(None), Just(Some(Vec::new())), with_code.prop_map(Some)]
}

/// A change that mostly breaks a stream.
#[derive(Clone, Debug)]
enum Damage {
    Flip { at: prop::sample::Index, bit: u8 },
    Set { at: prop::sample::Index, byte: u8 },
    Insert { at: prop::sample::Index, bytes: Vec<u8> },
    Remove { at: prop::sample::Index },
    Truncate { at: prop::sample::Index },
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip { at, bit }),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set { at, byte }),
        (at(), vec(any::<u8>(), 1..15)).prop_map(|(at, bytes)| Damage::Insert { at, bytes }),
        at().prop_map(|at| Damage::Remove { at }),
        at().prop_map(|at| Damage::Truncate { at }),
    ]
}

fn inflict(bytes: &mut Vec<u8>, damage: &Damage) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    match damage {
        Damage::Flip { at, bit } => bytes[at.index(length)] ^= 1 << bit,
        Damage::Set { at, byte } => bytes[at.index(length)] = *byte,
        Damage::Insert { at, bytes: new } => {
            let at = at.index(length);
            bytes.splice(at..at, new.iter().copied());
        }
        Damage::Remove { at } => {
            bytes.remove(at.index(length));
        }
        Damage::Truncate { at } => bytes.truncate(at.index(length)),
    }
}

/// Small payloads, so that damage often hits a header.
fn brief() -> impl Strategy<Value = Vec<Sent>> {
    let message = prop_oneof![
        "\\PC{0,8}".prop_map(Message::from),
        vec(any::<u8>(), 0..12).prop_map(Message::from)
    ];
    let control = (prop_oneof![Just(0x89_u8), Just(0x8A)], vec(any::<u8>(), 0..5));
    let sent = (message, vec(0_usize..6, 0..3), proptest::option::of(control))
        .prop_map(|(message, cuts, control)| Sent { message, cuts, control });
    vec(sent, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn valid_streams_give_the_messages_that_were_sent(
        sent in vec(sent(), 0..8), close in close(), sizes in sizes(), role in role(),
    ) {
        let bytes = encode(&sent, close.as_ref(), role);
        let (our_messages, our_end) = ours(&bytes, &sizes, role);
        let (their_messages, their_end) = theirs(&bytes, &sizes, role);
        prop_assert!(our_messages.iter().eq(sent.iter().map(|sent| &sent.message)));
        prop_assert!(our_messages == their_messages);
        match (our_end, their_end) {
            (End::Closed(our), End::Closed(their)) => prop_assert_eq!(our, their),
            (End::Lost, End::Lost) => prop_assert!(close.is_none()),
            (our, their) => prop_assert!(false, "{our:?} and {their:?}"),
        }
    }

    #[test]
    fn broken_streams_fail_wherever_theirs_do(
        sent in brief(), close in close(), damage in vec(damage(), 1..4),
        sizes in sizes(), role in role(),
    ) {
        let mut bytes = encode(&sent, close.as_ref(), role);
        for damage in &damage {
            inflict(&mut bytes, damage);
        }
        let (our_messages, our_end) = ours(&bytes, &sizes, role);
        let (their_messages, their_end) = theirs(&bytes, &sizes, role);
        prop_assert!(their_messages.starts_with(&our_messages), "{our_messages:?} {their_messages:?}");
        match (&our_end, &their_end) {
            (End::Fault(_), End::Fault(_)) => {}
            (End::Fault(error), _) if may_differ(error, &their_end) => {}
            (End::Closed(our), End::Closed(their)) => {
                // 1014 is registered; tungstenite takes it for a fault.
                prop_assert!(our == their || (*our == 1014 && *their == 1002));
                prop_assert_eq!(our_messages, their_messages);
            }
            (End::Lost, End::Lost) => prop_assert_eq!(our_messages, their_messages),
            _ => prop_assert!(false, "{our_end:?} and {their_end:?} of {bytes:x?}"),
        }
    }

    #[test]
    fn what_we_write_they_read(messages in vec(message(), 0..8), role in role()) {
        let io = Scripted::new([]);
        let mut channel = WebSocketAdapter::from_upgraded(io.clone(), role, Handshake::default());
        block_on(async {
            for message in &messages {
                channel.send(message.clone()).await.expect("it is open");
            }
        });
        let peer = if role == Role::Client { Role::Server } else { Role::Client };
        let (received, end) = theirs(&io.state().written, &[usize::MAX], peer);
        prop_assert!(received == messages);
        prop_assert!(matches!(end, End::Lost));
    }

    #[test]
    fn what_they_write_we_read(messages in vec(message(), 0..8), sizes in sizes(), role in role()) {
        let peer = if role == Role::Client { Role::Server } else { Role::Client };
        let mut socket = socket(Pieces::default(), peer);
        for message in &messages {
            let message = match message {
                Message::Text(text) => tungstenite::Message::text(text.as_str()),
                Message::Binary(bytes) => tungstenite::Message::binary(bytes.clone()),
            };
            socket.send(message).expect("it is open");
        }
        socket.close(None).expect("it is open");
        let (received, end) = ours(&socket.get_ref().output, &sizes, role);
        prop_assert!(received == messages);
        prop_assert!(matches!(end, End::Closed(1005)));
    }
}
