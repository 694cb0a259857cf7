//! The channel of a browser, in a page (`browser.rs`) and in a worker (`worker.rs`).
//!
//! One block of `inline_js` a file, in no more files than have one now: each is a file that the page
//! loads, and with one more the test runner's server answered every other time.

mod attempt;
mod ends;
mod leaks;
mod pressure;
mod send;
mod suite;
mod wrapped;

use futures::{SinkExt, Stream, StreamExt};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use ws_channel::{BrowserChannel, Connect, Error, Message, WebSocketChannel};

/// The URL of the server for a path.
fn url(path: &str) -> String {
    let Some(server) = option_env!("WS_CHANNEL_PAGE") else { panic!("WS_CHANNEL_PAGE is not set") };
    format!("{server}{path}")
}

/// An attempt over the page's `WebSocket`.
fn over_socket(path: &str) -> Connect {
    Connect::new(url(path))
}

/// An attempt over the page's `WebSocketStream`.
fn over_stream(path: &str) -> Connect {
    Connect::new(url(path)).web_socket_stream()
}

/// The ways to connect, all of which keep the same promises.
const WAYS: [fn(&str) -> Connect; 2] = [over_socket, over_stream];

async fn open(path: &str) -> BrowserChannel {
    over_socket(path).await.expect("the server is there")
}

/// The next message, which has to come.
async fn received<C: WebSocketChannel + Unpin>(channel: &mut C) -> Message {
    channel.next().await.expect("the channel is open").expect("a message comes")
}

/// How many messages of `/flood` come, in their order, and the error behind them.
async fn flood(stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin)) -> (u32, Error) {
    for number in 0.. {
        match stream.next().await.expect("the flood ends with an error") {
            Ok(message) => assert_eq!(message.as_bytes()[..4], u32::to_be_bytes(number)),
            Err(error) => return (number, error),
        }
    }
    unreachable!("there are fewer")
}

async fn echoes<C: WebSocketChannel + Unpin>(channel: &mut C, message: impl Into<Message>) {
    let message = message.into();
    channel.send(message.clone()).await.expect("the channel is open");
    assert_eq!(received(channel).await, message);
}

/// What the server counts under a path.
async fn count(path: &str) -> u32 {
    let text = received(&mut open(path).await).await;
    text.as_text().and_then(|text| text.parse().ok()).expect("a number comes")
}

/// Lets the page do what it has to, until something holds; at most 10 s.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        turn(50).await;
    }
    panic!("it does not come to hold");
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: u32) -> JsValue;
}

/// Gives the page some milliseconds.
async fn turn(milliseconds: u32) {
    let promise = Promise::new(&mut |resolve: Function, _| {
        set_timeout(&resolve, milliseconds);
    });
    JsFuture::from(promise).await.expect("it resolves");
}
