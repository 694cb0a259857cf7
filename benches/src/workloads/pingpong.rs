//! Ping-pong over a pipe in memory: one message there and back, then the next. Two tasks, one
//! thread, CPU time.

use std::hint::black_box;

use super::{Load, PIPE, one_thread, warm_up};
use crate::clock::{self, Cost};
use crate::contender::{End, Sender};
use crate::form::Form;

/// Measures `messages` round trips.
pub fn sample<F: Form>(load: Load, messages: u64) -> Cost {
    let runtime = one_thread();
    let (near, far) = tokio::io::duplex(PIPE);
    let item = <F::Client<tokio::io::DuplexStream> as Sender>::item(
        load.content.kind(),
        &load.content.make(load.size),
    );
    let mut client = runtime.block_on(async {
        let mut server = F::server(far).await;
        tokio::spawn(async move {
            // It ends when the client is gone.
            let _ = server.echo(u64::MAX).await;
        });
        F::client(near).await
    });
    let mut run = |count| runtime.block_on(exchange(&mut client, &item, count));
    run(warm_up(messages));
    clock::cpu(|| run(messages))
}

async fn exchange<E: End>(client: &mut E, item: &E::Item, count: u64) {
    for _ in 0..count {
        client.send(item).await.expect("the server is there");
        client
            .recv(|kind, payload| black_box((kind, payload.len())))
            .await
            .expect("the server answers");
    }
}
