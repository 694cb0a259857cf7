//! Messages in fragments, and control frames between them.

use super::*;

/// SF-35.
#[test]
fn a_ping_between_fragments_is_answered_before_the_message_is_whole() {
    for role in ROLES {
        let mut end = End::new(role);
        end.read_frame(TEXT, b"one ");
        end.read_frame(FIN | PING, b"?");
        assert_eq!(end.frames(), [(FIN | PONG, b"?".to_vec())]);
        assert!(end.messages.is_empty());
        end.read_frame(FIN | PONG, b"unasked");
        end.read_frame(FIN, b"two");
        assert_eq!(end.messages, [Message::from("one two")]);
        assert!(end.connection.take_pong());
        assert!(end.frames().is_empty());
    }
}

/// SF-36.
#[test]
fn fragments_may_be_empty() {
    for role in ROLES {
        let mut end = End::new(role);
        end.read_frame(BINARY, b"");
        for part in [b"".as_slice(), b"a", b"", b"b", b""] {
            end.read_frame(CONTINUATION, part);
        }
        end.read_frame(FIN, b"");
        end.read_frame(TEXT, b"");
        end.read_frame(FIN, b"");
        end.read_frame(FIN | TEXT, b"");
        end.read_frame(FIN | BINARY, b"");
        let expected = [b"ab".into(), "".into(), Message::from(""), Message::from(b"")];
        assert_eq!(end.messages, expected);
    }
}

#[test]
fn every_way_to_cut_a_stream_of_frames_gives_the_same_messages() {
    for role in ROLES {
        let end = End::new(role);
        let mut bytes = end.frame(TEXT, "é".as_bytes());
        bytes.extend(end.frame(FIN | PING, b"p"));
        bytes.extend(end.frame(CONTINUATION, &"😀".as_bytes()[..2]));
        bytes.extend(end.frame(FIN, &"😀".as_bytes()[2..]));
        bytes.extend(end.frame(FIN | BINARY, &[7; 130]));
        bytes.extend(end.frame(FIN | TEXT, b""));
        bytes.extend(end.frame(FIN | TEXT, b"last"));
        let expected = ["é😀".into(), Message::from(vec![7; 130]), "".into(), "last".into()];
        for cut in 0..bytes.len() {
            for second in [cut, (cut + 1).min(bytes.len()), (cut + 7).min(bytes.len())] {
                let mut end = End::new(role);
                for part in [&bytes[..cut], &bytes[cut..second], &bytes[second..]] {
                    assert_eq!(end.read(part), Received::Dry);
                }
                assert_eq!(end.messages, expected, "cut at {cut} and {second}");
                assert_eq!(end.frames(), [(FIN | PONG, b"p".to_vec())]);
            }
        }
    }
}

/// A payload is unmasked once and only once, wherever reads end within it.
#[test]
fn a_large_frame_comes_out_whole_however_it_is_read() {
    let payload: Vec<u8> = (0..200_000_u32).map(|at| (at * 31 % 251) as u8).collect();
    for role in ROLES {
        for step in [1021, 4096, 16_384, 65_537, usize::MAX] {
            for fragmented in [false, true] {
                let mut end = End::new(role);
                let mut bytes = Vec::new();
                if fragmented {
                    let (front, back) = payload.split_at(100_001);
                    bytes.extend(end.frame(BINARY, front));
                    bytes.extend(end.frame(FIN | PING, b""));
                    bytes.extend(end.frame(FIN, back));
                } else {
                    bytes.extend(end.frame(FIN | BINARY, &payload));
                }
                bytes.extend(end.frame(FIN | TEXT, b"behind"));
                for part in bytes.chunks(step.min(bytes.len())) {
                    assert_eq!(end.read(part), Received::Dry);
                }
                assert_eq!(end.messages.len(), 2);
                assert!(end.messages[0].as_bytes() == payload, "{role:?} in steps of {step}");
                assert_eq!(end.messages[1], Message::from("behind"));
            }
        }
    }
}

/// SF-40.
#[test]
fn every_ping_is_answered_with_its_payload_in_order() {
    for role in ROLES {
        let mut end = End::new(role);
        let payloads: Vec<Vec<u8>> = (0..20).map(|at| vec![at; usize::from(at) * 6]).collect();
        for payload in &payloads {
            end.read_frame(FIN | PING, payload);
        }
        end.read_frame(FIN | PING, &[9; 125]);
        let pongs = end.frames();
        assert_eq!(pongs.len(), 21);
        for (pong, payload) in pongs.iter().zip(&payloads) {
            assert_eq!(*pong, (FIN | PONG, payload.clone()));
        }
        assert_eq!(pongs[20], (FIN | PONG, vec![9; 125]));
    }
}

/// SF-38, CT-09.
#[test]
fn a_thousand_messages_in_one_read_come_in_order() {
    for role in ROLES {
        let mut end = End::new(role);
        let sent: Vec<Message> = (0..1000).map(|n| Message::from(n.to_string())).collect();
        let bytes: Vec<u8> =
            sent.iter().flat_map(|text| end.frame(FIN | TEXT, text.as_bytes())).collect();
        end.read(&bytes);
        assert_eq!(end.messages, sent);
    }
}
