//! The same between threads.

#![cfg(not(target_family = "wasm"))]

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::task::JoinSet;
use tokio::time::timeout;
use ws_channel::StreamChannelExt;
use ws_channel::stream_channel::{
    Closed, Completer, Disconnector, Duplex, Frame, MultiChannelBuilder, duplex,
};

/// What is never reached unless somebody is not woken.
const STUCK: Duration = Duration::from_secs(60);

async fn all(mut tasks: JoinSet<()>) {
    let ended = async {
        while let Some(task) = tasks.join_next().await {
            task.expect("a task does not panic");
        }
    };
    timeout(STUCK, ended).await.expect("every task is woken");
}

#[test]
fn the_ends_may_be_in_two_threads() {
    let (mut near, mut far) = duplex(2);
    let sum = std::thread::spawn(move || {
        futures::executor::block_on(async move {
            let mut sum = 0_u64;
            while let Some(n) = far.next().await {
                sum += n.unwrap();
            }
            sum
        })
    });
    futures::executor::block_on(async {
        for n in 0..10_000 {
            near.send(n).await.unwrap();
        }
        near.close().await.unwrap();
    });
    assert_eq!(sum.join().unwrap(), 49_995_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn virtual_channels_and_their_halves_may_be_in_many_tasks() {
    let (near, far) = duplex::<Frame<u32>>(3);
    // No reader falls behind so far that it would matter here.
    let builder = MultiChannelBuilder::default().buffer(100_000);
    let (near, far) = (builder.over(near), builder.over(far));
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let (one, other) = if n % 2 == 0 { (&near, &far) } else { (&far, &near) };
        let opened = one.open();
        let mut attached = other.attach(opened.id()).unwrap();
        let (mut sink, mut stream) = opened.into_halves();
        tasks.spawn(async move {
            for n in 0..500 {
                sink.send(n).await.unwrap();
            }
        });
        tasks.spawn(async move {
            for n in 0..500 {
                assert_eq!(stream.next().await, Some(Ok(n)));
            }
        });
        tasks.spawn(async move {
            for _ in 0..500 {
                let number = attached.next().await.unwrap().unwrap();
                attached.send(number).await.unwrap();
            }
            // The halves are dropped, and so is what was not closed.
            assert_eq!(attached.next().await, None);
        });
    }
    all(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn channels_may_be_completed_and_disconnected_from_other_threads() {
    let mut tasks = JoinSet::new();
    for _ in 0..300 {
        let disconnector = Disconnector::new();
        let (completer, channel) = Completer::<Duplex<u32>, Closed>::new(2);
        let (mut sink, mut stream) = channel.transform(&disconnector).into_halves();
        let (below, mut far) = duplex(1);
        tasks.spawn(async move { completer.complete(below) });
        tasks.spawn(async move {
            // Until it is disconnected.
            while sink.send(1).await.is_ok() {}
        });
        tasks.spawn(async move {
            while let Some(number) = stream.next().await {
                assert_eq!(number, Ok(2));
            }
        });
        tasks.spawn(async move {
            for _ in 0..10 {
                assert_eq!(far.next().await, Some(Ok(1)));
                far.send(2).await.unwrap();
            }
            disconnector.disconnect().await;
            while far.next().await.is_some() {}
        });
    }
    all(tasks).await;
}
