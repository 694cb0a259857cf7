//! What goes out: frames that the peer understands, however the transport takes them.

use super::pair::Pair;
use super::*;

/// Writes at most `step` bytes at a time, as `vectored` or as the first slice alone.
fn drain(end: &mut End, step: usize, vectored: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !end.connection.is_flushed() {
        let before = end.connection.buffered();
        let (first, second) = end.connection.unsent();
        let taken = bytes.len();
        bytes.extend(first.iter().take(step));
        if vectored || first.is_empty() {
            bytes.extend(second.iter().take(step - (bytes.len() - taken)));
        }
        let written = bytes.len() - taken;
        assert!(written > 0);
        end.connection.advance(written);
        assert!(end.connection.buffered() < before, "progress is seen");
    }
    assert_eq!(end.connection.buffered(), 0);
    bytes
}

///
#[test]
fn a_message_of_any_length_is_framed_in_the_shortest_form() {
    for role in ROLES {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1 << 20] {
            let mut end = End::new(role);
            let payload: Vec<u8> = (0..length).map(|at| (at % 253) as u8).collect();
            end.connection.send(payload.clone().into(), || KEY).expect("it is open");
            let bytes = drain(&mut end, usize::MAX, true);
            let masked = if role == Role::Client { 0x80 } else { 0 };
            let mut field = shortest(length);
            field[0] |= masked;
            assert_eq!(bytes[..=field.len()], [&[FIN | BINARY], &field[..]].concat());
            assert!(frames(&bytes, role) == [(FIN | BINARY, payload)], "{role:?} {length}");
        }
    }
}

#[test]
fn large_and_small_messages_keep_their_order_whatever_a_write_takes() {
    let sizes = [3, 20_000, 5, 70_000, 0, 65_536, 65_537, 300_000, 7];
    let messages: Vec<Vec<u8>> =
        sizes.iter().enumerate().map(|(at, size)| vec![at as u8 + 1; *size]).collect();
    for role in ROLES {
        for (step, vectored) in [(1009, false), (1009, true), (16_384, true), (usize::MAX, false)] {
            let mut end = End::new(role);
            for message in &messages {
                end.connection.send(message.clone().into(), || KEY).expect("it is open");
            }
            end.connection.close(None, || KEY).expect("nothing to refuse");
            let bytes = drain(&mut end, step, vectored);
            let frames = frames(&bytes, role);
            assert_eq!(frames.len(), messages.len() + 1);
            for ((_, payload), message) in frames.iter().zip(&messages) {
                assert!(payload == message, "{role:?} {step} {vectored}");
            }
            assert_eq!(frames[messages.len()], (FIN | CLOSE, Vec::new()));
        }
    }
}

#[test]
fn a_prepared_message_is_what_sending_it_would_have_been() {
    for role in ROLES {
        let mut plain = End::new(role);
        let mut shared = End::new(role);
        for size in [0, 125, 126, 16_383, 16_384, 3, 70_000, 5, 16_383] {
            for message in [Message::from(vec![7; size]), Message::from("x".repeat(size))] {
                let prepared = Prepared::new(message.clone());
                plain.connection.send(message, || KEY).expect("it is open");
                shared.connection.send_prepared(&prepared, || KEY).expect("it is open");
            }
        }
        let bytes = drain(&mut shared, 16_384, true);
        assert!(bytes == drain(&mut plain, usize::MAX, true), "{role:?}");
        assert_eq!(frames(&bytes, role).len(), 18);
    }
}

#[test]
fn a_large_prepared_message_is_not_copied_for_a_server() {
    let prepared = Prepared::new(vec![7; 100_000]);
    let mut end = End::new(Role::Server);
    end.connection.send_prepared(&prepared, || KEY).expect("it is open");
    let (_, payload) = end.connection.unsent();
    assert!(std::ptr::eq(payload, prepared.message().as_bytes()));
}

#[test]
fn nothing_prepared_is_sent_after_a_close() {
    for role in ROLES {
        let mut end = End::new(role);
        end.connection.close(None, || KEY).expect("nothing to refuse");
        let refused = end.connection.send_prepared(&Prepared::new("late"), || KEY);
        assert!(matches!(refused, Err(Error::Closed { .. })));
        assert_eq!(frames(&drain(&mut end, 4096, true), role), [(FIN | CLOSE, Vec::new())]);
    }
}

#[test]
fn pongs_wait_for_the_large_message_in_front_of_them() {
    for role in ROLES {
        let mut end = End::new(role);
        end.connection.send(vec![1; 200_000].into(), || KEY).expect("it is open");
        end.connection.advance(100);
        end.read_frame(FIN | PING, b"a");
        end.read_frame(FIN | PING, b"b");
        let (first, second) = end.connection.unsent();
        assert!(!first.is_empty() || !second.is_empty());
        let bytes = drain(&mut end, 4096, true);
        let masked = if role == Role::Client { 0x81 } else { 0x01 };
        let tail = if role == Role::Client { 7 } else { 3 };
        assert_eq!(bytes[bytes.len() - 2 * tail..][..2], [FIN | PONG, masked]);
        assert_eq!(bytes[bytes.len() - tail..][..2], [FIN | PONG, masked]);
    }
}

/// Every key is asked for anew: CVE-2025-10148, CL-04.
#[test]
fn each_frame_of_a_client_has_a_key_of_its_own() {
    let mut end = End::new(Role::Client);
    for n in 0..5 {
        end.connection.send("same".into(), || [n; 4]).expect("it is open");
    }
    let bytes = end.written();
    for (n, frame) in bytes.chunks(10).enumerate() {
        assert_eq!(frame[2..6], [n as u8; 4]);
    }
}

#[test]
fn messages_that_wait_behind_a_large_one_count_even_when_empty() {
    for role in ROLES {
        let mut end = End::new(role);
        end.connection.send(vec![0; 100_000].into(), || KEY).expect("it is open");
        let before = end.connection.buffered();
        for _ in 0..10_000 {
            end.connection.send("".into(), || KEY).expect("it is open");
        }
        assert!(end.connection.buffered() >= before + 20_000);
    }
}

/// Pongs are a flood only while they are unwritten: a connection that always has something to
/// write is not to be taken for one.
#[test]
fn pongs_that_were_written_are_not_counted_for_ever() {
    for role in ROLES {
        let mut end = End::new(role);
        for _ in 0..10_000 {
            end.connection.send(vec![0; 100].into(), || KEY).expect("it is open");
            end.read_frame(FIN | PING, &[0; 125]);
            // All but a few bytes are taken each time, so it is never flushed.
            while end.connection.buffered() > 50 {
                let (first, _) = end.connection.unsent();
                let n = first.len().min(end.connection.buffered() - 50);
                end.connection.advance(n);
            }
            assert!(!end.connection.is_flooded());
        }
    }
}

/// SL-03, CL-02.
#[test]
fn unread_pongs_pile_up_to_a_bound() {
    for role in ROLES {
        let mut end = End::new(role);
        let ping = end.frame(FIN | PING, &[0; 125]);
        let mut flooded_after = None;
        for n in 0..10_000 {
            end.read(&ping);
            if end.connection.is_flooded() {
                flooded_after = Some(n);
                break;
            }
        }
        assert!(flooded_after.is_some());
        assert!(end.connection.buffered() <= 512 << 10);
        end.written();
        assert!(!end.connection.is_flooded(), "written pongs are no flood");
    }
}

#[test]
fn two_engines_understand_each_other_however_little_is_carried_at_a_time() {
    for step in [1, 2, 13, 4096, usize::MAX] {
        let mut pair = Pair::new(1 << 20);
        let messages: Vec<Message> = (0..40_usize)
            .map(|n| match n % 3 {
                0 => Message::from("é".repeat(n * 7)),
                1 => Message::from(vec![n as u8; n * 50]),
                _ => Message::from(""),
            })
            .collect();
        for message in &messages {
            for end in [&mut pair.client, &mut pair.server] {
                end.connection.send(message.clone(), || KEY).expect("it is open");
                end.connection.ping(|| KEY);
            }
        }
        pair.carry(step);
        assert_eq!(pair.client.messages, messages);
        assert_eq!(pair.server.messages, messages);
        assert!(pair.client.connection.take_pong() && pair.server.connection.take_pong());
    }
}
