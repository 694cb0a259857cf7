//! Frames as JSON, as Dart's `MultiChannel` over `jsonDocument` writes and reads them.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::stream_channel::{Frame, JsonChannel, JsonError, MultiChannel, duplex};

use crate::support::run;

#[test]
fn a_frame_is_a_list_of_an_id_and_a_message_or_of_an_id() {
    let frame = |id, message: Option<Value>| Frame::from((id, message));
    for (frame, text) in [
        (frame(0, Some(json!({ "a": 1 }))), r#"[0,{"a":1}]"#),
        (frame(7, Some(Value::Null)), "[7,null]"),
        (frame(8, None), "[8]"),
    ] {
        assert_eq!(serde_json::to_string(&frame).unwrap(), text);
        assert_eq!(serde_json::from_str::<Frame<Value>>(text).unwrap(), frame);
    }
}

#[test]
fn an_id_may_be_a_whole_floating_number_as_dart_on_the_web_writes_it() {
    let read = |text| serde_json::from_str::<Frame<u8>>(text);
    assert_eq!(read("[3.0,1]").unwrap(), Frame::Message { id: 3, message: 1 });
    assert_eq!(read("[3e0]").unwrap(), Frame::Close { id: 3 });
    assert_eq!(read("[3,1,2]").unwrap(), Frame::Message { id: 3, message: 1 });
    for text in ["[]", "[1.5]", "[-1]", "[-1.0,1]", "[1e300]", "[\"1\"]", "1", "{}", "[1,\"x\"]"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn channels_of_documents_run_over_a_channel_of_text() {
    let (near, mut wire) = duplex::<String>(16);
    let mut near = MultiChannel::new(JsonChannel::<_, Frame<Value>>::new(near));
    run(async {
        let mut call = near.open();
        near.send(json!(call.id())).await.unwrap();
        call.send(json!({ "method": "add" })).await.unwrap();
        assert_eq!(wire.next().await.unwrap().unwrap(), "[0,1]");
        assert_eq!(wire.next().await.unwrap().unwrap(), r#"[1,{"method":"add"}]"#);

        wire.send("[2,3]".into()).await.unwrap();
        wire.send("no frame".into()).await.unwrap();
        wire.send("[2]".into()).await.unwrap();
        assert_eq!(call.next().await.unwrap().unwrap(), json!(3));
        assert!(call.next().await.is_none());
        assert_eq!(wire.next().await.unwrap().unwrap(), "[1]");
        let told = near.next().await.unwrap();
        assert!(matches!(told, Err(JsonError::Decode(_))), "{told:?}");
    });
}
