//! What is left of channels that are over: nothing.

use futures::{FutureExt, SinkExt, StreamExt};
use wasm_bindgen::externref_heap_live_count;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_channel::PortChannel;

use super::{number, pair, ports};

#[wasm_bindgen(inline_js = "
    let count = 0;
    const {addEventListener, removeEventListener} = EventTarget.prototype;
    export function count_listeners() {
        count = 0;
        MessagePort.prototype.addEventListener = function (...given) {
            count += 1;
            return addEventListener.apply(this, given);
        };
        MessagePort.prototype.removeEventListener = function (...given) {
            count -= 1;
            return removeEventListener.apply(this, given);
        };
    }
    export function listeners() {
        return count;
    }
")]
extern "C" {
    /// Has the page count the listeners of its ports.
    fn count_listeners();
    fn listeners() -> i32;
}

/// Opens, uses and drops that many channels; every third is closed before.
async fn use_up(channels: usize) {
    for number_of in 0..channels {
        let (mut near, mut far) = pair(4);
        near.send(1.into()).await.unwrap();
        assert_eq!(number(&mut far).await, 1);
        // What nobody reads.
        near.send(JsValue::from("unread")).await.unwrap();
        if number_of % 3 == 0 {
            near.close().await.unwrap();
            while far.next().await.is_some() {}
        }
        assert!(PortChannel::accept(&ports().0, 4).now_or_never().is_none());
    }
}

#[wasm_bindgen_test]
async fn a_thousand_channels_leave_no_listener_and_no_object() {
    use_up(10).await;
    count_listeners();
    let objects = externref_heap_live_count();
    use_up(1000).await;
    assert_eq!(listeners(), 0);
    assert_eq!(externref_heap_live_count(), objects);
}
