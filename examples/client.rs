//! Sends the lines of standard input, and prints what comes back.
//!
//! `client URL [PROTOCOL…]`, such as `client ws://127.0.0.1:9001 chat`. Ctrl-c closes the
//! connection, and so does the end of the input, once no answer has come for a second.

use std::{env, error::Error, io, iter, pin::pin, process::ExitCode, thread, time::Duration};

use futures::{SinkExt, StreamExt};
use tokio::{sync::mpsc, time};
use ws_channel::{Message, WebSocketChannel, status};

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(url) = arguments.next() else {
        eprintln!("usage: client URL [PROTOCOL…]");
        return ExitCode::FAILURE;
    };
    let Err(error) = talk(&url, arguments).await else { return ExitCode::SUCCESS };
    let chain = iter::successors(Some(&error as &dyn Error), |&error| error.source());
    let chain: Vec<_> = chain.map(ToString::to_string).collect();
    eprintln!("{}", chain.join(": "));
    ExitCode::FAILURE
}

async fn talk(url: &str, protocols: impl Iterator<Item = String>) -> Result<(), ws_channel::Error> {
    let mut channel = WebSocketChannel::connect(url).protocols(protocols).await?;
    eprintln!("connected to {}, subprotocol {:?}", channel.url(), channel.protocol());
    // Waiting for a line blocks a thread, so it has one of its own.
    let (sender, mut lines) = mpsc::unbounded_channel();
    thread::spawn(move || {
        io::stdin().lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    let mut interrupt = pin!(tokio::signal::ctrl_c()); // Once, or a signal is lost.
    let mut more = true;
    loop {
        tokio::select! {
            message = channel.next() => match message.transpose()? {
                Some(Message::Text(text)) => println!("{text}"),
                Some(Message::Binary(bytes)) => println!("{} bytes", bytes.len()),
                None => break,
            },
            line = lines.recv(), if more => match line {
                Some(line) => channel.send(line.into()).await?,
                None => more = false,
            },
            () = time::sleep(Duration::from_secs(1)), if !more => {
                channel.close(status::NORMAL_CLOSURE, "end of input").await?;
            }
            _ = &mut interrupt => {
                channel.close(status::GOING_AWAY, "interrupted").await?;
                break;
            }
        }
    }
    if let Some(end) = channel.close_event() {
        eprintln!("closed: {end}");
    }
    Ok(())
}
