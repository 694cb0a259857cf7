//! permessage-deflate: this crate beside those that have it, at equal level and equal windows.
//!
//! The messages are JSON, all different, so that a window that is kept finds what JSON repeats and
//! not the very message before. All contenders get the same ones.

use std::process::Stdio;

use crate::clock::Cost;
use crate::contender::{Receiver, Sender, Transport};
use crate::memory::Use;
use crate::options::Options;
use crate::report::{Base, Metric, Workload};
use crate::rounds::{Case, Contestant};
use crate::solo::{command, text};
use crate::table::{Table, number};
use crate::workloads::size;

mod json;
mod measure;
mod rest;
mod sockudo_ws;
#[cfg(feature = "soketto")]
mod soketto;
mod ws_channel;
mod yawc;

/// What the ends have agreed on; the windows are of 32 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether both ends keep their windows from one message to the next.
    pub takeover: bool,
    pub level: u8,
}

impl Terms {
    /// The extension as it stands in the answer to a handshake.
    fn header(self) -> &'static str {
        if self.takeover {
            "permessage-deflate"
        } else {
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        }
    }
}

/// A crate that has the extension.
trait Squeezer: 'static {
    const NAME: &'static str;

    type Client<S: Transport>: Sender + Receiver;
    type Server<S: Transport>: Sender + Receiver;

    /// Whether the crate can do `terms`.
    fn takes(_: Terms) -> bool {
        true
    }

    fn client<S: Transport>(io: S, terms: Terms) -> Self::Client<S>;
    fn server<S: Transport>(io: S, terms: Terms) -> Self::Server<S>;
}

/// A contender as the tables see it.
struct Row {
    name: &'static str,
    takes: fn(Terms) -> bool,
    check: fn(Terms),
    down: fn(Terms, usize, u64) -> Cost,
    wire: fn(Terms, usize) -> f64,
    rest: fn(Terms, usize, usize) -> Use,
}

impl Row {
    const fn of<Q: Squeezer>() -> Self {
        Self {
            name: Q::NAME,
            takes: Q::takes,
            check: measure::check::<Q>,
            down: measure::down::<Q>,
            wire: measure::wire::<Q>,
            rest: rest::measure::<Q>,
        }
    }
}

const ALL: &[Row] = &[
    Row::of::<yawc::Yawc>(),
    Row::of::<sockudo_ws::SockudoWs>(),
    #[cfg(feature = "soketto")]
    Row::of::<soketto::Soketto>(),
    Row::of::<ws_channel::WsChannel>(),
];

const TITLE: &str = "deflate, server to client";

/// Level 1 is what soketto has, 6 is zlib's own choice.
const TERMS: [Terms; 4] = [
    Terms { takeover: false, level: 1 },
    Terms { takeover: false, level: 6 },
    Terms { takeover: true, level: 1 },
    Terms { takeover: true, level: 6 },
];

const SIZES: [usize; 2] = [1 << 10, 64 << 10];

const CPU_MICROSECONDS: Metric =
    Metric { name: "µs of CPU time", unit: 1e-6, of: |cost| cost.cpu };

fn name(terms: Terms, bytes: usize) -> String {
    let window = if terms.takeover { "takeover" } else { "no takeover" };
    format!("{} JSON, {window}, level {}", size(bytes), terms.level)
}

fn cells() -> impl Iterator<Item = (Terms, usize)> {
    SIZES.into_iter().flat_map(|bytes| TERMS.map(|terms| (terms, bytes)))
}

/// Checks, measures and prints everything about the extension.
pub fn run(options: &Options) {
    for row in ALL.iter().filter(|row| options.takes(row.name)) {
        eprintln!("check: {} with deflate", row.name);
        TERMS.into_iter().filter(|terms| (row.takes)(*terms)).for_each(row.check);
    }
    race().run(options);
    wire(options);
    rest(options);
}

/// The names of the cases.
pub fn list() -> Vec<String> {
    let race = cells().map(|(terms, bytes)| format!("{TITLE}: {}", name(terms, bytes)));
    race.chain([format!("{WIRE}: SIZE"), format!("{REST}: SIZE")]).collect()
}

fn race() -> Workload {
    let case = |(terms, bytes): (Terms, usize)| Case {
        name: name(terms, bytes),
        contestants: ALL
            .iter()
            .filter(|row| (row.takes)(terms))
            .map(|row| Contestant {
                name: row.name.to_owned(),
                run: Box::new(move |count| (row.down)(terms, bytes, count)),
            })
            .collect(),
    };
    Workload {
        title: TITLE,
        cases: cells().map(case).collect(),
        metrics: &[CPU_MICROSECONDS],
        bases: &[Base::BestPeer],
        patience: 2,
    }
}

const WIRE: &str = "deflate, bytes on the wire";

fn wire(options: &Options) {
    let cells: Vec<_> =
        cells().filter(|(terms, bytes)| options.wants(WIRE, &name(*terms, *bytes))).collect();
    table(&format!("{WIRE} a message"), options, &cells, |row, terms, bytes| {
        number((row.wire)(terms, bytes))
    });
}

const REST: &str = "deflate, memory";

/// The first argument of a process of resting connections.
pub const SOLO: &str = "deflate";

fn rest(options: &Options) {
    let cells: Vec<_> = cells()
        .filter(|(terms, bytes)| terms.level == 6 && options.wants(REST, &name(*terms, *bytes)))
        .collect();
    let title = format!("{REST}: heap for each of {} idle servers, bytes", options.connections);
    table(&title, options, &cells, |row, terms, bytes| {
        let takeover = terms.takeover.to_string();
        let [bytes, connections] = [bytes, options.connections].map(|number| number.to_string());
        let arguments = [SOLO, row.name, &takeover, &bytes, &connections];
        let output = command(&arguments).stderr(Stdio::inherit()).output();
        match output {
            Ok(output) if output.status.success() => text(&output.stdout).trim().to_owned(),
            _ => "failed".to_owned(),
        }
    });
}

/// What such a process does: NAME TAKEOVER SIZE CONNECTIONS.
///
/// # Errors
///
/// If the arguments are not those.
pub fn child(arguments: &[&str]) -> Result<(), String> {
    let [name, takeover, size, connections] = arguments else {
        return Err("deflate has other arguments".to_owned());
    };
    let row = ALL.iter().find(|row| row.name == *name).ok_or(format!("there is no {name}"))?;
    let number = |text: &str| text.parse().map_err(|_| format!("{text} is not a number"));
    let terms = Terms { takeover: *takeover == "true", level: 6 };
    println!("{}", (row.rest)(terms, number(size)?, number(connections)?).heap);
    Ok(())
}

fn table(
    title: &str,
    options: &Options,
    cells: &[(Terms, usize)],
    cell: impl Fn(&Row, Terms, usize) -> String,
) {
    if cells.is_empty() {
        return;
    }
    let mut table = Table::new(title, cells.iter().map(|(terms, bytes)| name(*terms, *bytes)));
    for row in ALL.iter().filter(|row| options.takes(row.name)) {
        eprintln!("{title}: {}", row.name);
        let values = cells.iter().map(|(terms, bytes)| {
            if (row.takes)(*terms) { cell(row, *terms, *bytes) } else { "–".to_owned() }
        });
        table.row(row.name, values.collect::<Vec<_>>());
    }
    println!("{table}");
}
