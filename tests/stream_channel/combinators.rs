//! What makes a channel of one channel or of two.

use std::task::Poll;

use futures::{SinkExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::StreamChannelExt;
use ws_channel::stream_channel::{Closed, Duplex, SinkHalf, StreamHalf, duplex};

use crate::support::{Tasks, UNLUCKY, bare, now, run};

#[test]
fn a_pipe_carries_both_ways_and_hands_on_the_end() {
    let ((mut near, one), (other, mut far)) = (duplex(1), duplex(1));
    let mut tasks = Tasks::default();
    tasks.spawn(async { one.pipe(other).await.unwrap() });
    tasks.spawn(async move {
        for n in 0..5 {
            near.send(n).await.unwrap();
        }
        assert_eq!(near.next().await, Some(Ok(10)));
        near.close().await.unwrap();
    });
    tasks.spawn(async move {
        for n in 0..5 {
            assert_eq!(far.next().await, Some(Ok(n)));
        }
        far.send(10).await.unwrap();
        assert_eq!(far.next().await, None);
        assert_eq!(far.send(11).await, Err(Closed::Ended));
    });
    tasks.run();
}

#[test]
fn a_pipe_flushes_what_it_carried_when_no_more_comes() {
    let ((mut near, one), (other, mut far)) = (duplex(8), bare());
    let other = other.change_sink(|sink| sink.buffer(8));
    let one = one.sink_map_err(std::io::Error::from).map(|item| item.map_err(Into::into));
    let mut tasks = Tasks::default();
    tasks.spawn(async { one.pipe(other).await.unwrap() });
    run(near.send(1)).unwrap();
    assert_eq!(tasks.turn(), 1);
    assert_eq!(far.arrived(), (vec![1], false));
    far.end();
    tasks.run();
    assert!(matches!(now(&mut near), Poll::Ready(None)));
}

#[test]
fn a_pipe_ends_with_the_first_error_after_closing_both() {
    let ((one, mut near), (other, mut far)) = (bare(), bare());
    near.feed(1);
    near.feed(UNLUCKY);
    near.feed(2);
    let error = run(one.pipe(other)).unwrap_err();
    assert_eq!(error.to_string(), "unlucky");
    assert_eq!(far.arrived(), (vec![1], true));
    assert_eq!(near.arrived(), (vec![], true));
}

#[test]
fn a_pipe_ends_with_an_error_of_a_stream() {
    let ((one, near), (other, mut far)) = (bare(), bare());
    near.feed.unbounded_send(Err(std::io::Error::other("bad item"))).unwrap();
    assert_eq!(run(one.pipe(other)).unwrap_err().to_string(), "bad item");
    assert_eq!(far.arrived(), (vec![], true));
}

#[test]
fn a_pipe_that_always_has_something_to_do_lets_others_run() {
    let ((one, near), (other, mut far)) = (bare(), bare());
    for n in 20..=220 {
        near.feed(n);
    }
    let mut pipe = Box::pin(one.pipe(other));
    let flag = crate::support::Flag::new();
    assert!(crate::support::poll(&flag, |cx| pipe.as_mut().poll(cx)).is_pending());
    assert!(flag.take(), "it asked for another turn");
    let carried = far.arrived().0.len();
    assert!((1..201).contains(&carried), "{carried} items in one turn");
}

/// Letters and their numbers.
fn letters(channel: Duplex<u8>) -> impl ws_channel::StreamChannel<char, Error = Closed> + Unpin {
    channel.map_channel(char::from, |c| u8::try_from(c).unwrap_or(b'?'))
}

#[test]
fn a_transformer_makes_another_channel_both_ways() {
    let (near, mut far) = duplex(4);
    let mut near = near.transform(&letters);
    run(async {
        near.send('a').await?;
        assert_eq!(far.next().await, Some(Ok(97)));
        far.send(98).await?;
        assert_eq!(near.next().await, Some(Ok('b')));
        near.close().await?;
        assert_eq!(far.next().await, None);
        assert_eq!(near.next().await, None);
        Ok::<_, Closed>(())
    })
    .unwrap();
}

#[test]
fn transform_stream_leaves_the_sink_as_it_is() {
    let (near, mut far) = duplex(4);
    let add = |stream: StreamHalf<Duplex<u8>>| stream.map(|n| Ok(n? + 1));
    let mut near = near.transform_stream(&add);
    run(async {
        near.send(1).await?;
        assert_eq!(far.next().await, Some(Ok(1)));
        far.send(1).await?;
        assert_eq!(near.next().await, Some(Ok(2)));
        near.close().await?;
        assert_eq!(far.next().await, None);
        Ok::<_, Closed>(())
    })
    .unwrap();
}

#[test]
fn transform_sink_leaves_the_stream_as_it_is() {
    let (near, mut far) = duplex(4);
    let add = |sink: SinkHalf<Duplex<u8>>| sink.with(|n: u8| std::future::ready(Ok(n + 1)));
    let mut near = near.transform_sink(&add);
    run(async {
        near.send(1).await?;
        assert_eq!(far.next().await, Some(Ok(2)));
        far.send(1).await?;
        assert_eq!(near.next().await, Some(Ok(1)));
        near.close().await?;
        assert_eq!(far.next().await, None);
        Ok::<_, Closed>(())
    })
    .unwrap();
}

#[test]
fn change_stream_leaves_the_sink_as_it_is() {
    let (near, mut far) = duplex(4);
    let once = String::from("used once");
    let mut near = near.change_stream(move |stream| stream.map(move |n| Ok(n? + once.len())));
    run(async {
        near.send(1).await?;
        assert_eq!(far.next().await, Some(Ok(1)));
        far.send(1).await?;
        assert_eq!(near.next().await, Some(Ok(10)));
        near.close().await?;
        assert_eq!(near.next().await, None);
        assert_eq!(far.next().await, None);
        Ok::<_, Closed>(())
    })
    .unwrap();
}

#[test]
fn change_sink_leaves_the_stream_as_it_is() {
    let (near, mut far) = duplex(4);
    let mut near =
        near.change_sink(|sink| sink.with_flat_map(|n| futures::stream::iter([Ok(n), Ok(n)])));
    run(async {
        near.send(1).await?;
        assert_eq!(far.next().await, Some(Ok(1)));
        assert_eq!(far.next().await, Some(Ok(1)));
        far.send(2).await?;
        assert_eq!(near.next().await, Some(Ok(2)));
        near.close().await?;
        assert_eq!(far.next().await, None);
        Ok::<_, Closed>(())
    })
    .unwrap();
}

#[test]
fn whatever_is_a_stream_and_a_sink_has_the_methods() {
    let (near, mut far) = duplex::<u8>(4);
    // Adapters of futures, which know nothing of channels.
    let channel = near.sink_map_err(std::io::Error::from).map(|item| Ok(item?));
    let mut channel = channel.with_guarantees().boxed_channel();
    run(channel.send(1)).unwrap();
    assert_eq!(now(&mut far), Poll::Ready(Some(Ok(1))));
}

#[test]
fn what_cannot_be_decoded_is_an_item_and_what_cannot_be_encoded_an_error_of_the_send() {
    let (near, mut far) = duplex::<String>(4);
    let mut near = near.try_map_channel(
        |text| text.parse::<u8>().map_err(std::io::Error::other),
        |n| if n == UNLUCKY { Err(std::io::Error::other("unlucky")) } else { Ok(n.to_string()) },
    );
    run(async {
        far.send("x".into()).await.unwrap();
        far.send("1".into()).await.unwrap();
        assert!(near.next().await.unwrap().is_err());
        assert_eq!(near.next().await.unwrap().unwrap(), 1);
        assert_eq!(near.send(UNLUCKY).await.unwrap_err().to_string(), "unlucky");
        near.send(2).await.unwrap();
        assert_eq!(far.next().await, Some(Ok("2".to_owned())));
    });
}
