//! Receiving alone: a server reads masked frames, made before, from memory that is never pending.
//! CPU time.

use std::hint::black_box;

use super::{Load, one_thread, warm_up};
use crate::clock::{self, Cost};
use crate::contender::{Contender, Receiver, Role};
use crate::form::Form;
use crate::transport::Tape;

/// About how many bytes of frames are made before they repeat.
const TAPE: usize = 256 << 10;

/// Measures `messages` that own their payloads.
pub fn owned<F: Form>(load: Load, messages: u64) -> Cost {
    sample::<F>(load, messages, async |server, count| {
        for _ in 0..count {
            let message = server.next().await.expect("the tape has no end");
            black_box(message);
        }
    })
}

/// Measures `messages` shown where they lie in the read buffer.
pub fn lent<F: Form>(load: Load, messages: u64) -> Cost {
    sample::<F>(load, messages, async |server, count| {
        for _ in 0..count {
            server
                .recv_lent(|kind, payload| {
                    black_box((kind, payload));
                })
                .await
                .expect("the tape has no end");
        }
    })
}

fn sample<F: Form>(
    load: Load,
    messages: u64,
    take: impl AsyncFn(&mut F::Server<Tape>, u64),
) -> Cost {
    let runtime = one_thread();
    let mut server = runtime.block_on(F::server(Tape::new(frames::<F::Of>(load))));
    runtime.block_on(take(&mut server, warm_up(messages)));
    clock::cpu(|| runtime.block_on(take(&mut server, messages)))
}

/// Whole frames with as many keys.
fn frames<C: Contender>(load: Load) -> Vec<u8> {
    let payload = load.content.make(load.size);
    let mut frames = Vec::new();
    let mut key = 0x9e37_79b9_u32;
    while frames.len() < TAPE {
        key = key.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        C::frame(Role::Client, load.content.kind(), &payload, key.to_be_bytes(), &mut frames);
    }
    frames
}
