//! `CodecChannel`, with codecs of tokio-util over a channel of bytes.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec, LinesCodec, LinesCodecError};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{Closed, CodecChannel, CodecError, Duplex, duplex};

use crate::support::run;

fn pair<U>(codec: U) -> (CodecChannel<Duplex<Bytes>, U>, Duplex<Bytes>) {
    let (near, far) = duplex(16);
    (CodecChannel::new(near, codec), far)
}

#[test]
fn an_item_may_come_in_several_pieces_and_several_in_one() {
    let (mut channel, mut far) = pair(LengthDelimitedCodec::new());
    run(async {
        for piece in ["\0\0", "\0\x02h", "i\0\0\0\x01a\0\0\0\0", "\0\0\0\x01b"] {
            far.send(piece.into()).await.unwrap();
        }
        far.close().await.unwrap();
        let items: Vec<_> = channel.by_ref().map(Result::unwrap).collect().await;
        assert_eq!(items, [&b"hi"[..], b"a", b"", b"b"]);
        assert!(channel.next().await.is_none());
    });
}

#[test]
fn an_item_that_goes_is_one_message() {
    let (mut channel, mut far) = pair(LinesCodec::new());
    run(async {
        channel.send("one").await.unwrap();
        channel.send(String::from("two")).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), "one\n");
        assert_eq!(far.next().await.unwrap().unwrap(), "two\n");
    });
}

#[test]
fn half_an_item_at_the_end_is_an_error_and_the_end() {
    let (mut channel, mut far) = pair(LengthDelimitedCodec::new());
    run(async {
        far.send("\0\0\0\x02h".into()).await.unwrap();
        far.close().await.unwrap();
        assert!(matches!(channel.next().await, Some(Err(CodecError::Codec(_)))));
        assert!(channel.next().await.is_none());
    });
}

#[test]
fn a_decoder_that_recovers_goes_on() {
    let (mut channel, mut far) = pair(LinesCodec::new_with_max_length(3));
    run(async {
        far.send("abcdef".into()).await.unwrap();
        far.send("gh\nok\n".into()).await.unwrap();
        let error = channel.next().await.unwrap().unwrap_err();
        assert!(matches!(error, CodecError::Codec(LinesCodecError::MaxLineLengthExceeded)));
        assert_eq!(channel.next().await.unwrap().unwrap(), "ok");
    });
}

/// Refuses everything, and encodes half of it.
struct Never;

impl Decoder for Never {
    type Item = ();
    type Error = io::Error;

    fn decode(&mut self, _: &mut BytesMut) -> io::Result<Option<()>> {
        Err(io::ErrorKind::InvalidData.into())
    }
}

impl Encoder<Bytes> for Never {
    type Error = io::Error;

    fn encode(&mut self, mut item: Bytes, into: &mut BytesMut) -> io::Result<()> {
        if item.is_empty() {
            return Ok(());
        }
        into.extend_from_slice(&item.split_to(1));
        if item.has_remaining() { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(()) }
    }
}

#[test]
fn a_decoder_that_always_fails_ends_the_stream() {
    let (channel, mut far) = pair(Never);
    run(async {
        far.send("x".into()).await.unwrap();
        assert_eq!(channel.map(|item| assert!(item.is_err())).count().await, 2);
    });
}

#[test]
fn an_item_that_cannot_be_encoded_is_an_error_of_the_send_and_nothing_goes() {
    let (mut channel, mut far) = pair(Never);
    run(async {
        assert!(matches!(channel.send("ab".into()).await, Err(CodecError::Codec(_))));
        channel.send("c".into()).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), "c");
        channel.close().await.unwrap();
        let late: Result<_, CodecError<_>> = channel.send("d".into()).await;
        assert!(matches!(late, Err(CodecError::Channel(Closed::Ended))), "{late:?}");
    });
}
