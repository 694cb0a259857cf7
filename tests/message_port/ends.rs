//! The rules of channels, and how either end ends.

use futures::{FutureExt, SinkExt, StreamExt};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_channel::stream_channel::Closed;
use ws_channel::{PortError, StreamChannelExt};

use super::{number, pair, turn};

#[wasm_bindgen(inline_js = "
    export function a_function() {
        return () => {};
    }
")]
extern "C" {
    fn a_function() -> JsValue;
}

const ENDED: PortError = PortError::Closed(Closed::Ended);

#[wasm_bindgen_test]
async fn what_is_sent_comes_out_at_the_other_end_in_both_directions() {
    let (mut near, mut far) = pair(4);
    for n in 0..3 {
        near.send(n.into()).await.unwrap();
        far.send((10 + n).into()).await.unwrap();
    }
    for n in 0..3 {
        assert_eq!(number(&mut far).await, n);
        assert_eq!(number(&mut near).await, 10 + n);
    }
}

#[wasm_bindgen_test]
async fn a_value_of_any_kind_arrives_as_it_is() {
    let (mut near, mut far) = pair(8);
    // Among them what the channel itself sends.
    for text in ["null", "7", "[]", "[null]", "\"text\"", "{\"a\":[1]}"] {
        near.send(js_sys::JSON::parse(text).unwrap()).await.unwrap();
        let came = far.next().await.unwrap().unwrap();
        assert_eq!(js_sys::JSON::stringify(&came).unwrap(), text);
    }
    near.send(JsValue::UNDEFINED).await.unwrap();
    assert!(far.next().await.unwrap().unwrap().is_undefined());
}

#[wasm_bindgen_test]
async fn a_channel_of_text_is_a_mapping() {
    let (near, far) = pair(4);
    let text = |value: JsValue| value.as_string().ok_or(PortError::Unexpected);
    let mut near = near.try_map_channel(text, |text: String| Ok(text.into()));
    let mut far = far.try_map_channel(text, |text: String| Ok(text.into()));
    near.send("grüße".to_owned()).await.unwrap();
    assert_eq!(far.next().await.unwrap().unwrap(), "grüße");
}

#[wasm_bindgen_test]
async fn whatever_is_sent_after_close_is_an_error() {
    let (mut near, _far) = pair(4);
    near.close().await.unwrap();
    assert_eq!(near.send(1.into()).await, Err(ENDED));
    assert_eq!(near.feed(1.into()).await, Err(ENDED));
    let mut items = futures::stream::iter([Ok(JsValue::from(1))]);
    assert_eq!(near.send_all(&mut items).await, Err(ENDED));
    near.close().await.unwrap();
}

#[wasm_bindgen_test]
async fn closing_the_sink_ends_the_stream_before_it_yields_more() {
    let (mut near, mut far) = pair(8);
    for n in 1..=5 {
        far.send(n.into()).await.unwrap();
    }
    assert_eq!(number(&mut near).await, 1);
    near.close().await.unwrap();
    assert!(near.next().await.is_none());
    turn(20).await;
    assert!(near.next().await.is_none());
}

#[wasm_bindgen_test]
async fn closing_one_end_ends_the_other_after_what_was_sent() {
    let (mut near, mut far) = pair(4);
    near.send(1.into()).await.unwrap();
    near.send(2.into()).await.unwrap();
    near.close().await.unwrap();
    assert_eq!(number(&mut far).await, 1);
    assert_eq!(number(&mut far).await, 2);
    assert!(far.next().await.is_none());
    assert!(far.next().await.is_none());
    assert_eq!(far.send(3.into()).await, Err(ENDED));
    far.close().await.unwrap();
}

#[wasm_bindgen_test]
async fn dropping_one_end_ends_the_other_after_what_was_sent() {
    let (mut near, mut far) = pair(4);
    near.send(1.into()).await.unwrap();
    drop(near);
    assert_eq!(number(&mut far).await, 1);
    assert!(far.next().await.is_none());
}

#[wasm_bindgen_test]
async fn a_thousand_items_arrive_before_the_end_that_follows_them() {
    let (mut near, mut far) = pair(1000);
    // The end stands in the way of nothing that was posted before it.
    far.send(0.into()).await.unwrap();
    assert_eq!(number(&mut near).await, 0);
    for n in 0..1000 {
        near.feed(n.into()).await.unwrap();
    }
    drop(near);
    for n in 0..1000 {
        assert_eq!(number(&mut far).await, n);
    }
    assert!(far.next().await.is_none());
}

#[wasm_bindgen_test]
async fn dropping_the_reading_half_has_no_effect_on_the_sink() {
    let (near, mut far) = pair(4);
    let (mut sink, stream) = near.into_halves();
    drop(stream);
    for n in 1..=3 {
        sink.send(n.into()).await.unwrap();
    }
    for n in 1..=3 {
        assert_eq!(number(&mut far).await, n);
    }
}

#[wasm_bindgen_test]
async fn a_sender_notices_the_end_though_nobody_reads() {
    let (near, mut far) = pair(4);
    let (mut sink, stream) = near.into_halves();
    drop(stream);
    sink.send(1.into()).await.unwrap();
    far.close().await.unwrap();
    // It has room for three more, and then waits for the end.
    for _ in 0..3 {
        if sink.send(2.into()).await.is_err() {
            break;
        }
    }
    assert_eq!(sink.send(3.into()).await, Err(ENDED));
}

#[wasm_bindgen_test]
async fn a_value_that_cannot_be_cloned_is_an_error_of_the_send_and_nothing_goes() {
    let (mut near, mut far) = pair(1);
    for _ in 0..3 {
        // Code does not go from thread to thread.
        let refused = near.send(a_function()).await;
        assert!(matches!(refused, Err(PortError::Refused { reason, .. }) if !reason.is_empty()));
    }
    // Room for one was there, and still is.
    near.send(1.into()).now_or_never().expect("there is room").unwrap();
    assert_eq!(number(&mut far).await, 1);
}

#[wasm_bindgen_test]
async fn a_buffer_is_moved_and_a_port_goes_along() {
    let (mut near, mut far) = pair(2);
    let buffer = js_sys::ArrayBuffer::new(1 << 20);
    futures::future::poll_fn(|cx| near.poll_ready_unpin(cx)).await.unwrap();
    near.start_send_transferring(buffer.clone().into(), &js_sys::Array::of1(&buffer)).unwrap();
    assert_eq!(buffer.byte_length(), 0);
    let came: js_sys::ArrayBuffer = far.next().await.unwrap().unwrap().unchecked_into();
    assert_eq!(came.byte_length(), 1 << 20);
}
