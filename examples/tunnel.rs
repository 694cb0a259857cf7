//! TCP over a WebSocket: both ends of a tunnel, as for SSH through a proxy that lets only the web
//! through.
//!
//! `tunnel server ADDRESS TARGET` accepts WebSockets and connects each to `TARGET` by TCP;
//! `tunnel client ADDRESS URL` accepts TCP and carries each connection to the server at `URL`. As in
//!
//! ```text
//! tunnel server 127.0.0.1:9001 127.0.0.1:22
//! tunnel client 127.0.0.1:2222 ws://127.0.0.1:9001
//! ssh -p 2222 127.0.0.1
//! ```

use std::io::Write;
use std::{env, io};

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::net::{TcpListener, TcpStream};
use ws_channel::{WebSocketAdapter, WebSocketChannel, connect};

/// How many bytes are copied at a time.
const CHUNK: usize = 64 << 10;

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (is_server, address, to) = match &arguments[..] {
        [mode, address, to] if mode == "server" => (true, address, to),
        [mode, address, to] if mode == "client" => (false, address, to),
        _ => return Err(io::Error::other("usage: tunnel server|client ADDRESS TARGET|URL")),
    };
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    io::stdout().flush()?;
    loop {
        let (tcp, peer) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let to = to.clone();
        tokio::spawn(async move {
            let carried = if is_server { leave(tcp, &to).await } else { enter(tcp, &to).await };
            match carried {
                Ok((there, back)) => println!("{peer}: {there} bytes there, {back} back"),
                Err(error) => eprintln!("{peer}: {error}"),
            }
        });
    }
}

/// A program's connection goes into a WebSocket.
async fn enter(tcp: TcpStream, url: &str) -> io::Result<(u64, u64)> {
    carry(tcp, connect(url).await?.into_io()).await
}

/// What comes out of a WebSocket goes to the target.
async fn leave(tcp: TcpStream, target: &str) -> io::Result<(u64, u64)> {
    let channel = WebSocketAdapter::accept(tcp).await?;
    let tcp = TcpStream::connect(target).await?;
    tcp.set_nodelay(true)?;
    carry(channel.into_io(), tcp).await
}

/// Copies both ways until both have ended.
async fn carry(
    mut from: impl AsyncRead + AsyncWrite + Unpin,
    mut to: impl AsyncRead + AsyncWrite + Unpin,
) -> io::Result<(u64, u64)> {
    copy_bidirectional_with_sizes(&mut from, &mut to, CHUNK, CHUNK).await
}
