//! What is left of connections that are over: nothing.

use super::{Connect, count, echoes, over_socket, over_stream, until};
use wasm_bindgen::externref_heap_live_count;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen(inline_js = "
    let count = 0;
    const {addEventListener, removeEventListener} = EventTarget.prototype;
    export function count_listeners() {
        WebSocket.prototype.addEventListener = function (...given) {
            count += 1;
            return addEventListener.apply(this, given);
        };
        WebSocket.prototype.removeEventListener = function (...given) {
            count -= 1;
            return removeEventListener.apply(this, given);
        };
    }
    export function listeners() {
        return count;
    }
")]
extern "C" {
    /// Has the page count the listeners of its sockets.
    fn count_listeners();
    fn listeners() -> i32;
}

/// The bytes of the program's memory.
fn memory() -> u32 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length()
}

/// Opens, uses and drops that many connections; every third is closed before.
async fn use_up(connections: usize, way: fn(&str) -> Connect) {
    for number in 0..connections {
        let mut channel = way("/held").await.unwrap();
        echoes(&mut channel, "text").await;
        echoes(&mut channel, vec![0; 1000]).await;
        if number % 3 == 0 {
            channel.close(1000, "").await.unwrap();
        }
    }
    until(async || count("/holding").await == 0).await;
}

#[wasm_bindgen_test]
async fn a_thousand_connections_leave_no_listener_no_object_and_no_memory() {
    count_listeners();
    use_up(50, over_socket).await;
    let (objects, bytes) = (externref_heap_live_count(), memory());
    use_up(1000, over_socket).await;
    assert_eq!(listeners(), 0);
    assert_eq!(externref_heap_live_count(), objects);
    assert_eq!(memory(), bytes);
}

#[wasm_bindgen_test]
async fn a_thousand_streams_of_the_page_leave_no_object_and_no_memory() {
    use_up(50, over_stream).await;
    let (objects, bytes) = (externref_heap_live_count(), memory());
    use_up(1000, over_stream).await;
    until(async || externref_heap_live_count() <= objects).await;
    assert_eq!(memory(), bytes);
}
