//! The visits, by turns, and the table.

use std::time::Duration;

use crate::process::Program;
use crate::servers::NAMES;

/// Rounds of one message, and of a burst.
const SINGLE: usize = 30;
const BURSTS: usize = 6;
const BURST: usize = 20;
const SIZE: usize = 64;

/// What each visit found.
#[derive(Default)]
struct Found {
    /// Deliveries a second, of a burst.
    rate: Vec<f64>,
    /// Processor time of the server a delivery, in a burst, in microseconds.
    cpu: Vec<f64>,
    /// Of one message, in milliseconds: until the last connection had it, and from the first to it.
    last: Vec<f64>,
    spread: Vec<f64>,
    /// Of an idle connection, in bytes.
    memory: Vec<f64>,
}

pub fn run(connections: usize, visits: usize) -> std::io::Result<()> {
    check_descriptors(connections);
    let mut found: [Found; NAMES.len()] = Default::default();
    for visit in 0..visits {
        for turn in 0..NAMES.len() {
            // The order changes, so that nobody always follows the same other.
            let at = (turn + visit) % NAMES.len();
            let at = if visit % 2 == 0 { at } else { NAMES.len() - 1 - at };
            eprintln!("visit {} of {visits}: {}", visit + 1, NAMES[at]);
            self::visit(NAMES[at], connections, &mut found[at])?;
        }
    }
    println!(
        "{connections} connections on loopback, messages of {SIZE} bytes, medians of {visits} visits:\n"
    );
    println!(
        "| | deliveries/s in bursts | CPU of the server a delivery | one message: last arrival | first to last | idle connection, resident |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    for (name, found) in NAMES.iter().zip(&mut found) {
        println!(
            "| {name} | {:.0} | {:.2} µs | {:.1} ms | {:.1} ms | {:.1} kB |",
            median(&mut found.rate),
            median(&mut found.cpu),
            median(&mut found.last),
            median(&mut found.spread),
            median(&mut found.memory) / 1000.0,
        );
    }
    Ok(())
}

fn visit(name: &str, connections: usize, found: &mut Found) -> std::io::Result<()> {
    let mut server = Program::start(&["server", name])?;
    let address = server.line()?;
    let before = server.resident();
    let mut client = Program::start(&["client", &address, &connections.to_string()])?;
    assert_eq!(client.line()?, "ready");
    std::thread::sleep(Duration::from_secs(1));
    found.memory.push((server.resident() - before) / connections as f64);

    let mut round = |count: usize| -> std::io::Result<Vec<f64>> {
        client.say(&format!("{count} {SIZE}"))?;
        let line = client.line()?;
        Ok(line.split(' ').map(|micros| micros.parse().expect("a number")).collect())
    };
    for _ in 0..5 {
        round(1)?;
    }
    for _ in 0..SINGLE {
        let took = round(1)?;
        found.last.push(took[3] / 1e3);
        found.spread.push((took[3] - took[0]) / 1e3);
    }
    let before = server.cpu();
    for _ in 0..BURSTS {
        let took = round(BURST)?;
        found.rate.push((BURST * connections) as f64 / (took[3] / 1e6));
    }
    found.cpu.push((server.cpu() - before) * 1e6 / (BURSTS * BURST * connections) as f64);
    Ok(())
}

fn check_descriptors(connections: usize) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it writes to `limit`, which is there.
    let read = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    let needed = connections as u64 + 100;
    assert!(
        read == 0 && limit.rlim_cur >= needed,
        "{connections} connections need `ulimit -n {needed}`; it is {}",
        limit.rlim_cur
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
