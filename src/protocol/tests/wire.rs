//! Frames that break RFC 6455: what the peer is told, what the stream tells, and at which byte.

use super::*;
use crate::protocol::connection::Lifecycle;
use crate::protocol::{CloseCode, ProtocolError};
use crate::status;

/// A broken frame stream, without its mask.
struct Case {
    /// The numbers in the list of hostile input.
    id: &'static str,
    /// Frames: first byte, length field, payload.
    frames: Vec<(u8, Vec<u8>, Vec<u8>)>,
    /// How many bytes of the last frame, unmasked, must be there for it to be found.
    found_at: usize,
    error: ProtocolError,
}

fn case(
    id: &'static str,
    frames: &[(u8, &[u8], &[u8])],
    found_at: usize,
    error: ProtocolError,
) -> Case {
    let owned =
        |(first, length, payload): &(u8, &[u8], &[u8])| (*first, length.to_vec(), payload.to_vec());
    Case { id, frames: frames.iter().map(owned).collect(), found_at, error }
}

fn cases() -> Vec<Case> {
    use ProtocolError as E;
    let mut cases = vec![
        case("SF-02 CF-02", &[(0xC1, &[0], b"")], 1, E::ReservedBits),
        case("CF-03", &[(0xA1, &[0], b"")], 1, E::ReservedBits),
        case("SF-04", &[(0x91, &[0], b"")], 1, E::ReservedBits),
        case("SD-10", &[(0xC9, &[0], b"")], 1, E::ReservedBits),
        case("CD-05", &[(0x01, &[1], b"a"), (0xC0, &[0], b"")], 1, E::ReservedBits),
        case("SF-15 CF-09", &[(PING, &[0], b"")], 1, E::FragmentedControl),
        case("SF-16", &[(CLOSE, &[0], b"")], 1, E::FragmentedControl),
        case("SF-17", &[(PONG, &[0], b"")], 1, E::FragmentedControl),
        case("SF-18 SF-20 CF-11", &[(0x89, &[126, 0, 126], b"")], 2, E::OversizeControl),
        case("SC-32", &[(0x88, &[126, 0, 126], b"")], 2, E::OversizeControl),
        case("pong of 64 bits", &[(0x8A, &[127], b"")], 2, E::OversizeControl),
        case("SF-21 CF-12", &[(0x82, &[127, 0x80, 0, 0, 0, 0, 0, 0, 5], b"")], 10, E::Length),
        case(
            "SF-22",
            &[(0x82, &[127, 255, 255, 255, 255, 255, 255, 255, 255], b"")],
            10,
            E::Length,
        ),
        case("SF-23", &[(0x82, &[126, 0, 125], b"")], 4, E::Length),
        case("SF-24 CF-16", &[(0x82, &[127, 0, 0, 0, 0, 0, 0, 0, 5], b"")], 10, E::Length),
        case("SF-25", &[(0x82, &[127, 0, 0, 0, 0, 0, 0, 0, 200], b"")], 10, E::Length),
        case(
            "largest that fits 16 bits",
            &[(0x82, &[127, 0, 0, 0, 0, 0, 0, 255, 255], b"")],
            10,
            E::Length,
        ),
        case("SF-26 CF-17", &[(0x80, &[0], b"")], 2, E::UnexpectedContinuation),
        case(
            "unfinished continuation of nothing",
            &[(0x00, &[0], b"")],
            2,
            E::UnexpectedContinuation,
        ),
        case("SF-28", &[(0x01, &[1], b"a"), (0x82, &[0], b"")], 2, E::ExpectedContinuation),
        case("CF-18", &[(0x01, &[1], b"a"), (0x01, &[0], b"")], 2, E::ExpectedContinuation),
        case(
            "SF-29",
            &[(0x01, &[1], b"a"), (0x80, &[1], b"b"), (0x80, &[0], b"")],
            2,
            E::UnexpectedContinuation,
        ),
        case("SC-30 CC-09", &[(0x88, &[1], b"\x03")], 3, E::CloseLength),
    ];
    for opcode in [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF] {
        let error = E::ReservedOpcode(opcode);
        cases.push(case("SF-05..14 CF-05..08", &[(FIN | opcode, &[0], b"")], 1, error.clone()));
        cases.push(case("reserved, unfinished", &[(opcode, &[0], b"")], 1, error));
    }
    cases
}

/// What `case` must do to an end of `role` that reads `step` bytes at a time.
fn check(case: &Case, role: Role, step: usize) {
    let mut end = End::new(role);
    let context = format!("{} to a {role:?} in steps of {step}", case.id);
    let (last, before) = case.frames.split_last().expect("a case has frames");
    for (first, length, payload) in before {
        assert_eq!(end.read(&raw(role, *first, length, payload)), Received::Dry, "{context}");
    }
    let messages = end.messages.len();
    let bytes = raw(role, last.0, &last.1, &last.2);
    // The message it would begin or end is judged once its header is whole, mask key included.
    let judged_whole = matches!(
        case.error,
        ProtocolError::UnexpectedContinuation
            | ProtocolError::ExpectedContinuation
            | ProtocolError::CloseLength
    );
    let key = if judged_whole && role == Role::Server { KEY.len() } else { 0 };
    let found_at = case.found_at + key;
    for early in bytes[..found_at - 1].chunks(step) {
        assert_eq!(end.read(early), Received::Dry, "{context}: too early");
    }
    assert_eq!(end.read(&bytes[found_at - 1..found_at]), Received::Over, "{context}: too late");
    assert_eq!(end.messages.len(), messages, "{context}");
    assert_eq!(end.connection.lifecycle(), Lifecycle::Flushing { linger: true }, "{context}");
    let reason = case.error.to_string();
    assert_eq!(end.frames(), [(0x88, close(1002, &reason))], "{context}");
    match end.error() {
        Some(Error::Protocol(error)) => assert_eq!(error, case.error, "{context}"),
        other => panic!("{context}: {other:?}"),
    }
    let event = end.connection.known_event().expect("the end is certain");
    assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false), "{context}");
}

#[test]
fn a_broken_frame_is_answered_1002_at_the_byte_that_shows_it() {
    for case in cases() {
        for role in ROLES {
            for step in [1, 3, usize::MAX] {
                check(&case, role, step);
            }
        }
    }
}

/// SF-01, CF-01.
#[test]
fn a_frame_masked_in_the_wrong_direction_is_refused_on_its_second_byte() {
    for (role, other, error) in [
        (Role::Server, Role::Client, ProtocolError::Unmasked),
        (Role::Client, Role::Server, ProtocolError::Masked),
    ] {
        let mut end = End::new(role);
        let bytes = raw(other, FIN | TEXT, &[2], b"hi");
        assert_eq!(end.read(&bytes[..1]), Received::Dry);
        assert_eq!(end.read(&bytes[1..2]), Received::Over);
        assert!(matches!(end.error(), Some(Error::Protocol(found)) if found == error));
        assert_eq!(end.frames(), [(0x88, close(1002, &error.to_string()))]);
    }
}

/// SC-18..29, CC-01..08.
#[test]
fn a_close_code_that_may_not_stand_on_the_wire_is_answered_1002_and_still_told() {
    let codes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];
    for role in ROLES {
        for code in codes {
            let mut end = End::new(role);
            assert_eq!(end.read_frame(0x88, &close(code, "why")), Received::Over);
            let frames = end.frames();
            assert_eq!(frames.len(), 1);
            assert_eq!(frames[0].1[..2], 1002_u16.to_be_bytes());
            match end.error() {
                Some(Error::Protocol(ProtocolError::CloseCode { code: told, reason })) => {
                    assert_eq!((told, &*reason), (CloseCode::new(code), "why"));
                }
                other => panic!("{code}: {other:?}"),
            }
        }
    }
}

/// Both codes are checked before the reason: the error that carries them wins.
#[test]
fn a_wrong_close_code_with_a_reason_that_is_not_utf8_is_told_without_the_reason() {
    let mut end = End::new(Role::Server);
    let payload = [&1005_u16.to_be_bytes()[..], b"\xFF"].concat();
    assert_eq!(end.read_frame(0x88, &payload), Received::Over);
    match end.error() {
        Some(Error::Protocol(ProtocolError::CloseCode { code, reason })) => {
            assert_eq!((code, &*reason), (status::NO_STATUS_RECEIVED, ""));
        }
        other => panic!("{other:?}"),
    }
}

/// SC-31, CC-10.
#[test]
fn a_close_reason_that_is_not_utf8_is_answered_1007() {
    for role in ROLES {
        let mut end = End::new(role);
        let payload = [&1000_u16.to_be_bytes()[..], b"ok\xC3\x28"].concat();
        assert_eq!(end.read_frame(0x88, &payload), Received::Over);
        assert_eq!(end.frames()[0].1[..2], 1007_u16.to_be_bytes());
        assert!(matches!(end.error(), Some(Error::NotUtf8)));
    }
}

#[test]
fn messages_before_a_broken_frame_are_delivered_and_nothing_behind_it() {
    for role in ROLES {
        let mut end = End::new(role);
        let mut bytes = end.frame(FIN | TEXT, b"before");
        bytes.extend(end.frame(0x83, b""));
        bytes.extend(end.frame(FIN | TEXT, b"behind"));
        assert_eq!(end.read(&bytes), Received::Over);
        assert_eq!(end.messages, [Message::from("before")]);
        assert_eq!(end.read_frame(FIN | TEXT, b"later"), Received::Over);
        assert_eq!(end.messages.len(), 1);
    }
}
