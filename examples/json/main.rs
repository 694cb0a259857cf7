//! JSON maps there and back, each answered a second after it came.
//!
//! ```console
//! $ cargo run --features json --example json server
//! $ cargo run --features json --example json client
//! ```
//!
//! Both take an address; ctrl-C closes the connection.

mod client;
mod server;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ws_channel::server::BoxError;

/// What is sent: texts by name.
type Map = BTreeMap<String, String>;

/// How long an answer takes.
const SECOND: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut arguments = std::env::args().skip(1);
    let (role, address) = (arguments.next(), arguments.next());
    match role.as_deref() {
        Some("server") => server::run(address.as_deref().unwrap_or("127.0.0.1:8000")).await,
        Some("client") => client::run(address.as_deref().unwrap_or("ws://127.0.0.1:8000")).await,
        _ => Err("say `server` or `client`, and an address or URL if you like".into()),
    }
}

fn map(whose: &str) -> Map {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Map::from([("data".into(), format!("from {whose} at {} s", now.as_secs()))])
}
