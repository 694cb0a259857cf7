//! Text that is not UTF-8 fails at its very first wrong byte, however it comes.

use super::*;

/// Bytes, and how many of them must be there to see that they are wrong.
const WRONG: &[(&[u8], usize)] = &[
    (b"\xFF", 1),
    (b"\xFE", 1),
    (b"\x80", 1),
    (b"\xBF", 1),
    (b"\xC0\x80", 1),
    (b"\xC1\xBF", 1),
    (b"\xF5\x80\x80\x80", 1),
    (b"\xF8\x88\x80\x80\x80", 1),
    (b"\xC3\x28", 2),
    (b"\xC3\xC3", 2),
    (b"\xE0\x80\x80", 2),
    (b"\xE0\x9F\xBF", 2),
    (b"\xED\xA0\x80", 2),
    (b"\xED\xBF\xBF", 2),
    (b"\xE2\x28\xA1", 2),
    (b"\xE2\x82\x28", 3),
    (b"\xF0\x80\x80\x80", 2),
    (b"\xF0\x8F\xBF\xBF", 2),
    (b"\xF4\x90\x80\x80", 2),
    (b"\xF0\x9F\x98\x28", 4),
    (b"\xF0\x9F\x28", 3),
];

/// What comes before the wrong bytes: nothing, and enough that vector code is at work.
fn prefixes() -> Vec<Vec<u8>> {
    vec![Vec::new(), b"a".to_vec(), "κόσμε".into(), "日本語😀".repeat(20).into_bytes()]
}

fn assert_refused(end: &mut End, context: &str) {
    assert!(matches!(end.error(), Some(Error::NotUtf8)), "{context}");
    assert_eq!(end.frames(), [(0x88, close(1007, "text is not UTF-8"))], "{context}");
    assert!(end.messages.is_empty(), "{context}");
}

/// SU-01, SU-02, SU-09, CU-01, CU-02, Autobahn 6.4.3 and 6.4.4.
#[test]
fn a_wrong_byte_inside_a_frame_fails_before_the_frame_ends() {
    for role in ROLES {
        for prefix in prefixes() {
            for (wrong, at) in WRONG {
                for step in [1, usize::MAX] {
                    let context = format!("{role:?} {prefix:x?} {wrong:x?} {step}");
                    let mut end = End::new(role);
                    let payload = [&prefix, *wrong, &[b'z'; 100]].concat();
                    let bytes = end.frame(FIN | TEXT, &payload);
                    let found = bytes.len() - payload.len() + prefix.len() + at;
                    for early in bytes[..found - 1].chunks(step.min(found)) {
                        assert_eq!(end.read(early), Received::Dry, "{context}");
                    }
                    assert_eq!(end.read(&bytes[found - 1..found]), Received::Over, "{context}");
                    assert_refused(&mut end, &context);
                }
            }
        }
    }
}

/// SU-07, SU-08, CU-04, Autobahn 6.4.1 and 6.4.2.
#[test]
fn a_wrong_byte_in_a_fragment_fails_before_the_message_ends() {
    for role in ROLES {
        for prefix in prefixes() {
            for (wrong, at) in WRONG {
                let context = format!("{role:?} {prefix:x?} {wrong:x?}");
                // Each byte of the wrong sequence in a fragment of its own.
                let mut end = End::new(role);
                assert_eq!(end.read_frame(TEXT, &prefix), Received::Dry, "{context}");
                for byte in &wrong[..at - 1] {
                    assert_eq!(end.read_frame(CONTINUATION, &[*byte]), Received::Dry, "{context}");
                }
                assert_eq!(
                    end.read_frame(CONTINUATION, &wrong[at - 1..*at]),
                    Received::Over,
                    "{context}"
                );
                assert_refused(&mut end, &context);
            }
        }
    }
}

/// SU-05, CU-03.
#[test]
fn a_character_cut_off_by_the_end_of_the_message_is_wrong() {
    for role in ROLES {
        for cut in [&b"\xC3"[..], b"\xE2\x82", b"\xF0\x9F\x98", b"\xF0"] {
            let mut end = End::new(role);
            assert_eq!(end.read_frame(FIN | TEXT, &[b"text", cut].concat()), Received::Over);
            assert_refused(&mut end, "in a frame");

            let mut end = End::new(role);
            assert_eq!(end.read_frame(TEXT, &[b"text", cut].concat()), Received::Dry);
            assert_eq!(end.read_frame(FIN, b""), Received::Over);
            assert_refused(&mut end, "in fragments, the last one empty");
        }
    }
}

/// SU-10.
#[test]
fn a_character_may_be_split_over_fragments_with_a_ping_between() {
    let text = "κ😀日";
    for role in ROLES {
        let mut end = End::new(role);
        let bytes = text.as_bytes();
        end.read_frame(TEXT, &bytes[..1]);
        for byte in &bytes[1..] {
            assert_eq!(end.read_frame(FIN | PING, b"still there?"), Received::Dry);
            assert_eq!(end.read_frame(CONTINUATION, &[*byte]), Received::Dry);
        }
        assert_eq!(end.read_frame(FIN, b""), Received::Dry);
        assert_eq!(end.messages, [Message::from(text)]);
        let pongs = end.frames();
        assert_eq!(pongs.len(), bytes.len() - 1);
        assert!(pongs.iter().all(|pong| *pong == (FIN | PONG, b"still there?".to_vec())));
    }
}

/// SF-37.
#[test]
fn text_may_come_one_byte_at_a_time() {
    let text = "a\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}".repeat(30);
    for role in ROLES {
        let mut end = End::new(role);
        for byte in end.frame(FIN | TEXT, text.as_bytes()) {
            assert_eq!(end.read(&[byte]), Received::Dry);
        }
        assert_eq!(end.messages, [Message::from(text.as_str())]);
    }
}

/// SU-11.
#[test]
fn bytes_of_a_binary_message_are_not_looked_at() {
    for role in ROLES {
        let mut end = End::new(role);
        end.read_frame(FIN | BINARY, b"\xFF\xC0\x80");
        end.read_frame(BINARY, b"\xFF");
        end.read_frame(FIN, b"\xFE");
        assert_eq!(end.messages, [Message::from(b"\xFF\xC0\x80"), Message::from(b"\xFF\xFE")]);
    }
}
