//! The visits, by turns, and the table.

use std::time::Duration;

use crate::number;
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
    /// Of a shutdown in the middle of a burst, in milliseconds.
    shutdown: Vec<f64>,
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
    println!(
        "\n{} was shut down in the middle of a burst, {visits} times: all {connections} clients were \
         told 1001, the last was at its end after {:.0} ms, and no peer, task or socket was left.",
        NAMES[0],
        median(&mut found[0].shutdown),
    );
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
    if name == NAMES[0] {
        found.shutdown.push(shut_down(&mut server, &mut client, connections)?);
    }
    Ok(())
}

/// This crate's server shuts down in the middle of a burst. Every client has to be told 1001, and
/// nothing may be left over. Until the last client was at its end, in milliseconds.
fn shut_down(
    server: &mut Program,
    client: &mut Program,
    connections: usize,
) -> std::io::Result<f64> {
    client.say(&format!("leave {BURST} {SIZE}"))?;
    assert_eq!(client.line()?, "publishing");
    server.say("shutdown")?;
    let (left, ended) = (server.line()?, client.line()?);
    let (told, micros) = ended.split_once(' ').expect("a number of clients, and a time");
    assert_eq!(number(told), connections, "every client is told 1001");
    let expected = format!("closed {connections}, cut off 0, told 1001 {connections}, ");
    assert_eq!(left, expected + "peers 0, tasks 0, sockets 0", "nothing is left over");
    Ok(micros.parse::<f64>().expect("a number") / 1e3)
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
