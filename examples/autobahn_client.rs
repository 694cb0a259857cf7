//! Runs every case of Autobahn|Testsuite's fuzzing server: it says what a client gets wrong.
//!
//! `autobahn_client URL [--split]`, such as `autobahn_client ws://127.0.0.1:9001`.

use std::env;
use std::error::Error;

use futures::{SinkExt, StreamExt};
use ws_channel::WebSocketChannel;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (url, split) = match &arguments[..] {
        [url] => (url, false),
        [url, flag] if flag == "--split" => (url, true),
        _ => return Err("usage: autobahn_client URL [--split]".into()),
    };
    let url = url.trim_end_matches('/');
    let agent = if split { "ws_channel-split" } else { "ws_channel" };

    let mut channel = WebSocketChannel::connect(format!("{url}/getCaseCount")).await?;
    let count =
        channel.next().await.ok_or("the server does not say how many cases there are")??;
    let count: u32 = count.as_text().unwrap_or_default().parse()?;
    drop(channel);

    for case in 1..=count {
        let channel =
            WebSocketChannel::connect(format!("{url}/runCase?case={case}&agent={agent}")).await?;
        // Many cases break the protocol, to see the connection fail.
        if let Err(error) = echo(channel, split).await {
            println!("case {case}: {error}");
        }
    }
    println!("{count} cases ran as {agent}");

    let mut channel =
        WebSocketChannel::connect(format!("{url}/updateReports?agent={agent}")).await?;
    while channel.next().await.transpose()?.is_some() {}
    Ok(())
}

async fn echo(
    mut channel: ws_channel::PlatformChannel,
    split: bool,
) -> Result<(), ws_channel::Error> {
    if split {
        let (sink, stream) = channel.split();
        return stream.forward(sink).await;
    }
    while let Some(message) = channel.next().await {
        channel.feed(message?).await?;
    }
    Ok(())
}
