//! The largest message, and memory that grows with what arrived.

use super::*;
use crate::status;

const LIMIT: usize = 1000;

fn assert_too_big(end: &mut End, size: u64) {
    match end.error() {
        Some(Error::MessageTooBig { size: told, limit }) => {
            assert_eq!((told, limit), (size, LIMIT));
        }
        other => panic!("{other:?}"),
    }
    let frames = end.frames();
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].0, 0x88);
    assert_eq!(frames[0].1[..2], status::MESSAGE_TOO_BIG.as_u16().to_be_bytes());
    assert!(end.messages.is_empty());
}

/// SF-34, A-15.
#[test]
fn a_message_of_exactly_the_limit_passes() {
    for role in ROLES {
        let mut end = End::with_limit(role, LIMIT);
        end.read_frame(FIN | BINARY, &[1; LIMIT]);
        end.read_frame(BINARY, &[2; LIMIT - 1]);
        end.read_frame(CONTINUATION, &[2]);
        end.read_frame(FIN, b"");
        let expected = [Message::from(vec![1; LIMIT]), Message::from(vec![2; LIMIT])];
        assert_eq!(end.messages, expected);
    }
}

/// SF-31, SF-32, CF-13, CF-14.
#[test]
fn a_larger_message_is_refused_on_its_header() {
    for role in ROLES {
        for size in [LIMIT as u64 + 1, 1 << 32, u64::MAX >> 1] {
            let length = match u16::try_from(size) {
                Ok(size) => [&[126], &size.to_be_bytes()[..]].concat(),
                Err(_) => [&[127], &size.to_be_bytes()[..]].concat(),
            };
            for first in [FIN | TEXT, FIN | BINARY, TEXT] {
                let mut end = End::with_limit(role, LIMIT);
                assert_eq!(end.read(&raw(role, first, &length, b"")), Received::Over);
                assert_too_big(&mut end, size);
            }
        }
    }
}

/// SF-33.
#[test]
fn fragments_that_sum_to_more_are_refused_on_the_header_that_exceeds() {
    for role in ROLES {
        let mut end = End::with_limit(role, LIMIT);
        assert_eq!(end.read_frame(BINARY, &[0; LIMIT - 10]), Received::Dry);
        assert_eq!(end.read_frame(CONTINUATION, &[0; 10]), Received::Dry);
        assert_eq!(end.read(&raw(role, FIN, &[1], b"")), Received::Over);
        assert_too_big(&mut end, LIMIT as u64 + 1);
    }
}

/// A length that would overflow the sum of the fragments.
#[test]
fn a_huge_fragment_behind_a_small_one_does_not_wrap_around() {
    for role in ROLES {
        let mut end = End::with_limit(role, LIMIT);
        end.read_frame(BINARY, &[0; 10]);
        let length = [&[127], &(u64::MAX >> 1).to_be_bytes()[..]].concat();
        assert_eq!(end.read(&raw(role, CONTINUATION, &length, b"")), Received::Over);
        assert_too_big(&mut end, (u64::MAX >> 1) + 10);
    }
}

#[test]
fn a_control_frame_between_fragments_does_not_count() {
    for role in ROLES {
        let mut end = End::with_limit(role, LIMIT);
        end.read_frame(BINARY, &[0; LIMIT]);
        end.read_frame(FIN | PING, &[0; 125]);
        end.read_frame(FIN, b"");
        assert_eq!(end.messages.len(), 1);
    }
}

#[test]
fn a_limit_of_nothing_lets_empty_messages_pass() {
    let mut end = End::with_limit(Role::Server, 0);
    end.read_frame(FIN | TEXT, b"");
    assert_eq!(end.messages, [Message::from("")]);
    assert_eq!(end.read_frame(FIN | TEXT, b"a"), Received::Over);
    assert!(matches!(end.error(), Some(Error::MessageTooBig { size: 1, limit: 0, .. })));
}

/// RUSTSEC-2022-0035: memory is asked for by what came, not by what was announced.
#[test]
fn an_announced_length_reserves_next_to_nothing() {
    for role in ROLES {
        for first in [FIN | BINARY, BINARY] {
            let mut end = End::with_limit(role, 64 << 20);
            let length = [&[127], &(64_u64 << 20).to_be_bytes()[..]].concat();
            assert_eq!(end.read(&raw(role, first, &length, b"")), Received::Dry);
            let room = end.connection.space().chunk_mut().len();
            assert!(room <= 64 << 10, "{room} bytes of room for a header");
        }
    }
}

/// A read that fills its room says nothing about what is behind it, and is followed by another.
#[test]
fn a_large_message_is_offered_a_little_more_room_than_it_takes() {
    for role in ROLES {
        let mut end = End::new(role);
        let frame = end.frame(FIN | BINARY, &vec![7; 100_000]);
        let spare = |end: &mut End, rest: usize| end.connection.space().remaining_mut() - rest;
        end.read(&frame);
        assert!((1..=14).contains(&spare(&mut end, frame.len())), "one like the last");
        let (begin, rest) = frame.split_at(60_000);
        end.read(begin);
        assert!((1..=14).contains(&spare(&mut end, rest.len())), "the rest of one");
        end.read(rest);
        assert_eq!(end.messages.len(), 2);
    }
}

/// SL-01, SL-06, CL-01; the bytes are counted in `tests/memory.rs`.
#[test]
fn empty_fragments_by_the_hundred_thousand_are_one_message() {
    for role in ROLES {
        let mut end = End::new(role);
        end.read_frame(TEXT, b"a");
        let empty = end.frame(CONTINUATION, b"").repeat(1000);
        for _ in 0..300 {
            assert_eq!(end.read(&empty), Received::Dry);
        }
        end.read_frame(FIN, b"z");
        assert_eq!(end.messages, [Message::from("az")]);
    }
}
