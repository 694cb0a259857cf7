//! `with_close_guarantee`, through adapters that let items through late.

use std::task::Poll;

use futures::future::ready;
use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::StreamChannelExt;
use ws_channel::stream_channel::BoxStreamChannel;

use crate::support::{Far, Flag, Tasks, bare, now, poll, run};

/// Ten adapters of each half, of which each holds an item.
fn layered() -> (BoxStreamChannel<u8, std::io::Error>, Far) {
    let (channel, far) = bare();
    let mut channel = channel.boxed_channel();
    for _ in 0..10 {
        channel = channel
            .change_stream(|stream| stream.map(ready).buffered(1))
            .change_sink(|sink| sink.buffer(1))
            .boxed_channel();
    }
    (channel, far)
}

#[test]
fn through_ten_layers_closing_ends_the_stream() {
    let (mut channel, mut far) = layered();
    run(async {
        far.feed(1);
        assert_eq!(channel.next().await.unwrap().unwrap(), 1);
        far.feed(2);
        far.feed(3);
        channel.send(4).await.unwrap();
        channel.close().await.unwrap();
        assert!(channel.next().await.is_none());
    });
    assert_eq!(far.arrived(), (vec![4], true));
}

#[test]
fn through_ten_layers_closing_before_any_item_gives_only_the_end() {
    let (mut channel, mut far) = layered();
    far.feed(1);
    run(channel.close()).unwrap();
    assert!(matches!(now(&mut channel), Poll::Ready(None)));
    assert_eq!(far.arrived(), (vec![], true));
}

#[test]
fn closing_wakes_a_reader_in_another_task() {
    let (channel, _far) = bare();
    let (mut sink, mut stream) = channel.with_close_guarantee().split();
    let mut tasks = Tasks::default();
    tasks.spawn(async move { assert!(stream.next().await.is_none()) });
    assert_eq!(tasks.turn(), 1);
    tasks.spawn(async move { sink.close().await.unwrap() });
    tasks.run();
}

#[test]
fn without_it_a_bare_channel_goes_on_after_its_sink_was_closed() {
    let (mut channel, far) = bare();
    run(channel.close()).unwrap();
    assert!(poll(&Flag::new(), |cx| channel.poll_next_unpin(cx)).is_pending());
    far.feed(1);
    assert!(matches!(now(&mut channel), Poll::Ready(Some(Ok(1)))));
}
