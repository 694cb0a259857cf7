//! The race: contestants take turns inside every round, and are compared inside a round only.
//!
//! The machine's speed drifts and others use it too, so times of different rounds can't be compared, but two
//! contestants of one round have had the same machine. A figure is the median over the rounds.

use std::time::Duration;

use crate::{
    clock::Cost,
    contenders::{FLOOR, OURS},
    options::Options,
    table::{Spread, Table, number},
};

/// Who takes part in a case: a row's name, and how it measures a number of messages.
pub struct Contestant {
    pub name: String,
    pub run: Box<dyn Fn(u64) -> Cost>,
}

/// A column: its head, and its contestants.
pub struct Case {
    pub name: String,
    pub contestants: Vec<Contestant>,
}

/// A workload: its cases share a table.
pub struct Workload {
    pub title: &'static str,
    /// The unit of the values, and how many nanoseconds it is.
    pub unit: (&'static str, f64),
    pub cases: Vec<Case>,
    /// How much longer than [`Options::sample`] a sample takes.
    pub patience: u32,
}

/// Time for each message, round by round, of one contestant in one case.
type Times = Vec<f64>;

impl Workload {
    /// Measures every case that `options` choose, and prints the tables.
    pub fn run(mut self, options: &Options) {
        for case in &mut self.cases {
            case.contestants.retain(|contestant| options.takes(&contestant.name));
        }
        self.cases
            .retain(|case| options.wants(self.title, &case.name) && !case.contestants.is_empty());
        if self.cases.is_empty() {
            return;
        }
        let times: Vec<_> = self
            .cases
            .iter()
            .map(|case| {
                eprintln!("{}: {}", self.title, case.name);
                race(case, options, options.sample * self.patience)
            })
            .collect();
        self.print(&times, options);
    }

    fn print(&self, times: &[Vec<Times>], options: &Options) {
        let (unit, nanoseconds) = self.unit;
        self.table(format!("{}: {unit} a message", self.title), |case, row| {
            let Spread { median, half } = Spread::of(times[case][row].clone());
            Some(format!("{} ±{:.0}%", number(median / nanoseconds), 100.0 * half / median))
        });
        let names = |case: usize| self.cases[case].contestants.iter().map(|c| c.name.as_str());
        self.table(format!("{}: times as fast as the best peer", self.title), |case, row| {
            let peers = names(case)
                .zip(&times[case])
                .filter(|(name, _)| is_peer(name))
                .map(|(_, times)| times);
            let best = peers.min_by(|a, b| median(a).total_cmp(&median(b)))?;
            Some(ratio(best, &times[case][row]).to_string())
        });
        for other in &options.against {
            self.table(format!("{}: times as fast as {other}", self.title), |case, row| {
                let place = names(case).position(|name| name == other)?;
                Some(ratio(&times[case][place], &times[case][row]).to_string())
            });
        }
    }

    /// Prints one table of what `cell` makes of a case and a contestant in it; without a cell, there is none.
    fn table(&self, title: String, cell: impl Fn(usize, usize) -> Option<String>) {
        let mut rows: Vec<&str> = Vec::new();
        for case in &self.cases {
            for contestant in &case.contestants {
                if !rows.contains(&contestant.name.as_str()) {
                    rows.push(&contestant.name);
                }
            }
        }
        let mut table = Table::new(title, self.cases.iter().map(|case| case.name.clone()));
        let mut empty = true;
        for row in rows {
            let cells = self.cases.iter().enumerate().map(|(at, case)| {
                let place = case.contestants.iter().position(|contestant| contestant.name == row);
                place.and_then(|place| cell(at, place))
            });
            let cells: Vec<_> = cells.collect();
            empty &= cells.iter().all(Option::is_none);
            table.row(row, cells.into_iter().map(|cell| cell.unwrap_or_else(|| "–".to_owned())));
        }
        if !empty {
            println!("{table}");
        }
    }
}

fn is_peer(name: &str) -> bool {
    name != FLOOR && !name.starts_with(OURS)
}

fn median(times: &Times) -> f64 {
    Spread::of(times.clone()).median
}

/// How many times as fast as `base` something is, inside each round.
fn ratio(base: &Times, times: &Times) -> Spread {
    Spread::of(base.iter().zip(times).map(|(base, time)| base / time).collect())
}

fn race(case: &Case, options: &Options, sample: Duration) -> Vec<Times> {
    // A quick run measures nothing anyway.
    let count = |contestant| if options.quick { 8 } else { calibrate(contestant, sample) };
    let counts: Vec<_> = case.contestants.iter().map(count).collect();
    let mut times = vec![Times::new(); counts.len()];
    for round in 0..options.rounds {
        for turn in 0..counts.len() {
            // The order turns by one and is reversed every other round, so that nobody always follows the same one.
            let turn = if round % 2 == 0 { turn } else { counts.len() - 1 - turn };
            let who = (turn + round) % counts.len();
            let cost = (case.contestants[who].run)(counts[who]);
            times[who].push(cost.time.as_nanos() as f64 / counts[who] as f64);
        }
    }
    times
}

/// How many messages take about as long as `sample`.
fn calibrate(contestant: &Contestant, sample: Duration) -> u64 {
    let goal = sample.as_secs_f64();
    let mut count = 4;
    loop {
        let time = (contestant.run)(count).time.as_secs_f64().max(1e-9);
        let factor = goal / time;
        if factor < 4.0 || count > 1 << 24 {
            return ((count as f64 * factor) as u64).max(1);
        }
        count = (count as f64 * (factor / 2.0).min(32.0)) as u64;
    }
}
