//! `LinesChannel`, over a channel of bytes.

use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{Closed, Duplex, LinesChannel, LinesError, duplex};

use crate::support::run;

type Lines = LinesChannel<Duplex<Vec<u8>>>;

fn pair() -> (Lines, Duplex<Vec<u8>>) {
    let (near, far) = duplex(64);
    (LinesChannel::new(near), far)
}

/// What becomes of pieces: lines, and `Err` for what is none.
fn split(pieces: &[&[u8]]) -> Vec<Result<String, LinesError<Closed>>> {
    split_by(pair(), pieces)
}

fn split_by(
    (channel, mut far): (Lines, Duplex<Vec<u8>>),
    pieces: &[&[u8]],
) -> Vec<Result<String, LinesError<Closed>>> {
    run(async {
        for piece in pieces {
            far.send(piece.to_vec()).await.unwrap();
        }
        far.close().await.unwrap();
        channel.collect().await
    })
}

fn lines(pieces: &[&[u8]]) -> Vec<String> {
    split(pieces).into_iter().map(|line| line.expect("a line")).collect()
}

#[test]
fn a_line_ends_with_a_line_feed() {
    assert_eq!(lines(&[b"hello\n"]), ["hello"]);
}

#[test]
fn several_lines_may_come_in_one_piece() {
    assert_eq!(lines(&[b"one\ntwo\nthree\n"]), ["one", "two", "three"]);
}

#[test]
fn a_line_may_come_in_several_pieces() {
    assert_eq!(lines(&[b"he", b"", b"ll", b"o\n"]), ["hello"]);
}

#[test]
fn a_character_may_come_in_several_pieces() {
    let (first, second) = "grüße\n".as_bytes().split_at(3);
    assert_eq!(lines(&[first, second]), ["grüße"]);
}

#[test]
fn a_carriage_return_and_a_line_feed_are_one_end() {
    assert_eq!(
        lines(&[b"one\r\ntwo\r", b"\nthree\rfour\r\rfive\n"]),
        ["one", "two", "three", "four", "", "five"]
    );
}

/// The line is there before anybody knows whether a line feed follows.
#[test]
fn a_carriage_return_ends_a_line_at_once() {
    let (mut channel, mut far) = pair();
    run(async {
        far.send(b"one\r".to_vec()).await.unwrap();
        assert_eq!(channel.next().await.unwrap().unwrap(), "one");
    });
}

#[test]
fn what_has_no_line_end_is_a_line_at_the_end() {
    assert_eq!(lines(&[b"one\ntw", b"o"]), ["one", "two"]);
    assert_eq!(lines(&[b"one\n"]), ["one"]);
    assert_eq!(lines(&[]), [""; 0]);
}

#[test]
fn a_blank_line_is_a_line() {
    assert_eq!(lines(&[b"\none\n\n", b"\n"]), ["", "one", "", ""]);
}

#[test]
fn a_line_that_is_not_utf8_is_an_error_item_and_the_stream_goes_on() {
    let split = split(&[b"one\n\xff\xfe\nthree\n\xc3"]);
    assert!(matches!(
        &split[..],
        [Ok(one), Err(LinesError::NotUtf8), Ok(three), Err(LinesError::NotUtf8)]
            if one == "one" && three == "three"
    ));
}

#[test]
fn what_is_sent_gets_a_line_feed() {
    let (mut channel, mut far) = pair();
    run(async {
        for (line, bytes) in [("hello", &b"hello\n"[..]), ("", b"\n")] {
            channel.send(line.into()).await.unwrap();
            assert_eq!(far.next().await.unwrap().unwrap(), bytes);
        }
    });
}

#[test]
fn what_is_sent_is_utf8() {
    let (mut channel, mut far) = pair();
    run(async {
        channel.send("grüße 🎈".into()).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), "grüße 🎈\n".as_bytes());
    });
}

fn refused(line: &str) {
    let (mut channel, mut far) = pair();
    run(async {
        let refused = channel.send(line.into()).await;
        assert!(matches!(refused, Err(LinesError::LineBreak)), "{refused:?}");
        channel.send("next".into()).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), b"next\n");
    });
}

#[test]
fn a_line_feed_in_a_line_is_an_error_of_the_send_and_nothing_goes() {
    refused("two\nlines");
}

#[test]
fn a_carriage_return_in_a_line_is_an_error_of_the_send_and_nothing_goes() {
    refused("two\rlines");
}

#[test]
fn closing_closes_the_channel_below() {
    let (mut channel, mut far) = pair();
    run(async {
        channel.close().await.unwrap();
        assert!(far.next().await.is_none());
        let late = channel.send("late".into()).await;
        assert!(matches!(late, Err(LinesError::Channel(Closed::Ended))), "{late:?}");
    });
}

#[test]
fn a_line_that_is_too_long_is_one_error_item_and_passed_over() {
    let (near, far) = duplex(64);
    let channel = LinesChannel::new(near).max_length(5);
    let pieces: [&[u8]; 6] =
        [b"12345\r\n123456\nab", b"cdefg", b"hi", b"jk\r", b"\nok\n", b"1234567"];
    let split = split_by((channel, far), &pieces);
    let too_long = |line: &Result<_, _>| matches!(line, Err(LinesError::TooLong { limit: 5, .. }));
    assert_eq!(split.len(), 5);
    assert_eq!(split[0].as_deref().unwrap(), "12345");
    assert!(too_long(&split[1]) && too_long(&split[2]) && too_long(&split[4]), "{split:?}");
    assert_eq!(split[3].as_deref().unwrap(), "ok");
}

#[test]
fn however_bytes_are_cut_the_lines_are_the_same() {
    let text = "one\n\r\ntwo\rthree\r\n\ngrüße 🎈\r\r\nlast".as_bytes();
    let whole = lines(&[text]);
    assert_eq!(whole, ["one", "", "two", "three", "", "grüße 🎈", "", "last"]);
    for first in 0..text.len() {
        for second in first..text.len() {
            let cut = [&text[..first], &text[first..second], &text[second..]];
            assert_eq!(lines(&cut), whole, "cut at {first} and {second}");
        }
    }
}
