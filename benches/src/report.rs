//! A workload's results as tables: medians over the rounds, and ratios taken inside each round.

use crate::clock::Cost;
use crate::contenders::{FLOOR, OURS};
use crate::options::Options;
use crate::rounds::{Case, Results, race};
use crate::table::{Spread, Table, number};

/// The end of the name of a row that is another's on split halves.
pub const SPLIT: &str = " (split)";

/// A workload: its cases share the tables.
pub struct Workload {
    pub title: &'static str,
    pub cases: Vec<Case>,
    pub metrics: &'static [Metric],
    /// What the times are compared with.
    pub bases: &'static [Base],
    /// How many times [`Options::sample`] a sample takes.
    pub patience: u32,
}

/// What is shown of a cost.
pub struct Metric {
    pub name: &'static str,
    /// How many seconds its unit is.
    pub unit: f64,
    pub of: fn(&Cost) -> f64,
}

/// What a ratio is to.
#[derive(Clone, Debug)]
pub enum Base {
    /// The peer with the lowest median in the same case.
    BestPeer,
    /// The row of this name.
    Named(&'static str),
    /// The row of the same contender that is not split.
    Whole,
}

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
        let measure = |case: &Case| {
            eprintln!("{}: {}", self.title, case.name);
            race(case, options, options.sample * self.patience)
        };
        let results: Vec<_> = self.cases.iter().map(measure).collect();
        for metric in self.metrics {
            self.values(metric, &results);
            for base in self.bases {
                self.ratios(metric, base, &results);
            }
        }
    }

    fn values(&self, metric: &Metric, results: &[Vec<Results>]) {
        let title = format!("{}: {} a message", self.title, metric.name);
        self.table(title, |case, row| {
            let spread = Spread::of(results[case][row].iter().map(metric.of).collect());
            let percent = 100.0 * spread.half / spread.median;
            Some(format!("{} ±{percent:.0}%", number(spread.median / metric.unit)))
        });
    }

    fn ratios(&self, metric: &Metric, base: &Base, results: &[Vec<Results>]) {
        let of = match base {
            Base::BestPeer => "the best peer",
            Base::Named(name) => name,
            Base::Whole => "the same not split",
        };
        let title = format!("{}: times as fast as {of}, {}", self.title, metric.name);
        self.table(title, |case, row| {
            let base = self.place(base, metric, case, row, &results[case])?;
            let pairs = results[case][base].iter().zip(&results[case][row]);
            let ratios = pairs.map(|(base, own)| (metric.of)(base) / (metric.of)(own));
            Some(Spread::of(ratios.collect()).to_string())
        });
    }

    /// Whom the contestant `row` of a case is compared with.
    fn place(
        &self,
        base: &Base,
        metric: &Metric,
        case: usize,
        row: usize,
        results: &[Results],
    ) -> Option<usize> {
        let contestants = &self.cases[case].contestants;
        let find = |name: &str| contestants.iter().position(|contestant| contestant.name == name);
        match base {
            Base::BestPeer => {
                let median =
                    |at: &usize| Spread::of(results[*at].iter().map(metric.of).collect()).median;
                let peers = (0..contestants.len()).filter(|at| is_peer(&contestants[*at].name));
                peers.min_by(|a, b| median(a).total_cmp(&median(b)))
            }
            Base::Named(name) => find(name),
            Base::Whole => find(contestants[row].name.strip_suffix(SPLIT)?),
        }
    }

    /// Prints what `cell` makes of the cases and the contestants in them; rows of nothing are left
    /// out.
    fn table(&self, title: String, cell: impl Fn(usize, usize) -> Option<String>) {
        let mut names: Vec<&str> = Vec::new();
        for contestant in self.cases.iter().flat_map(|case| &case.contestants) {
            if !names.contains(&contestant.name.as_str()) {
                names.push(&contestant.name);
            }
        }
        let mut table = Table::new(title, self.cases.iter().map(|case| case.name.clone()));
        for name in names {
            let cells = self.cases.iter().enumerate().map(|(at, case)| {
                let place = case.contestants.iter().position(|contestant| contestant.name == name);
                place.and_then(|place| cell(at, place))
            });
            let cells: Vec<_> = cells.collect();
            if cells.iter().any(Option::is_some) {
                table.row(name, cells.into_iter().map(|cell| cell.unwrap_or_else(|| "–".into())));
            }
        }
        if !table.is_empty() {
            println!("{table}");
        }
    }
}

fn is_peer(name: &str) -> bool {
    name != FLOOR && name != format!("{FLOOR}{SPLIT}") && !name.starts_with(OURS)
}
