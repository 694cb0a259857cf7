//! Messages that are inflated: their text, their limit, their memory.

use super::*;

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
