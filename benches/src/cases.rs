//! The workloads and their cases, in the order of the tables.

use crate::contenders::{ALL, FLOOR};
use crate::entry::{Entry, Sample};
use crate::payload::Content::{self, Ascii, Binary, Mixed};
use crate::report::{Base, Metric, SPLIT, Workload};
use crate::rounds::{Case, Contestant};
use crate::workloads::tcp::Traffic;
use crate::workloads::{Load, size};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

const CPU_NANOSECONDS: Metric = Metric { name: "ns of CPU time", unit: 1e-9, of: |cost| cost.cpu };
const CPU_MICROSECONDS: Metric =
    Metric { name: "µs of CPU time", unit: 1e-6, of: |cost| cost.cpu };
const WALL_MICROSECONDS: Metric =
    Metric { name: "µs of wall time", unit: 1e-6, of: |cost| cost.time };

/// Everything that is a race. Memory and counts are in `solo`.
pub fn all() -> Vec<Workload> {
    let in_memory = |title, cases| Workload {
        title,
        cases,
        metrics: &[CPU_NANOSECONDS],
        bases: &[Base::BestPeer],
        patience: 1,
    };
    vec![
        Workload {
            bases: &[Base::BestPeer, Base::Named(FLOOR), Base::Named("tungstenite-4k")],
            ..in_memory("ping-pong", loads(&pingpong(), |entry| vec![("", entry.pingpong)]))
        },
        in_memory("client to server", loads(&up(), |entry| vec![("", entry.up)])),
        in_memory("server to client", loads(&sizes(), |entry| vec![("", entry.down)])),
        in_memory("receive alone", loads(&sizes(), receive)),
        in_memory("send alone", loads(&sizes(), |entry| vec![("", entry.send)])),
        Workload {
            title: "TCP echo",
            cases: tcp(),
            metrics: &[WALL_MICROSECONDS, CPU_MICROSECONDS],
            bases: &[Base::BestPeer, Base::Whole],
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

fn receive(entry: &Entry) -> Vec<(&'static str, Sample)> {
    let lent = entry.receive_lent.map(|sample| (" (borrowed)", sample));
    [("", entry.receive)].into_iter().chain(lent).collect()
}

/// The cases of `loads`, in which each contender has the rows that `samples` gives: the ends of
/// their names, and how they are measured.
fn loads(loads: &[Load], samples: fn(&Entry) -> Vec<(&'static str, Sample)>) -> Vec<Case> {
    let case = |load: Load| Case {
        name: load.name(),
        contestants: ALL
            .iter()
            .flat_map(|entry| samples(entry).into_iter().map(move |sample| (entry.name, sample)))
            .map(|(name, (suffix, sample))| Contestant {
                name: format!("{name}{suffix}"),
                run: Box::new(move |count| sample(load, count)),
            })
            .collect(),
    };
    loads.iter().copied().map(case).collect()
}

fn tcp() -> Vec<Case> {
    let mut cases = Vec::new();
    for (connections, in_flight) in [(1, 1), (1, 32), (64, 1), (64, 32)] {
        for bytes in [32, KIB, 64 * KIB] {
            let traffic = Traffic { connections, in_flight };
            let load = load(Binary, bytes);
            let contestants = ALL.iter().flat_map(|entry| {
                [("", entry.tcp), (SPLIT, entry.tcp_split)].map(|(suffix, sample)| Contestant {
                    name: format!("{}{suffix}", entry.name),
                    run: Box::new(move |count| sample(traffic, load, count)),
                })
            });
            cases.push(Case {
                name: format!("{connections}c ×{in_flight} {}", size(bytes)),
                contestants: contestants.collect(),
            });
        }
    }
    cases
}
