//! Messages that are prepared for many.

use super::*;

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
