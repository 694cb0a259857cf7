//! That every byte arrives, what it costs, and what goes over the wire.

use std::hint::black_box;

use futures_util::future::join;
use tokio::io::AsyncReadExt;

use super::{Squeezer, Terms, json};
use crate::clock::{self, Cost};
use crate::contender::{Kind, Receiver, Sender};
use crate::workloads::{PIPE, one_thread, warm_up};

/// Checks that `Q` carries every byte both ways, and that its messages are compressed.
///
/// # Panics
///
/// If a message is lost or is not what was sent.
pub fn check<Q: Squeezer>(terms: Terms) {
    one_thread().block_on(async {
        let (near, far) = tokio::io::duplex(61);
        let (mut client, mut server) = (Q::client(near, terms), Q::server(far, terms));
        for bytes in [100, 1 << 10, 70_000] {
            let messages = &json::messages(bytes)[..3];
            join(give(&mut client, messages), same(&mut server, messages)).await;
            join(give(&mut server, messages), same(&mut client, messages)).await;
        }
    });
    let wire = wire::<Q>(terms, 1 << 10);
    assert!(wire < 700.0, "{}: {wire} bytes on the wire, {terms:?}", Q::NAME);
}

async fn give<T: Sender>(sender: &mut T, messages: &[Vec<u8>]) {
    for message in messages {
        sender.send(&T::item(Kind::Text, message)).await.expect("the receiver is there");
    }
}

async fn same<R: Receiver>(receiver: &mut R, messages: &[Vec<u8>]) {
    for message in messages {
        let received = receiver.next().await.expect("the sender is there");
        assert!(R::look(&received) == (Kind::Text, message), "{} other bytes", message.len());
    }
}

/// Measures `count` messages from server to client, both ends together.
pub fn down<Q: Squeezer>(terms: Terms, size: usize, count: u64) -> Cost {
    let runtime = one_thread();
    let (near, far) = tokio::io::duplex(PIPE);
    let (mut client, mut server) =
        runtime.block_on(async { (Q::client(near, terms), Q::server(far, terms)) });
    let items = items(&server, size);
    let mut run = |count| {
        runtime.block_on(join(feed(&mut server, &items, count), take(&mut client, count)));
    };
    run(warm_up(count));
    clock::cpu(|| run(count))
}

fn items<T: Sender>(_: &T, size: usize) -> Vec<T::Item> {
    json::messages(size).iter().map(|message| T::item(Kind::Text, message)).collect()
}

async fn feed<T: Sender>(sender: &mut T, items: &[T::Item], count: u64) {
    for item in items.iter().cycle().take(count as usize) {
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

/// How many bytes a message takes on its way from the server, headers included.
pub fn wire<Q: Squeezer>(terms: Terms, size: usize) -> f64 {
    one_thread().block_on(async {
        let (mut near, far) = tokio::io::duplex(PIPE);
        let mut server = Q::server(far, terms);
        let items = items(&server, size);
        let send = async move {
            feed(&mut server, &items, items.len() as u64).await;
            items.len()
            // The server is dropped here, which ends the pipe.
        };
        let count = async {
            let mut buffer = vec![0; PIPE];
            let mut total = 0;
            while let Ok(n @ 1..) = near.read(&mut buffer).await {
                total += n;
            }
            total
        };
        let (messages, bytes) = join(send, count).await;
        bytes as f64 / messages as f64
    })
}
