//! What an idle connection keeps: live heap and growth of the resident set, its task included, one
//! second after it echoed its last message.
//!
//! Each figure comes from a process of its own, which holds one role's ends only. Their transport
//! is made before, and is in memory, so that neither sockets nor pipes count, and no limit of open
//! files is met.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::contender::{Contender, End, Role};
use crate::form::Form;
use crate::heap;
use crate::payload::Content;
use crate::script::Script;

/// How many messages each connection echoes before it rests.
const MESSAGES: u64 = 8;

/// How long after its last message a connection is measured.
const REST: Duration = Duration::from_secs(1);

/// After this the answers will not come any more.
const LIMIT: Duration = Duration::from_secs(60);

static ANSWERED: AtomicU64 = AtomicU64::new(0);

/// Bytes for each connection.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    pub heap: i64,
    pub resident: i64,
    /// What stays resident when glibc is made to give back all that it can.
    pub trimmed: i64,
}

/// Measures `connections` whose ends in `role` have echoed messages of `size` bytes.
///
/// To be called once in a process: what was there before is in the resident set already.
pub fn measure<F: Form>(role: Role, size: usize, connections: usize) -> Use {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let frame = frame::<F::Of>(role, size);
    runtime.block_on(async {
        // Code, thread-locals and the runtime's own memory are there before the first figure is
        // taken.
        let rehearsal = vec![Script::default()];
        open::<F>(role, &rehearsal).await;
        echo(&rehearsal, frame).await;
        sleep(REST).await;

        let scripts: Vec<_> = (0..connections).map(|_| Script::default()).collect();
        let (live, resident) = (heap::live(), heap::resident());
        open::<F>(role, &scripts).await;
        echo(&scripts, frame).await;
        sleep(REST).await;
        let each = |bytes: i64| bytes / connections as i64;
        let resident = |now: i64| each(now - resident);
        Use {
            heap: each(heap::live() - live),
            resident: resident(heap::resident()),
            trimmed: resident(heap::trimmed()),
        }
    })
}

/// What the other end sends, for as long as the process lives.
fn frame<C: Contender>(role: Role, size: usize) -> &'static [u8] {
    let other = match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    };
    let mut frame = Vec::new();
    let content = Content::Binary;
    C::frame(other, content.kind(), &content.make(size), [0x37, 0xfa, 0x21, 0x3d], &mut frame);
    frame.leak()
}

async fn open<F: Form>(role: Role, scripts: &[Script]) {
    for script in scripts.iter().cloned() {
        match role {
            Role::Client => drop(tokio::spawn(answer(F::client(script).await))),
            Role::Server => drop(tokio::spawn(answer(F::server(script).await))),
        }
    }
}

async fn answer<E: End>(mut end: E) {
    while end.echo(1).await.is_ok() {
        ANSWERED.fetch_add(1, Relaxed);
    }
}

async fn echo(scripts: &[Script], frame: &'static [u8]) {
    for _ in 0..MESSAGES {
        let goal = ANSWERED.load(Relaxed) + scripts.len() as u64;
        for script in scripts {
            script.play(frame);
        }
        let answers = async {
            while ANSWERED.load(Relaxed) < goal {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, answers).await.expect("every connection answers");
    }
}
