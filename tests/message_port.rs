//! A channel over the two ports of a `MessageChannel`, and to a worker.
//!
//! Run in a browser by `scripts/page.sh`. The cases of Dart's `isolate_channel_test` are in the table of
//! `tests/stream_channel`.
#![cfg(target_family = "wasm")]

#[path = "message_port/by_hand.rs"]
mod by_hand;
#[path = "message_port/connecting.rs"]
mod connecting;
#[path = "message_port/ends.rs"]
mod ends;
#[path = "message_port/leaks.rs"]
mod leaks;
#[path = "message_port/room.rs"]
mod room;

use std::task::Poll;

use futures::{FutureExt, Stream, StreamExt};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test_configure;
use web_sys::{MessageChannel, MessagePort};
use ws_channel::{PortChannel, PortError};

wasm_bindgen_test_configure!(run_in_browser);

/// Two ports that are connected.
fn ports() -> (MessagePort, MessagePort) {
    let ends = MessageChannel::new().expect("the page has ports");
    (ends.port1(), ends.port2())
}

/// Two channels that are connected.
fn pair(capacity: usize) -> (PortChannel, PortChannel) {
    let (near, far) = ports();
    (PortChannel::new(near, capacity), PortChannel::new(far, capacity))
}

/// What comes next, as a number.
async fn number(stream: &mut (impl Stream<Item = Result<JsValue, PortError>> + Unpin)) -> i32 {
    let item = stream.next().await.expect("it is open").expect("an item comes");
    let number = item.as_f64().expect("it is a number");
    assert!(number.fract().abs() < f64::EPSILON, "{number} is whole");
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and was an i32")]
    return number as i32;
}

/// Whether something is ready, without waiting for it.
fn now<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    (&mut future).now_or_never().map_or(Poll::Pending, Poll::Ready)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: u32) -> JsValue;
}

/// Lets the page do what it has to, until something holds; at most 10 s.
async fn until(holds: impl Fn() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        turn(10).await;
    }
    panic!("it does not come to hold");
}

/// Gives the page some milliseconds.
async fn turn(milliseconds: u32) {
    let promise = Promise::new(&mut |resolve: Function, _| {
        set_timeout(&resolve, milliseconds);
    });
    JsFuture::from(promise).await.expect("it resolves");
}
