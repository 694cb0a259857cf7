//! The other end is a script.

use futures::{SinkExt, StreamExt};
use js_sys::{Array, JSON};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::MessagePort;
use ws_channel::stream_channel::Closed;
use ws_channel::{PortChannel, PortError};

use super::{number, ports, until};

/// A channel, and the port of the script at the other end.
fn beside_a_script(capacity: usize) -> (PortChannel, MessagePort) {
    let (near, far) = ports();
    (PortChannel::new(near, capacity), far)
}

fn post(port: &MessagePort, json: &str) {
    port.post_message(&JSON::parse(json).unwrap()).unwrap();
}

#[wasm_bindgen(inline_js = "
    export function record(port) {
        const came = [];
        port.onmessage = ({data}) => came.push(JSON.stringify(data));
        return came;
    }
    export function tell(port, type) {
        port.dispatchEvent(new Event(type));
    }
")]
extern "C" {
    /// Keeps the documents that come through a port.
    fn record(port: &MessagePort) -> Array;

    /// Has the page say something about a port that it seldom says.
    fn tell(port: &MessagePort, event: &str);
}

fn texts(came: &Array) -> Vec<String> {
    came.iter().filter_map(|text| text.as_string()).collect()
}

#[wasm_bindgen_test]
async fn the_first_message_is_the_room_and_items_are_lists_of_one() {
    let (mut channel, script) = beside_a_script(7);
    let came = record(&script);
    post(&script, "2");
    channel.send("a".into()).await.unwrap();
    channel.send(JsValue::NULL).await.unwrap();
    channel.close().await.unwrap();
    until(|| came.length() == 4).await;
    assert_eq!(texts(&came), ["7", "[\"a\"]", "[null]", "null"]);
}

#[wasm_bindgen_test]
async fn what_was_read_is_told_by_halves() {
    let (mut channel, script) = beside_a_script(4);
    let came = record(&script);
    for json in ["1", "[0]", "[1]", "[2]", "[3]"] {
        post(&script, json);
    }
    for n in 0..4 {
        assert_eq!(number(&mut channel).await, n);
    }
    until(|| came.length() == 3).await;
    assert_eq!(texts(&came), ["4", "2", "2"]);
}

#[wasm_bindgen_test]
async fn a_wrong_first_message_is_an_error_and_the_end() {
    for json in ["[1]", "\"text\"", "{}", "[]", "[1,2]", "true", "-1", "0.5", "1e300"] {
        let (mut channel, script) = beside_a_script(4);
        let came = record(&script);
        post(&script, json);
        post(&script, "[2]");
        assert_eq!(channel.next().await, Some(Err(PortError::Unexpected)), "{json}");
        assert!(channel.next().await.is_none());
        channel.close().await.unwrap();
        until(|| came.length() == 2).await;
        assert_eq!(texts(&came), ["4", "null"]);
    }
}

#[wasm_bindgen_test]
async fn a_wrong_message_later_is_told_after_what_came_before() {
    let (mut channel, script) = beside_a_script(4);
    for json in ["1", "[1]", "\"text\"", "[2]"] {
        post(&script, json);
    }
    assert_eq!(number(&mut channel).await, 1);
    assert_eq!(channel.next().await, Some(Err(PortError::Unexpected)));
    assert!(channel.next().await.is_none());
    assert_eq!(channel.send(1.into()).await, Err(PortError::Closed(Closed::Ended)));
}

#[wasm_bindgen_test]
async fn more_than_there_is_room_for_is_an_error_and_the_end() {
    let (mut channel, script) = beside_a_script(2);
    for json in ["1", "[1]", "[2]", "[3]", "[4]"] {
        post(&script, json);
    }
    // Nothing is read before all of it is there.
    until(|| format!("{channel:?}").contains("is_over: true")).await;
    assert_eq!(number(&mut channel).await, 1);
    assert_eq!(number(&mut channel).await, 2);
    assert_eq!(channel.next().await, Some(Err(PortError::Closed(Closed::Overflow))));
    assert!(channel.next().await.is_none());
}

#[wasm_bindgen_test]
async fn room_that_is_more_than_can_be_counted_does_no_harm() {
    let (mut channel, script) = beside_a_script(2);
    post(&script, "4294967295");
    post(&script, "4294967295");
    let came = record(&script);
    for n in 0..3 {
        channel.send(n.into()).await.unwrap();
    }
    until(|| came.length() == 4).await;
    assert_eq!(texts(&came), ["2", "[0]", "[1]", "[2]"]);
}

#[wasm_bindgen_test]
async fn an_end_that_is_gone_without_a_word_is_lost_after_what_it_sent() {
    let (mut channel, script) = beside_a_script(4);
    post(&script, "1");
    post(&script, "[1]");
    until(|| format!("{channel:?}").contains("unread: 1")).await;
    // As HTML has the page do it; not every browser does.
    tell(channel.get_ref(), "close");
    assert_eq!(number(&mut channel).await, 1);
    assert_eq!(channel.next().await, Some(Err(PortError::Lost)));
    assert!(channel.next().await.is_none());
    assert_eq!(channel.send(1.into()).await, Err(PortError::Closed(Closed::Ended)));
}

#[wasm_bindgen_test]
async fn an_item_that_cannot_be_made_here_is_an_error_item_and_the_stream_goes_on() {
    let (mut channel, script) = beside_a_script(4);
    post(&script, "1");
    post(&script, "[1]");
    until(|| format!("{channel:?}").contains("unread: 1")).await;
    tell(channel.get_ref(), "messageerror");
    post(&script, "[2]");
    assert_eq!(number(&mut channel).await, 1);
    assert_eq!(channel.next().await, Some(Err(PortError::Unreadable)));
    assert_eq!(number(&mut channel).await, 2);
}
