//! ws_channel beside its peers: see README.md.

use std::process::ExitCode;

mod cases;
mod check;
mod clock;
mod contender;
mod contenders;
#[cfg(feature = "deflate")]
mod deflate;
mod entry;
mod form;
mod frames;
mod heap;
mod luck;
mod memory;
mod options;
mod payload;
mod report;
mod rounds;
mod script;
mod sink_stream;
mod solo;
mod table;
mod transport;
mod workloads;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == solo::COMMAND) {
        return solo::child(&arguments[1..]);
    }
    let options = options::Options::parse(arguments.into_iter())?;
    if options.list {
        list();
        return Ok(());
    }
    if !options.stock_libc {
        luck::copy_with_vectors();
    }
    luck::keep_freed();
    for entry in contenders::ALL.iter().filter(|entry| options.takes(entry.name)) {
        eprintln!("check: {}", entry.name);
        (entry.check)();
    }
    for workload in cases::all() {
        workload.run(&options);
    }
    #[cfg(feature = "deflate")]
    deflate::run(&options);
    solo::memory(&options);
    solo::counts(&options);
    Ok(())
}

fn list() {
    for entry in contenders::ALL {
        println!("contender {}", entry.name);
    }
    for workload in cases::all() {
        for case in &workload.cases {
            println!("case {}: {}", workload.title, case.name);
        }
    }
    #[cfg(feature = "deflate")]
    deflate::list().iter().for_each(|case| println!("case {case}"));
    println!(
        "case memory: ROLE after SIZE\ncase instructions: WORKLOAD\ncase allocations: WORKLOAD"
    );
}
