//! The same between threads.

#![cfg(not(target_family = "wasm"))]

use futures::{SinkExt, StreamExt};
use ws_channel::stream_channel::duplex;

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
