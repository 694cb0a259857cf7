//! JSON-RPC 2.0 and a feed of events beside each other: virtual channels of JSON over one WebSocket.

use futures::{SinkExt, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use ws_channel::stream_channel::{Frame, JsonChannel, MultiChannel, VirtualChannel};
use ws_channel::{WebSocketAdapter, WebSocketChannel};

type Json<C> = JsonChannel<C, Frame<Value>>;
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
        calls
            .send(json!({ "jsonrpc": "2.0", "id": id, "method": "sum", "params": numbers }))
            .await?;
        println!("answer: {}", calls.next().await.ok_or("no answer")??);
    }
    println!("events: {:?}", feed.await??);
    futures::try_join!(calls.close(), client.close())?;
    server.await?
}

/// Calls on one virtual channel, events on another.
async fn serve(stream: TcpStream) -> Result<(), Failure> {
    let mut main = MultiChannel::<_, Value>::new(WebSocketAdapter::accept(stream).await?.json());
    let Some(uses) = main.next().await.transpose()? else { return Ok(()) };
    let attach = |name: &str| main.attach(uses[name].as_u64().unwrap_or_default());
    let (mut calls, mut events) = (attach("calls")?, attach("events")?);

    let ticks = async move {
        for n in 0.. {
            if events.send(json!({ "tick": n })).await.is_err() {
                break; // The client has enough.
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Ok(())
    };
    futures::try_join!(ticks, answer(&mut calls))?;
    Ok(main.close().await?)
}

async fn answer<C: WebSocketChannel>(
    calls: &mut VirtualChannel<Json<C>, Value>,
) -> Result<(), Failure> {
    while let Some(call) = calls.next().await.transpose()? {
        let numbers = call["params"].as_array().map_or(&[][..], Vec::as_slice);
        let sum = numbers.iter().map(Value::as_i64).sum::<Option<i64>>();
        let (key, value) = match sum {
            Some(sum) => ("result", json!(sum)),
            None => ("error", json!({ "code": -32602, "message": "not numbers" })),
        };
        calls.send(json!({ "jsonrpc": "2.0", "id": call["id"], key: value })).await?;
    }
    Ok(())
}
