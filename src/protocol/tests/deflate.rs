//! permessage-deflate (RFC 7692), byte by byte.

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

/// A payload as a peer compresses it that begins with an empty window.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut output = vec![0; Compressor::bound(bytes.len())];
    let made = Compressor::new(Settings { level: 6, bits: 15, memory: Memory::Usual }).compress(
        bytes,
        Window::Cleared,
        &mut output,
    );
    output.truncate(made - 4);
    output
}

/// SD-12.
#[test]
fn inflated_text_that_is_not_utf8_fails_at_the_first_wrong_byte() {
    for role in ROLES {
        let mut end = deflating(role);
        let payload =
            compressed(&[b"a".repeat(50_000), b"\xff".to_vec(), b"b".repeat(50_000)].concat());
        // The message goes on, and need not.
        assert_eq!(end.read_frame(TEXT | RSV1, &payload), Received::Over);
        assert!(matches!(end.error(), Some(Error::NotUtf8)));
        assert_fails(&mut end, status::INVALID_FRAME_PAYLOAD_DATA);

        let mut end = deflating(role);
        end.read_frame(FIN | TEXT | RSV1, &compressed(&"é".as_bytes()[..1]));
        assert!(matches!(end.error(), Some(Error::NotUtf8)), "a character that is cut off");
    }
}

/// Around the lengths at which it is left where it was inflated.
#[test]
fn a_message_stays_as_it_is_whatever_comes_after_it() {
    for role in ROLES {
        for (length, step) in [(40_000, 4096), (49_151, 1), (65_600, 64), (130_900, 200)] {
            let mut end = deflating(role);
            let sent: Vec<_> = (0..5)
                .map(|at| {
                    let mut text = format!("{at} said again, ").repeat(9000);
                    text.truncate(length + at * step);
                    text
                })
                .collect();
            for (at, text) in sent.iter().enumerate() {
                let first = if at % 2 == 0 { TEXT } else { BINARY };
                let payload = compressed(text.as_bytes());
                if at == 3 {
                    let (front, rest) = payload.split_at(payload.len() / 2);
                    end.read_frame(first | RSV1, front);
                    end.read_frame(FIN, rest);
                } else {
                    end.read_frame(FIN | first | RSV1, &payload);
                }
            }
            assert!(end.error().is_none());
            assert_eq!(end.messages.len(), sent.len());
            for (at, (message, text)) in end.messages.iter().zip(&sent).enumerate() {
                assert!(message.as_bytes() == text.as_bytes(), "{length} {step} {at}");
                assert_eq!(message.is_text(), at % 2 == 0);
            }
        }
    }
}

#[test]
fn a_long_text_that_is_inflated_at_once_is_checked() {
    for role in ROLES {
        for at in [0, 30_000, 59_999] {
            let mut text = b"a".repeat(60_000);
            text[at] = 0xFF;
            let mut end = deflating(role);
            end.read_frame(FIN | TEXT | RSV1, &compressed(&text));
            assert!(matches!(end.error(), Some(Error::NotUtf8)), "{at}");
            assert_fails(&mut end, status::INVALID_FRAME_PAYLOAD_DATA);
        }
        let mut end = with_deflate(End::with_limit(role, 60_000), "permessage-deflate", eager());
        end.read_frame(FIN | TEXT | RSV1, &compressed(&b"a".repeat(60_000)));
        assert_eq!(end.messages.len(), 1);
        end.read_frame(FIN | TEXT | RSV1, &compressed(&b"a".repeat(60_001)));
        assert!(matches!(end.error(), Some(Error::MessageTooBig { limit: 60_000, .. })));
        assert_fails(&mut end, status::MESSAGE_TOO_BIG);
    }
}

#[test]
fn the_limit_holds_for_what_it_inflates_to() {
    for role in ROLES {
        let mut end = with_deflate(End::with_limit(role, 50_000), "permessage-deflate", eager());
        end.read_frame(FIN | BINARY | RSV1, &compressed(&vec![0; 50_000]));
        assert_eq!(end.messages.len(), 1);
        assert_eq!(end.read_frame(BINARY | RSV1, &compressed(&vec![0; 50_001])), Received::Over);
        let error = end.error();
        assert!(matches!(error, Some(Error::MessageTooBig { limit: 50_000, .. })), "{error:?}");
        assert_fails(&mut end, status::MESSAGE_TOO_BIG);
        assert_eq!(end.messages.len(), 1);
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

/// What is prepared once can be read by every receiver, whatever each has agreed on and received
/// before and behind it.
#[test]
fn a_prepared_message_is_read_by_all_with_their_other_messages() {
    let text = "a text that is long enough, and that says itself again: ".repeat(8);
    let prepared = [
        Prepared::new(&*text),
        Prepared::new(text.repeat(500)),
        Prepared::new("short"),
        Prepared::new(noise(3000, 0xFF)),
        Prepared::new(""),
        Prepared::new(noise(100_000, 0xFF)),
        Prepared::new(noise(100_000, 0x1F)),
    ];
    for extensions in [
        "",
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10",
    ] {
        for options in [eager(), eager().level(1), Deflate::new()] {
            let mut pair = Pair::new(1 << 20);
            if !extensions.is_empty() {
                for end in [&mut pair.client, &mut pair.server] {
                    end.connection.set_deflate(agreed(extensions), options, || KEY);
                }
            }
            let mut expected = Vec::new();
            for prepared in &prepared {
                for message in [Message::from(&*text), Message::from(vec![7; 100_000])] {
                    expected.push(message.clone());
                    pair.server.connection.send(message, || KEY).unwrap();
                    expected.push(prepared.message().clone());
                    pair.server.connection.send_prepared(prepared, || KEY).unwrap();
                }
                pair.carry(usize::MAX);
            }
            assert!(pair.client.messages == expected, "{extensions} {options:?}");
        }
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

#[test]
fn a_prepared_message_is_compressed_once_for_all_that_agreed_on_the_same() {
    let prepared = Prepared::new("the same again and again ".repeat(20));
    let mut forms = Vec::new();
    for (level, bits) in [(6, 15), (1, 15), (6, 12), (6, 15), (1, 15), (6, 12)] {
        forms.push(
            prepared.deflated(Settings { level, bits, memory: Memory::Sparing }).unwrap().as_ptr(),
        );
    }
    assert_eq!(forms[..3], forms[3..]);
    assert!(forms[0] != forms[1] && forms[1] != forms[2] && forms[0] != forms[2]);
}

/// The frame after it must not refer to what the compressor had before it.
#[test]
fn after_a_prepared_message_a_connection_compresses_from_an_empty_window() {
    let text = "said before and said again";
    let mut end = deflating(Role::Server);
    for _ in 0..2 {
        end.connection.send(text.into(), || KEY).unwrap();
    }
    end.connection.send_prepared(&Prepared::new("something else ".repeat(30)), || KEY).unwrap();
    for _ in 0..2 {
        end.connection.send(text.into(), || KEY).unwrap();
    }
    let frames = end.frames();
    assert!(frames.iter().all(|(first, _)| *first == FIN | TEXT | RSV1));
    assert_eq!(frames[0].1, frames[3].1, "as at the start");
    assert_eq!(frames[1].1, frames[4].1, "and the context is used again");
    assert!(frames[1].1.len() < frames[0].1.len());
}

#[test]
fn a_large_prepared_message_that_was_compressed_is_not_copied() {
    let prepared = Prepared::new(noise(100_000, 0x1F));
    let mut end = with_deflate(End::new(Role::Server), "permessage-deflate", eager());
    end.connection.send_prepared(&prepared, || KEY).unwrap();
    let settings = eager().settings(agreed("permessage-deflate").of(Role::Server)).unwrap();
    let frame = prepared.deflated(settings.alone(100_000)).unwrap();
    assert!(frame.len() > 1 << 15 && frame.len() < 80_000);
    let (first, second) = end.connection.unsent();
    let shown = if first.is_empty() { second } else { first };
    assert!(std::ptr::eq(shown.as_ptr(), frame.as_ptr()));
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
