//! One message to thousands of connections: `ws_channel`'s hooks and topics beside axum's own
//! WebSockets with a `tokio::sync::broadcast`, sockudo-ws' pub/sub, and a tokio-tungstenite server
//! written the usual way.
//!
//! ```sh
//! cargo run --release --manifest-path benches/broadcast/Cargo.toml -- [CONNECTIONS] [VISITS]
//! ```
//!
//! Each server is a process, and so is the one client that has all connections to it. Servers take
//! turns. Loopback only, every wait has an end, and whatever was started ends with this program.

mod client;
mod process;
mod run;
mod servers;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["server", name] => servers::run(name),
        ["client", address, connections] => client::run(address, number(connections)),
        ["--quick"] => run::run(50, 1),
        [] => run::run(5_000, 3),
        [connections] => run::run(number(connections), 3),
        [connections, visits] => run::run(number(connections), number(visits)),
        _ => panic!("arguments: [CONNECTIONS] [VISITS]"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}
