//! What an idle server keeps after some compressed messages each way; like `crate::memory`.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::sleep;

use super::{Squeezer, Terms, json};
use crate::contender::{Kind, Receiver, Sender};
use crate::heap;
use crate::memory::Use;
use crate::script::Script;
use crate::workloads::one_thread;

/// How many messages each connection answers before it rests.
const MESSAGES: u64 = 8;

/// How long after its last message a connection is measured.
const REST: Duration = Duration::from_secs(1);

static ANSWERED: AtomicU64 = AtomicU64::new(0);

/// Measures `connections` servers that answered messages of `size` bytes; once in a process.
pub fn measure<Q: Squeezer>(terms: Terms, size: usize, connections: usize) -> Use {
    heap::count();
    one_thread().block_on(async {
        let message = &*json::messages(size).swap_remove(0).leak();
        let frame = frame::<Q>(terms, message).await.leak();
        // Code, thread-locals and the runtime's own memory are there before the first figure.
        serve::<Q>(&[Script::default()], terms, message, frame).await;

        let scripts: Vec<_> = (0..connections).map(|_| Script::default()).collect();
        let (live, resident) = (heap::live(), heap::resident());
        serve::<Q>(&scripts, terms, message, frame).await;
        let each = |bytes: i64| bytes / connections as i64;
        Use {
            heap: each(heap::live() - live),
            resident: each(heap::resident() - resident),
            trimmed: each(heap::trimmed() - resident),
        }
    })
}

/// What the client sends first: it refers to nothing before, so it can be sent again.
async fn frame<Q: Squeezer>(terms: Terms, message: &[u8]) -> Vec<u8> {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let mut client = Q::client(near, terms);
    send(&mut client, message).await;
    drop(client);
    let mut frame = Vec::new();
    far.read_to_end(&mut frame).await.expect("a pipe has no errors");
    frame
}

async fn send<T: Sender>(sender: &mut T, message: &[u8]) {
    sender.send(&T::item(Kind::Text, message)).await.expect("there is room");
}

async fn serve<Q: Squeezer>(
    scripts: &[Script],
    terms: Terms,
    message: &'static [u8],
    frame: &'static [u8],
) {
    for script in scripts.iter().cloned() {
        drop(tokio::spawn(answer(Q::server(script, terms), message)));
    }
    for _ in 0..MESSAGES {
        let goal = ANSWERED.load(Relaxed) + scripts.len() as u64;
        for script in scripts {
            script.play(frame);
        }
        while ANSWERED.load(Relaxed) < goal {
            tokio::task::yield_now().await;
        }
    }
    sleep(REST).await;
}

async fn answer<E: Sender + Receiver>(mut end: E, message: &'static [u8]) {
    while end.recv(|_, payload| assert_eq!(payload.len(), message.len())).await.is_ok() {
        send(&mut end, message).await;
        ANSWERED.fetch_add(1, Relaxed);
    }
}
