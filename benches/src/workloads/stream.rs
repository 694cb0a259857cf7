//! A stream one way over a pipe in memory: the sender feeds, the pipe is the backpressure, the
//! receiver counts. One task, CPU time of both ends together.

use std::hint::black_box;

use futures_util::future::join;

use super::{Load, PIPE, one_thread, warm_up};
use crate::clock::{self, Cost};
use crate::contender::{Receiver, Sender};
use crate::form::Form;

/// Measures `messages` from client to server, masked.
pub fn up<F: Form>(load: Load, messages: u64) -> Cost {
    let (near, far) = tokio::io::duplex(PIPE);
    sample(load, messages, async { (F::client(near).await, F::server(far).await) })
}

/// Measures `messages` from server to client.
pub fn down<F: Form>(load: Load, messages: u64) -> Cost {
    let (near, far) = tokio::io::duplex(PIPE);
    sample(load, messages, async { (F::server(far).await, F::client(near).await) })
}

fn sample<T: Sender, R: Receiver>(
    load: Load,
    messages: u64,
    ends: impl Future<Output = (T, R)>,
) -> Cost {
    let runtime = one_thread();
    let item = T::item(load.content.kind(), &load.content.make(load.size));
    let (mut sender, mut receiver) = runtime.block_on(ends);
    let mut run = |count| {
        runtime.block_on(async {
            join(give(&mut sender, &item, count), take(&mut receiver, count)).await;
        });
    };
    run(warm_up(messages));
    clock::cpu(|| run(messages))
}

async fn give<T: Sender>(sender: &mut T, item: &T::Item, count: u64) {
    for _ in 0..count {
        sender.feed(item).await.expect("the receiver is there");
    }
    sender.flush().await.expect("the receiver is there");
}

async fn take<R: Receiver>(receiver: &mut R, count: u64) {
    for _ in 0..count {
        receiver
            .recv(|kind, payload| black_box((kind, payload.len())))
            .await
            .expect("the sender is there");
    }
}
