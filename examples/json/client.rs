//! The client: begins, and answers each map a second after it came, if the connection is still open.

use std::pin::pin;

use futures::SinkExt;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::sleep;
use ws_channel::server::BoxError;
use ws_channel::{ReadyState, WebSocketChannel, status};

use crate::{Map, SECOND, map};

pub(crate) async fn run(url: &str) -> Result<(), BoxError> {
    // Fails if there is no server, or it denies the connection.
    let mut channel = WebSocketChannel::connect(url).await?.json::<Map>();
    channel.send(map("client")).await?;
    let mut timers = FuturesUnordered::new();
    let mut interrupt = pin!(tokio::signal::ctrl_c()); // Once, or a signal is lost.
    loop {
        tokio::select! {
            received = channel.next() => match received {
                Some(Ok(received)) => {
                    println!("-- {received:?}");
                    timers.push(sleep(SECOND));
                }
                // No map of texts, or the connection broke.
                Some(Err(error)) => return Err(error.into()),
                None => break,
            },
            Some(()) = timers.next() => {
                if channel.ready_state() == ReadyState::Open {
                    channel.send(map("client")).await?;
                }
            }
            pressed = &mut interrupt => {
                pressed?;
                channel.close(status::NORMAL_CLOSURE, "ctrl-c").await?;
                break;
            }
        }
    }
    if let Some(event) = channel.close_event() {
        println!("[+] {event}");
    }
    Ok(())
}
