//! Compressed streams of any shape, against another implementation of deflate.

mod scripted;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use futures::{FutureExt, SinkExt, StreamExt};
use proptest::collection::vec;
use proptest::prelude::*;
use scripted::{Read, Scripted, frame};
use ws_channel::{
    Deflate, Error, Handshake, Message, Options, Role, SendOptions, WebSocketAdapter,
    WebSocketChannel,
};

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

const TAKEOVER: &str = "permessage-deflate";
const NO_TAKEOVER: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

fn adapter(
    io: Scripted,
    role: Role,
    extensions: &str,
    options: &Options,
) -> WebSocketAdapter<Scripted> {
    let handshake = Handshake::new("/").with_extensions(extensions).unwrap();
    WebSocketAdapter::from_upgraded_with(io, role, handshake, options, bytes::BytesMut::new())
}

/// Everything that has arrived, and whether it ended with an error.
fn received(adapter: &mut WebSocketAdapter<Scripted>) -> (Vec<Message>, Option<Error>) {
    let mut messages = Vec::new();
    loop {
        match adapter.next().now_or_never() {
            Some(Some(Ok(message))) => messages.push(message),
            Some(Some(Err(error))) => return (messages, Some(error)),
            Some(None) => return (messages, None),
            None if adapter.get_ref().state().reads.is_empty() => return (messages, None),
            None => {}
        }
    }
}

/// Another implementation's sender.
struct Sender {
    state: Compress,
    takeover: bool,
}

impl Sender {
    fn new(takeover: bool, level: u32) -> Self {
        Self { state: Compress::new(Compression::new(level), false), takeover }
    }

    fn compress(&mut self, mut input: &[u8], flush: FlushCompress, output: &mut Vec<u8>) {
        loop {
            output.reserve(input.len() + 100);
            let (read, room) = (self.state.total_in(), output.capacity() - output.len());
            let before = output.len();
            let status = self.state.compress_vec(input, output, flush).unwrap();
            input = &input[usize::try_from(self.state.total_in() - read).unwrap()..];
            let done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => output.len() - before < room,
            };
            if input.is_empty() && done {
                return;
            }
        }
    }

    /// The payload of a message, whose parts end as `parts` say.
    fn message(&mut self, message: &[u8], parts: &[(usize, u8)]) -> Vec<u8> {
        let mut payload = Vec::new();
        let mut rest = message;
        for (length, kind) in parts {
            let (part, behind) = rest.split_at((*length).min(rest.len()));
            rest = behind;
            match kind {
                0 => self.compress(part, FlushCompress::None, &mut payload),
                1 => self.compress(part, FlushCompress::Sync, &mut payload),
                2 => self.compress(part, FlushCompress::Full, &mut payload),
                _ => {
                    // RFC 7692 §7.2.3.4: a last block.
                    self.compress(part, FlushCompress::Finish, &mut payload);
                    self.state.reset();
                }
            }
        }
        let before = payload.len();
        self.compress(rest, FlushCompress::Sync, &mut payload);
        if payload.len() == before {
            // Nothing is left to be flushed.
            payload.extend([0, 0, 0, 0xFF, 0xFF]);
        }
        assert!(payload.ends_with(&[0, 0, 0xFF, 0xFF]));
        payload.truncate(payload.len() - 4);
        if !self.takeover {
            self.state.reset();
        }
        payload
    }
}

/// A message of the kinds that compress differently.
fn message() -> impl Strategy<Value = Message> {
    let words =
        vec(prop::sample::select(vec!["deflate", " é", "a", "😀 ", "\u{0}", "{\"x\":1}"]), 0..300);
    prop_oneof![
        words.prop_map(|words| Message::from(words.concat())),
        vec(any::<u8>(), 0..600).prop_map(Message::from),
        (any::<u8>(), 0..40_000_usize).prop_map(|(byte, length)| Message::from(vec![byte; length])),
        ".{0,40}".prop_map(Message::from),
    ]
}

#[derive(Clone, Debug)]
struct Shape {
    compressed: bool,
    parts: Vec<(usize, u8)>,
    /// Where the payload is cut into frames, and whether a ping stands between.
    cuts: Vec<(prop::sample::Index, bool)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let parts = vec((0..300_usize, 0..4_u8), 0..4);
    let cuts = vec((any::<prop::sample::Index>(), any::<bool>()), 0..5);
    (prop::bool::weighted(0.8), parts, cuts).prop_map(|(compressed, parts, cuts)| Shape {
        compressed,
        parts,
        cuts,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_any_compressed_stream_gives_the_same_messages(
        messages in vec((message(), shape()), 1..8),
        takeover in any::<bool>(),
        server in any::<bool>(),
        level in 0..=9_u32,
        chunks in vec(1..3000_usize, 1..20),
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let mut sender = Sender::new(takeover, level);
        let mut bytes = Vec::new();
        let mut pings = 0;
        for (message, shape) in &messages {
            let mut first = if message.is_text() { 0x1 } else { 0x2 };
            let payload = if shape.compressed {
                first |= RSV1;
                sender.message(message.as_bytes(), &shape.parts)
            } else {
                message.as_bytes().to_vec()
            };
            let mut at = 0;
            let mut cuts: Vec<_> =
                shape.cuts.iter().map(|(cut, ping)| (cut.index(payload.len() + 1), *ping)).collect();
            cuts.sort_unstable();
            for (cut, ping) in cuts {
                bytes.extend(frame(first, &payload[at..cut], server));
                (first, at) = (0, cut);
                if ping {
                    pings += 1;
                    bytes.extend(frame(PING, b"?", server));
                }
            }
            bytes.extend(frame(FIN | first, &payload[at..], server));
        }
        let mut reads = Vec::new();
        let mut rest = &bytes[..];
        for length in chunks.iter().cycle() {
            let (chunk, behind) = rest.split_at((*length).min(rest.len()));
            reads.extend([Read::Bytes(chunk.to_vec()), Read::Later]);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        let io = Scripted::new(reads);
        let extensions = if takeover { TAKEOVER } else { NO_TAKEOVER };
        let mut adapter = adapter(io.clone(), role, extensions, &Options::new().no_keepalive());
        let (found, error) = received(&mut adapter);
        prop_assert!(error.is_none(), "{error:?}");
        prop_assert!(found.iter().eq(messages.iter().map(|(message, _)| message)));
        let pong = if server { 3 } else { 7 };
        prop_assert_eq!(io.state().written.len(), pings * pong);
        prop_assert!(io.state().written.iter().step_by(pong).all(|first| *first == PONG));
    }

    #[test]
    fn what_is_sent_is_what_another_implementation_reads(
        messages in vec((message(), 0..3_u8), 1..8),
        server in any::<bool>(),
        takeover in any::<bool>(),
        bits in 9..=15_u8,
        level in 0..=9_u8,
        threshold in 0..400_usize,
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let io = Scripted::new([]);
        let deflate = Deflate::new().level(level).threshold(threshold);
        let mut deflate = deflate.server_context_takeover().client_context_takeover();
        if !takeover {
            deflate = deflate.server_no_context_takeover().client_no_context_takeover();
        }
        let extensions =
            format!("{TAKEOVER}; server_max_window_bits={bits}; client_max_window_bits={bits}");
        let options = Options::new().deflate(deflate).no_keepalive().write_buffer_size(usize::MAX);
        let mut adapter = adapter(io.clone(), role, &extensions, &options);
        for (message, choice) in &messages {
            let options = match choice {
                0 => SendOptions::new(),
                1 => SendOptions::new().compress(),
                _ => SendOptions::new().no_compress(),
            };
            adapter.start_send_with(message.clone(), options).unwrap();
        }
        adapter.flush().now_or_never().unwrap().unwrap();

        let written = io.state().written.clone();
        let mut state = Decompress::new(false);
        let mut frames = frames(&written, !server).into_iter();
        for (message, choice) in &messages {
            let opcode = if message.is_text() { 0x1 } else { 0x2 };
            let (first, mut payload) = frames.next().expect("a frame a message");
            let mut last = first;
            while last & FIN == 0 {
                let (next, more) = frames.next().expect("a message has an end");
                prop_assert_eq!(next & !FIN, 0, "the bit is on the first frame alone");
                payload.extend(more);
                last = next;
            }
            prop_assert_eq!(first & 0x0F, opcode);
            prop_assert!(*choice != 2 || first & RSV1 == 0);
            prop_assert!(*choice != 1 || first & RSV1 != 0);
            prop_assert!(*choice != 0 || first & RSV1 == 0 || message.len() >= threshold);
            if first & RSV1 != 0 {
                if !takeover {
                    state.reset(false);
                }
                payload.extend([0, 0, 0xFF, 0xFF]);
                payload = inflated(&mut state, &payload);
            }
            prop_assert!(payload == message.as_bytes());
        }
        prop_assert!(frames.next().is_none());
    }

    /// Whatever a peer sends as compressed, it comes to an end, and to one with the right code.
    #[test]
    fn noise_ends_in_messages_or_in_1007_or_1009(
        payloads in vec((vec(any::<u8>(), 0..400), any::<bool>()), 1..6),
        takeover in any::<bool>(),
    ) {
        let bytes: Vec<u8> = payloads
            .iter()
            .flat_map(|(payload, text)| frame(FIN | RSV1 | (2 - u8::from(*text)), payload, false))
            .collect();
        let io = Scripted::new([Read::Bytes(bytes), Read::End]);
        let extensions = if takeover { TAKEOVER } else { NO_TAKEOVER };
        let options = Options::new().no_keepalive().max_message_size(10_000);
        let mut adapter = adapter(io.clone(), Role::Client, extensions, &options);
        let (messages, error) = received(&mut adapter);
        let code = match error {
            Some(Error::Deflate | Error::NotUtf8) => 1007_u16,
            Some(Error::MessageTooBig { .. }) => 1009,
            Some(Error::ConnectionLost) => {
                prop_assert_eq!(messages.len(), payloads.len());
                return Ok(());
            }
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert!(adapter.close_event().is_some());
        let closes = frames(&io.state().written, true);
        prop_assert_eq!(closes.len(), 1);
        prop_assert_eq!(&closes[0].1[..2], code.to_be_bytes());
    }
}

fn inflated(state: &mut Decompress, mut input: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    loop {
        output.reserve(4096);
        let (read, room) = (state.total_in(), output.capacity() - output.len());
        let before = output.len();
        state.decompress_vec(input, &mut output, FlushDecompress::Sync).unwrap();
        input = &input[usize::try_from(state.total_in() - read).unwrap()..];
        if input.is_empty() && output.len() - before < room {
            return output;
        }
    }
}

/// Takes apart what was written.
fn frames(mut bytes: &[u8], masked: bool) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let (length, rest) = match second & 0x7F {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => {
                let (length, rest) = rest.split_first_chunk().unwrap();
                (usize::try_from(u64::from_be_bytes(*length)).unwrap(), rest)
            }
            short => (usize::from(short), rest),
        };
        let (key, rest) = if masked { rest.split_at(4) } else { (&[0_u8; 4][..], rest) };
        let (payload, rest) = rest.split_at(length);
        let payload = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
        frames.push((*first, payload.collect()));
        bytes = rest;
    }
    assert!(bytes.is_empty());
    frames
}
