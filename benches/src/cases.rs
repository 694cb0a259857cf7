//! The workloads and their cases, in the order of the tables.

use crate::{
    contenders::ALL,
    entry::{Entry, Sample},
    payload::Content::{self, Ascii, Binary, Mixed},
    rounds::{Case, Contestant, Workload},
    workloads::{Load, size, tcp::Traffic},
};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Everything that is a race. Memory and counts are told apart in `solo`.
pub fn all() -> Vec<Workload> {
    let nanoseconds = ("ns of CPU time", 1.0);
    let microseconds = ("µs of wall time", 1e3);
    let in_memory = |title, cases| Workload { title, unit: nanoseconds, cases, patience: 1 };
    vec![
        in_memory("ping-pong", loads(&pingpong(), |entry| Some(entry.pingpong))),
        in_memory("client to server", loads(&up(), |entry| Some(entry.up))),
        in_memory("server to client", loads(&sizes(), |entry| Some(entry.down))),
        in_memory("receive alone, owned", loads(&sizes(), |entry| Some(entry.receive))),
        in_memory("receive alone, borrowed", loads(&sizes(), |entry| entry.receive_lent)),
        in_memory("send alone", loads(&sizes(), |entry| Some(entry.send))),
        Workload {
            title: "TCP echo, whole",
            unit: microseconds,
            cases: tcp(|entry| entry.tcp),
            patience: 3,
        },
        Workload {
            title: "TCP echo, split",
            unit: microseconds,
            cases: tcp(|entry| entry.tcp_split),
            patience: 3,
        },
    ]
}

fn load(content: Content, size: usize) -> Load {
    Load { content, size }
}

fn pingpong() -> Vec<Load> {
    let mut loads = Vec::new();
    for size in [16, 125, KIB, 16 * KIB, 64 * KIB, MIB] {
        loads.extend([load(Binary, size), load(Ascii, size)]);
    }
    loads.extend([load(Mixed, KIB), load(Mixed, 16 * KIB)]);
    loads
}

fn sizes() -> Vec<Load> {
    [16, 128, KIB, 16 * KIB, 64 * KIB, MIB].map(|size| load(Binary, size)).to_vec()
}

fn up() -> Vec<Load> {
    let mut loads = sizes();
    loads.extend([load(Ascii, KIB), load(Ascii, 64 * KIB)]);
    loads
}

fn loads(loads: &[Load], sample: impl Fn(&Entry) -> Option<Sample>) -> Vec<Case> {
    let case = |load: Load| Case {
        name: load.name(),
        contestants: ALL
            .iter()
            .filter_map(|entry| {
                let sample = sample(entry)?;
                Some(Contestant {
                    name: entry.name.to_owned(),
                    run: Box::new(move |count| sample(load, count)),
                })
            })
            .collect(),
    };
    loads.iter().copied().map(case).collect()
}

fn tcp(sample: impl Fn(&Entry) -> fn(Traffic, Load, u64) -> crate::clock::Cost) -> Vec<Case> {
    let mut cases = Vec::new();
    for traffic in [(1, 1), (1, 32), (64, 1), (64, 32)] {
        let traffic = Traffic { connections: traffic.0, in_flight: traffic.1 };
        for bytes in [32, KIB, 64 * KIB] {
            let load = load(Binary, bytes);
            let contestant = |entry: &Entry| {
                let sample = sample(entry);
                let run = Box::new(move |count| sample(traffic, load, count));
                Contestant { name: entry.name.to_owned(), run }
            };
            cases.push(Case {
                name: format!("{}c ×{} {}", traffic.connections, traffic.in_flight, size(bytes)),
                contestants: ALL.iter().map(contestant).collect(),
            });
        }
    }
    cases
}
