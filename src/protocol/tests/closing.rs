//! The closing handshake, from both ends.

use super::pair::Pair;
use super::*;
use crate::protocol::connection::Lifecycle;
use crate::protocol::{CloseFrame, Initiator};
use crate::{protocol::CloseCode, protocol::ReadyState, status};

fn frame(code: u16, reason: &str) -> CloseFrame {
    CloseFrame::new(CloseCode::new(code), reason).expect("legal on the wire")
}

/// SC-03..15, CC-11.
#[test]
fn a_close_is_echoed_with_its_code_and_reason_and_kept() {
    let legal = (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4321, 4999]);
    for code in legal {
        for role in ROLES {
            let mut end = End::new(role);
            assert_eq!(end.read_frame(0x88, &close(code, "why: é")), Received::Over);
            assert_eq!(end.frames(), [(0x88, close(code, "why: é"))]);
            assert!(end.error().is_none());
            let event = end.connection.known_event().expect("the end is certain");
            assert_eq!((event.code.as_u16(), event.reason.as_str()), (code, "why: é"));
            assert!(event.was_clean);
            assert_eq!(event.initiator, Initiator::Peer);
            assert!(end.connection.event().is_none(), "it is not over before the transport is");
            // RFC 6455 §7.1.1: the server closes the transport first.
            let linger = role == Role::Client;
            assert_eq!(end.connection.lifecycle(), Lifecycle::Flushing { linger });
        }
    }
}

/// SC-01, CC-12.
#[test]
fn an_empty_close_is_echoed_empty_and_reads_1005() {
    for role in ROLES {
        let mut end = End::new(role);
        end.read_frame(0x88, b"");
        assert_eq!(end.frames(), [(0x88, Vec::new())]);
        let event = end.connection.known_event().expect("the end is certain");
        assert_eq!((event.code, event.was_clean), (status::NO_STATUS_RECEIVED, true));
    }
}

/// SC-16.
#[test]
fn a_reason_may_fill_the_frame() {
    let reason = "r".repeat(123);
    for role in ROLES {
        let mut end = End::new(role);
        end.read_frame(0x88, &close(1000, &reason));
        assert_eq!(end.frames(), [(0x88, close(1000, &reason))]);
        assert_eq!(end.connection.known_event().expect("certain").reason, reason);
    }
}

/// SC-34, SC-35, CC-13.
#[test]
fn nothing_counts_behind_a_close() {
    for role in ROLES {
        let mut end = End::new(role);
        let mut bytes = end.frame(TEXT, b"a fragment");
        bytes.extend(end.frame(0x88, &close(1001, "")));
        bytes.extend(end.frame(FIN, b"its end"));
        bytes.extend(end.frame(FIN | TEXT, b"more"));
        bytes.extend(end.frame(FIN | PING, b"?"));
        bytes.extend(end.frame(0x88, &close(1002, "")));
        bytes.extend([0xFF; 100]);
        assert_eq!(end.read(&bytes), Received::Over);
        assert!(end.messages.is_empty());
        assert_eq!(end.frames(), [(0x88, close(1001, ""))]);
        assert!(end.error().is_none());
        assert_eq!(end.connection.known_event().expect("certain").code, status::GOING_AWAY);
    }
}

/// SC-36: what was accepted before goes out before the answer.
#[test]
fn what_is_queued_goes_out_before_the_answer_to_a_close() {
    for role in ROLES {
        let mut end = End::new(role);
        end.connection.send("queued".into(), || KEY).expect("it is open");
        end.read_frame(0x88, &close(1000, ""));
        let expected = [(FIN | TEXT, b"queued".to_vec()), (0x88, close(1000, ""))];
        assert_eq!(end.frames(), expected);
    }
}

#[test]
fn both_ends_know_how_it_ended() {
    for closer in ROLES {
        let mut pair = Pair::new(1 << 16);
        pair.end(closer).connection.send("last".into(), || KEY).expect("it is open");
        pair.end(closer).connection.close(Some(&frame(4000, "done")), || KEY).expect("legal");
        pair.carry(7);
        let event = pair.end(closer).connection.known_event().cloned().expect("answered");
        assert_eq!((event.code.as_u16(), event.reason.as_str()), (4000, "done"));
        assert_eq!((event.was_clean, event.initiator), (true, Initiator::Local));
        let other = pair.other(closer);
        assert_eq!(other.messages, [Message::from("last")]);
        let event = other.connection.known_event().expect("closed");
        assert_eq!((event.was_clean, event.initiator), (true, Initiator::Peer));
    }
}

/// A-06.
#[test]
fn closes_may_cross() {
    let mut pair = Pair::new(1 << 16);
    pair.client.connection.close(Some(&frame(4001, "c")), || KEY).expect("legal");
    pair.server.connection.close(Some(&frame(4002, "s")), || KEY).expect("legal");
    pair.carry(3);
    for (end, code) in [(&pair.client, 4002), (&pair.server, 4001)] {
        let event = end.connection.known_event().expect("both are answered");
        assert_eq!((event.code.as_u16(), event.was_clean), (code, true));
        assert_eq!(event.initiator, Initiator::Local);
    }
}

/// RFC 6455 §1.4, as browsers.
#[test]
fn data_is_dropped_once_closing_has_begun() {
    for role in ROLES {
        let mut end = End::new(role);
        end.connection.close(None, || KEY).expect("nothing to refuse");
        assert_eq!(end.connection.ready_state(), ReadyState::Closing);
        assert_eq!(end.read_frame(FIN | TEXT, b"late"), Received::Dry);
        assert_eq!(end.read_frame(FIN | PING, b"?"), Received::Dry);
        assert!(end.messages.is_empty());
        assert_eq!(end.frames(), [(0x88, Vec::new())], "and no pong behind the Close frame");
        assert_eq!(end.read_frame(0x88, &close(1000, "")), Received::Over);
        assert!(end.frames().is_empty(), "one Close frame an end");
    }
}

#[test]
fn a_fault_while_closing_is_not_an_error_but_not_clean_either() {
    for role in ROLES {
        let mut end = End::new(role);
        end.connection.close(Some(&frame(1000, "")), || KEY).expect("legal");
        assert_eq!(end.read_frame(0x83, b""), Received::Over);
        assert!(end.error().is_none());
        assert_eq!(end.frames(), [(0x88, close(1000, ""))]);
        let event = end.connection.known_event().expect("certain");
        assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false));
    }
}

/// A-07, A-08; RFC 6455 §7.4.1.
#[test]
fn only_a_client_misses_extensions() {
    let mut server = End::new(Role::Server);
    let refused = server.connection.close(Some(&frame(1010, "")), || KEY);
    assert!(matches!(refused, Err(Error::CloseFrame(_))));
    assert!(server.connection.is_open(), "it stays open");
    assert!(server.frames().is_empty(), "nothing was sent");

    let mut client = End::new(Role::Client);
    client.connection.close(Some(&frame(1010, "x")), || KEY).expect("a client may");
    assert_eq!(client.frames(), [(0x88, close(1010, "x"))]);
}

#[test]
fn a_second_close_sends_nothing_and_sending_is_refused() {
    for role in ROLES {
        let mut end = End::new(role);
        for code in [4000, 4001] {
            end.connection.close(Some(&frame(code, "")), || KEY).expect("legal");
        }
        let refused = end.connection.send("late".into(), || KEY);
        assert!(matches!(refused, Err(Error::Closed { .. })));
        assert_eq!(end.frames(), [(0x88, close(4000, ""))]);
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_not_a_clean_end() {
    for role in ROLES {
        let mut end = End::new(role);
        end.connection.write_failed(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!(end.read_frame(0x88, &close(1000, "bye")), Received::Over);
        let event = end.connection.known_event().expect("certain");
        assert_eq!((event.code, event.reason.as_str()), (status::NORMAL_CLOSURE, "bye"));
        assert!(!event.was_clean, "Close frames did not go both ways");
    }
}
