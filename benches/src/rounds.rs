//! The race: contestants take turns inside every round, and are compared inside a round only.
//!
//! The machine's speed drifts and others use it too, so times of different rounds can't be
//! compared, but two contestants of one round have had the same machine.

use std::time::Duration;

use crate::clock::Cost;
use crate::luck::Terrain;
use crate::options::Options;

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

/// What one message cost a contestant, round by round.
pub type Results = Vec<Cost>;

/// Lets the contestants of `case` race, and gives the results of each. A sample takes about as long
/// as `sample`.
pub fn race(case: &Case, options: &Options, sample: Duration) -> Vec<Results> {
    // A quick run measures nothing anyway.
    let count = |contestant| if options.quick { 8 } else { calibrate(contestant, sample) };
    let counts: Vec<_> = case.contestants.iter().map(count).collect();
    let mut terrain = Terrain::default();
    let mut results = vec![Results::new(); counts.len()];
    for round in 0..options.rounds {
        for turn in 0..counts.len() {
            // Reversed every other round, so that nobody always follows the same one.
            let turn = if round % 2 == 0 { turn } else { counts.len() - 1 - turn };
            let who = (turn + round) % counts.len();
            terrain.shift();
            let cost = (case.contestants[who].run)(counts[who]);
            results[who].push(cost.over(counts[who]));
        }
    }
    results
}

/// How many messages take about as long as `sample`.
fn calibrate(contestant: &Contestant, sample: Duration) -> u64 {
    let goal = sample.as_secs_f64();
    let mut count = 4;
    loop {
        let time = (contestant.run)(count).time.max(1e-9);
        let factor = goal / time;
        if factor < 4.0 || count > 1 << 24 {
            return ((count as f64 * factor) as u64).max(1);
        }
        count = (count as f64 * (factor / 2.0).min(32.0)) as u64;
    }
}
