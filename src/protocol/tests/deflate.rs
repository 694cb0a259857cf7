//! permessage-deflate (RFC 7692), byte by byte.

mod inflating;
mod prepared;

use super::*;
use crate::protocol::ProtocolError;
use crate::protocol::deflate::{
    Agreed, Compressor, Deflate, Memory, SendOptions, Settings, Window,
};
use crate::protocol::tests::pair::Pair;
use crate::status;

const RSV1: u8 = 0x40;

fn agreed(extensions: &str) -> Agreed {
    Agreed::parse(std::iter::once(extensions.as_bytes())).unwrap().unwrap()
}

/// An end with context takeover both ways that compresses everything.
fn deflating(role: Role) -> End {
    with_deflate(End::new(role), "permessage-deflate", eager())
}

fn eager() -> Deflate {
    Deflate::new().server_context_takeover().client_context_takeover().threshold(0)
}

fn with_deflate(mut end: End, extensions: &str, options: Deflate) -> End {
    end.connection.set_deflate(agreed(extensions), options, || KEY);
    end
}

fn assert_fails(end: &mut End, code: crate::CloseCode) {
    let closes: Vec<_> = end.frames().into_iter().filter(|(first, _)| *first == 0x88).collect();
    assert_eq!(closes.len(), 1);
    assert_eq!(closes[0].1[..2], code.as_u16().to_be_bytes());
}

/// §7.2.3.1 to §7.2.3.6: each example is read as the RFC says.
#[test]
fn the_examples_of_the_rfc_are_understood() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    for role in ROLES {
        // In one frame, and in fragments.
        let mut end = deflating(role);
        end.read_frame(FIN | TEXT | RSV1, hello);
        end.read_frame(TEXT | RSV1, &hello[..3]);
        end.read_frame(FIN, &hello[3..]);
        // The second message by reference to the first.
        end.read_frame(FIN | TEXT | RSV1, b"\xf2\x00\x11\x00\x00");
        // A block with no compression.
        end.read_frame(FIN | TEXT | RSV1, b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00");
        // A last block, and an empty one behind it.
        end.read_frame(FIN | TEXT | RSV1, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00");
        // Two blocks.
        end.read_frame(FIN | TEXT | RSV1, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00");
        // An empty message.
        end.read_frame(FIN | TEXT | RSV1, b"\x00");
        // One that is not compressed.
        end.read_frame(FIN | TEXT, b"Hello");
        assert!(end.error().is_none());
        let mut expected = vec![Message::from("Hello"); 8];
        expected[6] = "".into();
        assert_eq!(end.messages, expected);
    }
}

/// §7.2.3.1, §7.2.3.2, §7.2.3.6: what this end writes is what the RFC shows.
#[test]
fn the_examples_of_the_rfc_are_written() {
    for role in ROLES {
        let mut end = deflating(role);
        for text in ["Hello", "Hello", ""] {
            end.connection.send(text.into(), || KEY).unwrap();
        }
        let expected: [&[u8]; 3] =
            [b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"\xf2\x00\x11\x00\x00", b"\x00"];
        let expected = expected.map(|payload| (FIN | TEXT | RSV1, payload.to_vec()));
        assert_eq!(end.frames(), expected);
    }
}

/// SD-10, SD-11, CD-05 and §6.1.
#[test]
fn the_bit_stands_on_the_first_frame_of_a_message_alone() {
    for role in ROLES {
        for (start, first) in [
            (&[][..], FIN | PING | RSV1),
            (&[], FIN | PONG | RSV1),
            (&[], FIN | CLOSE | RSV1),
            (&[TEXT], FIN | RSV1),
            (&[TEXT | RSV1], RSV1),
            (&[], FIN | RSV1),
            (&[], FIN | TEXT | 0x20),
            (&[], FIN | TEXT | RSV1 | 0x10),
        ] {
            let mut end = deflating(role);
            for first in start {
                end.read_frame(*first, b"\x00");
            }
            // The first byte alone shows it.
            assert_eq!(end.read(&[first]), Received::Over, "{start:?} {first:#x}");
            let error = end.error();
            assert!(
                matches!(error, Some(Error::Protocol(ProtocolError::ReservedBits))),
                "{error:?}"
            );
            assert_fails(&mut end, status::PROTOCOL_ERROR);
        }
    }
}

#[test]
fn the_bit_is_refused_where_nothing_was_agreed_on() {
    for role in ROLES {
        let mut end = End::new(role);
        assert_eq!(end.read_frame(FIN | TEXT | RSV1, b"\x00"), Received::Over);
        assert_fails(&mut end, status::PROTOCOL_ERROR);
    }
}

#[test]
fn a_compressed_message_may_not_begin_inside_another() {
    for role in ROLES {
        for first in [TEXT, TEXT | RSV1] {
            let mut end = deflating(role);
            end.read_frame(first, b"");
            assert_eq!(end.read_frame(FIN | TEXT | RSV1, b"\x00"), Received::Over);
            let error = end.error();
            assert!(
                matches!(error, Some(Error::Protocol(ProtocolError::ExpectedContinuation))),
                "{error:?}"
            );
        }
    }
}

/// SD-08, SD-09, CD-03.
#[test]
fn what_is_not_deflate_data_is_answered_1007() {
    for role in ROLES {
        for payload in [
            // A reserved kind of block, a length that is not repeated, a distance before the start.
            &b"\x06\x00"[..],
            b"\x00\x05\x00\x00\x00Hello\x00",
            b"\xf2\x00\x11\x00\x00",
            // A message that ends within a block, and one whose last four bytes were not left out.
            b"\xf2\x48\xcd",
            b"",
            b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff",
        ] {
            let mut end = deflating(role);
            assert_eq!(
                end.read_frame(FIN | BINARY | RSV1, payload),
                Received::Over,
                "{payload:x?}"
            );
            let error = end.error();
            assert!(matches!(error, Some(Error::Deflate)), "{payload:x?}: {error:?}");
            assert_fails(&mut end, status::INVALID_FRAME_PAYLOAD_DATA);
            assert!(end.messages.is_empty());
        }
    }
}

/// §7.1.1, §7.1.2: each set of parameters both ways, with messages that refer far back.
#[test]
fn messages_arrive_whatever_was_agreed_on() {
    let mut noise = 1_u32;
    let mut random = move || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    };
    let block: Vec<u8> = (0..20_000).map(|_| random() & 0x1F).collect();
    let messages = [
        Message::from("short"),
        block.clone().into(),
        "".into(),
        [&block[..], &block[..], &vec![7; 100_000][..]].concat().into(),
        (0..200_000).map(|_| random()).collect::<Vec<u8>>().into(),
        "x".repeat(300_000).into(),
        block.into(),
        "short".into(),
    ];
    for extensions in [
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
        "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8",
        "permessage-deflate; server_no_context_takeover; client_max_window_bits=12",
    ] {
        for level in [0, 1, 4, 9] {
            for role in ROLES {
                let options = eager().level(level);
                let mut pair = pair::Pair {
                    client: with_deflate(End::new(Role::Client), extensions, options),
                    server: with_deflate(End::new(Role::Server), extensions, options),
                };
                for message in &messages {
                    pair.end(role).connection.send(message.clone(), || KEY).unwrap();
                }
                pair.carry(usize::MAX);
                assert!(pair.other(role).messages == messages, "{extensions} {role:?} {level}");
            }
        }
    }
}

#[test]
fn what_compression_does_not_shorten_goes_out_as_it_is() {
    let extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for role in ROLES {
        let mut end = with_deflate(End::new(role), extensions, Deflate::new());
        let short = Message::from("x".repeat(255));
        // Each byte once: nothing to refer to.
        let even = Message::from((0..=255).collect::<Vec<u8>>());
        let long = Message::from("x".repeat(256));
        for message in [&short, &even, &long] {
            end.connection.send(message.clone(), || KEY).unwrap();
        }
        for options in [SendOptions::new().compress(), SendOptions::new().no_compress()] {
            for message in [&even, &long] {
                end.connection.send_with(message.clone(), options, || KEY).unwrap();
            }
        }
        let firsts: Vec<u8> = end.frames().iter().map(|(first, _)| *first).collect();
        let (t, b) = (FIN | TEXT, FIN | BINARY);
        assert_eq!(firsts, [t, b, t | RSV1, b | RSV1, t | RSV1, b, t]);
    }
}

/// A transport that takes little asks again and again what it could write.
#[test]
fn a_large_message_has_one_end_however_often_it_is_shown() {
    for extensions in ["permessage-deflate", "permessage-deflate; server_no_context_takeover"] {
        for step in [61, 10_000] {
            let mut pair = Pair::new(1 << 20);
            for end in [&mut pair.client, &mut pair.server] {
                end.connection.set_deflate(agreed(extensions), eager(), || KEY);
            }
            let mut expected = Vec::new();
            for length in [70_000, 1 << 17, 10, 200_000] {
                let message = Message::from(noise(length, 0x03));
                expected.push(message.clone());
                pair.server.connection.send(message, || KEY).unwrap();
            }
            pair.carry(step);
            assert!(pair.client.messages == expected, "{extensions} {step}");
        }
    }
}

/// Bytes that look like chance, as far as `mask` lets them.
fn noise(length: usize, mask: u8) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & mask
    };
    (0..length).map(|_| next()).collect()
}
