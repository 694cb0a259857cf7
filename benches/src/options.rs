//! The command line.

use std::time::Duration;

pub const HELP: &str = "\
Measures ws_channel beside its peers and prints Markdown tables.

  --case TEXT         only cases whose workload or column has TEXT in its name; may be repeated
  --contender TEXT    only contenders with TEXT in their names; may be repeated
  --rounds N          rounds of each case (7)
  --sample MS         milliseconds that a sample should take (30)
  --connections N     idle connections whose memory is measured (1000)
  --stock-libc        leave glibc's way of copying as it is
  --quick             one short round of everything: to see that it runs, not to read
  --list              names what could be chosen
";

#[derive(Clone, Debug)]
pub struct Options {
    pub cases: Vec<String>,
    pub contenders: Vec<String>,
    pub rounds: usize,
    pub sample: Duration,
    pub connections: usize,
    pub stock_libc: bool,
    pub quick: bool,
    pub list: bool,
}

impl Options {
    /// # Errors
    ///
    /// If an argument is not one of those that [`HELP`] tells of.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            cases: Vec::new(),
            contenders: Vec::new(),
            rounds: 7,
            sample: Duration::from_millis(30),
            connections: 1000,
            stock_libc: false,
            quick: false,
            list: false,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--case" => options.cases.push(value()?.to_lowercase()),
                "--contender" => options.contenders.push(value()?.to_lowercase()),
                "--rounds" => options.rounds = number(&value()?)?.max(1),
                "--sample" => {
                    options.sample = Duration::from_millis(number(&value()?)?.max(1) as u64)
                }
                "--connections" => options.connections = number(&value()?)?.max(1),
                "--stock-libc" => options.stock_libc = true,
                "--quick" => options.quick = true,
                "--list" => options.list = true,
                other => return Err(format!("{other} is not an option\n\n{HELP}")),
            }
        }
        if options.quick {
            options.rounds = 1;
            options.connections = options.connections.min(20);
        }
        Ok(options)
    }

    /// Whether a case of a workload is asked for.
    pub fn wants(&self, workload: &str, case: &str) -> bool {
        let name = format!("{workload}: {case}").to_lowercase();
        self.cases.is_empty() || self.cases.iter().any(|text| name.contains(text))
    }

    /// Whether a contender is to take part.
    pub fn takes(&self, contender: &str) -> bool {
        let name = contender.to_lowercase();
        self.contenders.is_empty() || self.contenders.iter().any(|text| name.contains(text))
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}
