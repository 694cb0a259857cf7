//! The servers: each sends `count` messages of `size` bytes to all connections when one of these
//! says `publish count size`.

mod axum;
mod sockudo;
mod tungstenite;
mod ws_channel;

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;

pub const NAMES: [&str; 4] = ["ws_channel", "axum + broadcast", "sockudo-ws", "tokio-tungstenite"];

/// What is published.
pub struct Order {
    pub count: usize,
    pub payload: Bytes,
}

impl Order {
    pub fn parse(text: &str) -> Option<Self> {
        let (count, size) = text.strip_prefix("publish ")?.split_once(' ')?;
        Some(Self { count: count.parse().ok()?, payload: vec![0; size.parse().ok()?].into() })
    }
}

/// Serves until the standard input ends. With the first line there, this crate's server shuts down,
/// and prints what is left.
pub fn run(name: &str) -> std::io::Result<()> {
    let (order, ordered) = tokio::sync::oneshot::channel();
    std::thread::spawn(|| {
        let mut lines = std::io::stdin().lines();
        if lines.next().is_some() {
            let _ = order.send(());
            lines.for_each(drop);
        }
        std::process::exit(0);
    });
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build()?.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind("127.0.0.1:0".parse().expect("is an address"))?;
        let listener: TcpListener = socket.listen(4096)?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        match NAMES.iter().position(|known| *known == name) {
            Some(0) => ws_channel::serve(listener, ordered).await,
            Some(1) => axum::serve(listener).await,
            Some(2) => sockudo::serve(listener).await,
            Some(3) => tungstenite::serve(listener).await,
            _ => panic!("no server is called {name}"),
        }
    })
}

/// Accepts for the servers that leave that to the program.
pub async fn accept(listener: &TcpListener) -> tokio::net::TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if stream.set_nodelay(true).is_ok() => return stream,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
