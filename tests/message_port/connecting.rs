//! How two threads come to have a channel.

use futures::{FutureExt, SinkExt, StreamExt};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_channel::stream_channel::{Closed, Deferred};
use ws_channel::{PortChannel, PortError};

use super::{number, ports, turn};

#[wasm_bindgen(inline_js = "
    export function start_worker(script) {
        return new Worker(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})));
    }
    export function end_worker(worker) {
        worker.terminate();
    }
")]
extern "C" {
    fn start_worker(script: &str) -> web_sys::EventTarget;
    fn end_worker(worker: &web_sys::EventTarget);
}

/// A worker that offers a channel, and sends each number back with one added.
const ADDS_ONE: &str = "
    const {port1, port2} = new MessageChannel();
    let room = 0;
    port1.onmessage = ({data}) => {
        if (data === null) port1.close();
        else if (typeof data == 'number') room += data;
        else {
            port1.postMessage(1);
            port1.postMessage([data[0] + 1]);
        }
    };
    port1.postMessage(1);
    postMessage(port2, [port2]);
";

/// A worker that accepts a channel, and says what it was offered through it.
const ACCEPTS: &str = "
    onmessage = ({data: port}) => {
        port.onmessage = ({data}) => {
            if (data === null) port.close();
            else if (Array.isArray(data)) port.postMessage([data[0] * 2]);
        };
        port.postMessage(10);
    };
";

#[wasm_bindgen_test]
async fn who_accepts_and_who_offers_are_connected() {
    let (here, there) = ports();
    let accepting = PortChannel::accept(&here, 4);
    let mut offered = PortChannel::offer(&there, 4).unwrap();
    let mut accepted = accepting.await.unwrap();
    for n in 1..=3 {
        accepted.send(n.into()).await.unwrap();
        offered.send((n + 3).into()).await.unwrap();
    }
    for n in 1..=3 {
        assert_eq!(number(&mut offered).await, n);
        assert_eq!(number(&mut accepted).await, n + 3);
    }
}

#[wasm_bindgen_test]
async fn a_worker_offers_what_the_page_accepts() {
    let worker = start_worker(ADDS_ONE);
    let mut channel = PortChannel::accept(&worker, 4).await.unwrap();
    for n in 0..10 {
        channel.send(n.into()).await.unwrap();
        assert_eq!(number(&mut channel).await, n + 1);
    }
    channel.close().await.unwrap();
    end_worker(&worker);
}

#[wasm_bindgen_test]
async fn the_page_offers_what_a_worker_accepts() {
    let worker = start_worker(ACCEPTS);
    let mut channel = PortChannel::offer(&worker, 4).unwrap();
    for n in 0..3 {
        channel.send(n.into()).await.unwrap();
        assert_eq!(number(&mut channel).await, 2 * n);
    }
    end_worker(&worker);
}

#[wasm_bindgen_test]
async fn a_first_message_that_is_no_offer_is_an_error() {
    let (here, there) = ports();
    let accepting = PortChannel::accept(&here, 4);
    there.post_message(&"no port".into()).unwrap();
    assert_eq!(accepting.await.unwrap_err(), PortError::Unexpected);
}

#[wasm_bindgen_test]
async fn an_offer_that_came_and_is_not_taken_is_closed() {
    let (here, there) = ports();
    let accepting = PortChannel::accept(&here, 4);
    let mut offered = PortChannel::offer(&there, 4).unwrap();
    turn(20).await;
    drop(accepting);
    assert!(offered.next().await.is_none());
}

#[wasm_bindgen_test]
async fn a_channel_that_is_still_accepted_can_be_used_and_closed() {
    let (here, there) = ports();
    let mut channel = Deferred::new(PortChannel::accept(&here, 4), 4);
    channel.feed(JsValue::from(1)).await.unwrap();
    let mut offered = PortChannel::offer(&there, 4).unwrap();
    channel.flush().await.unwrap();
    assert_eq!(number(&mut offered).await, 1);

    let (here, _there) = ports();
    let mut channel = Deferred::new(PortChannel::accept(&here, 4), 4);
    SinkExt::<JsValue>::close(&mut channel).now_or_never().expect("it waits for nothing").unwrap();
    assert!(channel.next().await.is_none());
    assert_eq!(channel.send(JsValue::from(1)).await, Err(PortError::Closed(Closed::Ended)));
}

#[wasm_bindgen_test]
async fn closing_before_the_other_end_is_there_is_told_to_it() {
    let (near, far) = ports();
    let mut near = PortChannel::new(near, 4);
    near.close().now_or_never().expect("it waits for nothing").unwrap();
    turn(20).await;
    let mut far = PortChannel::new(far, 4);
    assert!(far.next().await.is_none());
    assert_eq!(far.send(1.into()).await, Err(PortError::Closed(Closed::Ended)));
}
