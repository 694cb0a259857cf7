//! What is measured in processes of its own, one contender each: memory, instructions, allocations.
//!
//! The program starts itself with [`COMMAND`] and the name of what to measure, and reads the
//! numbers that it prints.

use std::process::{Child, Command, Output, Stdio};
use std::{env, io};

use crate::contender::Role;
use crate::contenders::ALL;
#[cfg(feature = "deflate")]
use crate::deflate;
use crate::entry::{Entry, Sample};
use crate::options::Options;
use crate::payload::Content;
use crate::table::{Table, number};
use crate::workloads::{Load, size};
use crate::{heap, luck};

/// The first argument of such a process.
pub const COMMAND: &str = "solo";

/// What such a process does: `solo memory NAME ROLE SIZE CONNECTIONS` or `solo count NAME WORKLOAD
/// MESSAGES [heap]`.
///
/// # Errors
///
/// If the arguments are not those.
pub fn child(arguments: &[String]) -> Result<(), String> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let entry = |name: &str| {
        ALL.iter().find(|entry| entry.name == name).ok_or(format!("there is no {name}"))
    };
    let parse = |text: &str| text.parse::<usize>().map_err(|_| format!("{text} is not a number"));
    match arguments[..] {
        ["memory", name, role, size, connections] => {
            let role = if role == "client" { Role::Client } else { Role::Server };
            heap::count();
            let used = (entry(name)?.memory)(role, parse(size)?, parse(connections)?);
            println!("{} {} {}", used.heap, used.resident, used.trimmed);
        }
        ["count", name, workload, messages, ref heap @ ..] => {
            luck::keep_freed();
            if !heap.is_empty() {
                heap::count();
            }
            let sample = sample(entry(name)?, workload)
                .ok_or(format!("there is no {workload} for {name}"))?;
            let cost =
                sample(Load { content: Content::Binary, size: COUNTED }, parse(messages)? as u64);
            println!("{}", cost.allocations);
        }
        #[cfg(feature = "deflate")]
        [deflate::SOLO, ref rest @ ..] => deflate::child(rest)?,
        _ => return Err("solo has other arguments".to_owned()),
    }
    Ok(())
}

/// Bytes of the messages whose instructions and allocations are counted.
const COUNTED: usize = 128;

/// The workloads that are counted, each with the two numbers of messages whose difference is taken.
const COUNTS: [(&str, [u64; 2]); 6] = [
    ("ping-pong", [100, 600]),
    ("client to server", [1000, 6000]),
    ("server to client", [1000, 6000]),
    ("receive alone, owned", [1000, 6000]),
    ("receive alone, borrowed", [1000, 6000]),
    ("send alone, client", [1000, 6000]),
];

fn sample(entry: &Entry, workload: &str) -> Option<Sample> {
    match workload {
        "ping-pong" => Some(entry.pingpong),
        "client to server" => Some(entry.up),
        "server to client" => Some(entry.down),
        "receive alone, owned" => Some(entry.receive),
        "receive alone, borrowed" => entry.receive_lent,
        "send alone, client" => Some(entry.send),
        _ => None,
    }
}

/// Prints the table of what idle connections keep.
pub fn memory(options: &Options) {
    const TITLE: &str = "memory";
    let columns: Vec<_> = [32, 64 << 10]
        .into_iter()
        .flat_map(|bytes| {
            ["server", "client"].map(|role| (role, bytes, format!("{role} after {}", size(bytes))))
        })
        .filter(|(.., name)| options.wants(TITLE, name))
        .collect();
    if columns.is_empty() {
        return;
    }
    let title = format!(
        "{TITLE}: bytes for each of {} idle connections, heap / resident / trimmed",
        options.connections
    );
    let mut table = Table::new(title, columns.iter().map(|(.., name)| name.clone()));
    let entries: Vec<_> = ALL.iter().filter(|entry| options.takes(entry.name)).collect();
    // They mostly rest, and each has its own memory, so some can run together.
    for entries in entries.chunks(if options.connections > 100 { 1 } else { entries.len() }) {
        let start = |entry: &Entry| {
            eprintln!("{TITLE}: {}", entry.name);
            columns
                .iter()
                .map(|(role, bytes, _)| rest(entry, role, *bytes, options.connections))
                .collect::<Vec<_>>()
        };
        let started: Vec<_> = entries.iter().map(|entry| start(entry)).collect();
        for (entry, children) in entries.iter().zip(started) {
            let cells = children.into_iter().map(|child| {
                let output = child
                    .and_then(Child::wait_with_output)
                    .ok()
                    .filter(|output| output.status.success());
                output.map_or("failed".to_owned(), |output| {
                    text(&output.stdout).trim().replace(' ', " / ")
                })
            });
            table.row(entry.name, cells);
        }
    }
    println!("{table}");
}

/// Starts a process of resting connections.
fn rest(entry: &Entry, role: &str, bytes: usize, connections: usize) -> io::Result<Child> {
    let arguments = ["memory", entry.name, role, &bytes.to_string(), &connections.to_string()];
    command(&arguments).stdout(Stdio::piped()).spawn()
}

/// Prints the tables of instructions, if callgrind is there, and allocations.
pub fn counts(options: &Options) {
    let wanted = |title: &str| {
        COUNTS.iter().filter(|(name, _)| options.wants(title, name)).collect::<Vec<_>>()
    };
    let callgrind = Command::new("valgrind").arg("--version").output().is_ok();
    if callgrind && !options.quick {
        let columns = wanted("instructions");
        count_table(
            &format!("instructions a message of {COUNTED} B"),
            &columns,
            options,
            instructions,
        );
    } else if !options.quick {
        eprintln!("instructions: not counted, there is no valgrind");
    }
    let columns = wanted("allocations");
    count_table(&format!("allocations a message of {COUNTED} B"), &columns, options, allocations);
}

fn count_table(
    title: &str,
    columns: &[&(&str, [u64; 2])],
    options: &Options,
    count: fn(&Entry, &str, [u64; 2]) -> Option<f64>,
) {
    if columns.is_empty() {
        return;
    }
    let mut table = Table::new(title, columns.iter().map(|(name, _)| (*name).to_owned()));
    for entry in ALL.iter().filter(|entry| options.takes(entry.name)) {
        eprintln!("{title}: {}", entry.name);
        let cells = columns.iter().map(|(workload, messages)| {
            let counted = sample(entry, workload).and_then(|_| count(entry, workload, *messages));
            // A difference of nothing may come out below it.
            counted.map_or("–".to_owned(), |count| number(count.max(0.0)))
        });
        table.row(entry.name, cells);
    }
    println!("{table}");
}

/// What callgrind counts in the measured part, for each message more.
fn instructions(entry: &Entry, workload: &str, messages: [u64; 2]) -> Option<f64> {
    let spawn = |messages: u64| {
        let mut callgrind = Command::new("valgrind");
        luck::stock(&mut callgrind);
        callgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        callgrind.args(["--collect-atstart=no", "--toggle-collect=ws_channel_bench_measured"]);
        callgrind.arg(env::current_exe().ok()?);
        callgrind.args([COMMAND, "count", entry.name, workload, &messages.to_string()]);
        callgrind.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()
    };
    let children = messages.map(spawn);
    let [few, many] = children.map(|child| {
        let output = child?.wait_with_output().ok()?;
        let told = text(&output.stderr);
        let line = told.lines().find_map(|line| line.split_once("Collected :"))?;
        line.1.trim().parse::<f64>().ok()
    });
    Some((many? - few?) / (messages[1] - messages[0]) as f64)
}

/// Calls of the allocator, for each message more.
fn allocations(entry: &Entry, workload: &str, messages: [u64; 2]) -> Option<f64> {
    let [few, many] = messages.map(|messages| {
        let Output { status, stdout, .. } =
            command(&["count", entry.name, workload, &messages.to_string(), "heap"])
                .output()
                .ok()?;
        status.success().then(|| text(&stdout))?.trim().parse::<f64>().ok()
    });
    Some((many? - few?) / (messages[1] - messages[0]) as f64)
}

/// This program, to be run for one measurement.
pub fn command(arguments: &[&str]) -> Command {
    let mut command =
        Command::new(env::current_exe().expect("the system tells where this program is"));
    luck::stock(&mut command);
    command.arg(COMMAND).args(arguments);
    command
}

/// What such a process printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
