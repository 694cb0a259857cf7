//! `with_guarantees`, over a stream and a sink that know nothing of each other.

use std::io;
use std::task::Poll;

use futures::channel::mpsc;
use futures::{SinkExt, StreamExt, stream};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::StreamChannelExt;
use ws_channel::stream_channel::{Guarantees, join};

use crate::support::{Bare, Far, Flag, Tasks, UNLUCKY, bare, is_closed, now, poll, run};

fn guaranteed() -> (Guarantees<Bare>, Far) {
    let (channel, far) = bare();
    (channel.with_guarantees(), far)
}

#[test]
fn what_came_before_anybody_read_is_kept() {
    let (mut channel, far) = guaranteed();
    far.feed(1);
    far.feed(2);
    far.end();
    run(async {
        assert_eq!(channel.next().await.unwrap().unwrap(), 1);
        assert_eq!(channel.next().await.unwrap().unwrap(), 2);
        assert!(channel.next().await.is_none());
        assert!(channel.next().await.is_none(), "and stays over");
    });
}

#[test]
fn closing_the_sink_ends_the_stream_before_it_yields_more() {
    let (mut channel, mut far) = guaranteed();
    far.feed(1);
    far.feed(2);
    run(async {
        assert_eq!(channel.next().await.unwrap().unwrap(), 1);
        channel.close().await.unwrap();
        assert!(channel.next().await.is_none());
    });
    assert_eq!(far.arrived(), (vec![], true));
}

#[test]
fn closing_the_sink_wakes_a_reader_in_another_task() {
    let (channel, _far) = guaranteed();
    let (mut sink, mut stream) = channel.split();
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert!(stream.next().await.is_none()) });
    assert_eq!(tasks.turn(), 1);
    tasks.spawn(async move { sink.close().await.unwrap() });
    tasks.run();
}

#[test]
fn after_the_stream_ended_a_send_is_an_error_and_reaches_nobody() {
    let (mut channel, mut far) = guaranteed();
    far.end();
    run(async {
        assert!(channel.next().await.is_none());
        assert!(is_closed(&channel.send(1).await));
        assert!(is_closed(&channel.flush().await));
    });
    assert_eq!(far.arrived(), (vec![], true), "and the inner sink was closed");
}

#[test]
fn dropping_the_reading_half_has_no_effect_on_the_sink() {
    let (channel, mut far) = guaranteed();
    let (mut sink, stream) = channel.into_halves();
    drop(stream);
    run(async {
        sink.send(1).await.unwrap();
        sink.send(2).await.unwrap();
    });
    assert_eq!(far.arrived(), (vec![1, 2], false));
}

#[test]
fn a_sender_notices_the_end_though_nobody_reads() {
    let (channel, mut far) = guaranteed();
    let (mut sink, stream) = channel.into_halves();
    drop(stream);
    far.feed(1);
    far.end();
    assert!(is_closed(&run(sink.send(2))));
    assert_eq!(far.arrived(), (vec![], true));
    run(sink.close()).unwrap();
}

#[test]
fn an_error_item_is_handed_on_and_the_stream_goes_on() {
    let (mut channel, far) = guaranteed();
    far.feed.unbounded_send(Err(io::Error::other("bad item"))).unwrap();
    far.feed(1);
    run(async {
        assert_eq!(channel.next().await.unwrap().unwrap_err().to_string(), "bad item");
        assert_eq!(channel.next().await.unwrap().unwrap(), 1);
        channel.send(2).await.unwrap();
    });
}

#[test]
fn close_resolves_once_the_stream_has_ended() {
    let (mut channel, mut far) = guaranteed();
    far.end();
    run(async {
        assert!(channel.next().await.is_none());
        channel.close().await.unwrap();
        channel.close().await.unwrap();
    });
    assert_eq!(far.arrived(), (vec![], true));
}

#[test]
fn whatever_is_sent_after_close_is_an_error() {
    let (mut channel, mut far) = guaranteed();
    run(async {
        channel.close().await.unwrap();
        assert!(is_closed(&channel.send(1).await));
        assert!(is_closed(&channel.feed(1).await));
        assert!(is_closed(&channel.send_all(&mut stream::iter([Ok(1)])).await));
        channel.flush().await.unwrap();
        channel.close().await.unwrap();
    });
    assert_eq!(far.arrived(), (vec![], true));
}

#[test]
fn the_end_wakes_whoever_waits_for_room() {
    let (feed, coming) = mpsc::unbounded::<io::Result<u8>>();
    let (out, _sent) = mpsc::channel::<u8>(0);
    let channel = join(coming, out.sink_map_err(io::Error::other)).with_guarantees();
    let (mut sink, mut stream) = channel.split();
    run(sink.feed(1)).unwrap();
    run(sink.feed(2)).unwrap();
    let writer = Flag::new();
    assert!(poll(&writer, |cx| sink.poll_ready_unpin(cx)).is_pending());
    drop(feed);
    assert!(matches!(now(&mut stream), Poll::Ready(None)));
    assert!(writer.take(), "the writer was woken");
    assert!(matches!(poll(&writer, |cx| sink.poll_ready_unpin(cx)), Poll::Ready(Err(_))));
}

#[test]
fn an_error_of_the_sink_is_told_by_the_send_alone() {
    let (mut channel, far) = guaranteed();
    far.feed(1);
    run(async {
        assert_eq!(channel.send(UNLUCKY).await.unwrap_err().to_string(), "unlucky");
        assert!(channel.next().await.is_none(), "nothing of it");
        channel.close().await.unwrap();
    });
}

#[test]
fn an_error_of_the_sink_ends_the_stream() {
    let (channel, _far) = guaranteed();
    let (mut sink, mut stream) = channel.split();
    let reader = Flag::new();
    assert!(poll(&reader, |cx| stream.poll_next_unpin(cx)).is_pending());
    assert!(run(sink.send(UNLUCKY)).is_err());
    assert!(reader.take(), "the reader was woken");
    assert!(matches!(now(&mut stream), Poll::Ready(None)));
}

#[test]
fn an_error_of_the_sink_closes_the_inner_sink() {
    let (mut channel, mut far) = guaranteed();
    run(async {
        channel.send(1).await.unwrap();
        assert!(channel.send(UNLUCKY).await.is_err());
    });
    assert_eq!(far.arrived(), (vec![1], false));
    run(async { assert!(channel.next().await.is_none()) });
    assert_eq!(far.arrived(), (vec![], true));
}

#[test]
fn an_error_stops_send_all_and_what_is_sent_later_is_an_error() {
    let (mut channel, mut far) = guaranteed();
    run(async {
        let mut items = stream::iter([Ok(1), Ok(UNLUCKY), Ok(2)]);
        assert_eq!(channel.send_all(&mut items).await.unwrap_err().to_string(), "unlucky");
        assert!(is_closed(&channel.send(3).await));
        channel.close().await.unwrap();
    });
    assert_eq!(far.arrived(), (vec![1], true));
}
