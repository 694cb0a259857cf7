//! Sending alone: a client feeds masked messages to a transport that takes everything and keeps
//! nothing. CPU time.

use super::{Load, one_thread, warm_up};
use crate::clock::{self, Cost};
use crate::contender::Sender;
use crate::form::Form;
use crate::transport::Tape;

/// Measures `messages`.
pub fn sample<F: Form>(load: Load, messages: u64) -> Cost {
    let runtime = one_thread();
    let item =
        <F::Client<Tape> as Sender>::item(load.content.kind(), &load.content.make(load.size));
    let mut client = runtime.block_on(F::client(Tape::blank()));
    let mut run = |count| runtime.block_on(give(&mut client, &item, count));
    run(warm_up(messages));
    clock::cpu(|| run(messages))
}

async fn give<T: Sender>(sender: &mut T, item: &T::Item, count: u64) {
    for _ in 0..count {
        sender.feed(item).await.expect("the transport takes everything");
    }
    sender.flush().await.expect("the transport takes everything");
}
