//! JSON-RPC 2.0 and a feed of events beside each other: virtual channels of JSON over one WebSocket.

use futures::{SinkExt, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use ws_channel::{WebSocketAdapter, WebSocketChannel, stream_channel::MultiChannel};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let server = tokio::spawn(async move { serve(listener.accept().await?.0).await });

    let mut client = MultiChannel::<_, Value>::new(WebSocketChannel::connect(&url).await?.json());
    let (mut calls, events) = (client.open(), client.open());
    // The default channel says what the others are for.
    client.send(json!({ "calls": calls.id(), "events": events.id() })).await?;

    let feed = tokio::spawn(events.take(3).try_collect::<Vec<Value>>());
    for (id, numbers) in [(1, json!([1, 2, 3])), (2, json!(["a"]))] {
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "sum", "params": numbers });
        calls.send(call).await?;
        println!("answer: {}", calls.next().await.ok_or("no answer")??);
    }
    println!("events: {:?}", feed.await??);
    futures::try_join!(calls.close(), client.close())?;
    server.await?
}

/// Answers calls on one virtual channel, and sends events on another.
async fn serve(stream: TcpStream) -> Result<(), Failure> {
    let mut main = MultiChannel::<_, Value>::new(WebSocketAdapter::accept(stream).await?.json());
    let uses = main.next().await.ok_or("a client that says nothing")??;
    let attach = |name: &str| main.attach(uses[name].as_u64().unwrap_or_default());
    let (mut calls, mut events) = (attach("calls")?, attach("events")?);

    let feed = tokio::spawn(async move {
        let mut ticks = 0..;
        // Until the client has enough.
        while events.send(json!({ "tick": ticks.next() })).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    while let Some(call) = calls.next().await.transpose()? {
        calls.send(answer(&call)).await?;
    }
    feed.await?;
    Ok(main.close().await?)
}

fn answer(call: &Value) -> Value {
    let numbers = call["params"].as_array().map_or(&[][..], Vec::as_slice);
    let (key, value) = match numbers.iter().map(Value::as_i64).sum::<Option<i64>>() {
        Some(sum) => ("result", json!(sum)),
        None => ("error", json!({ "code": -32602, "message": "not numbers" })),
    };
    json!({ "jsonrpc": "2.0", "id": call["id"], key: value })
}
