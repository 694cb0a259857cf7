//! `JsonChannel`, over a channel of strings or of bytes.

use std::collections::HashMap;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use ws_channel::StreamChannelExt;
use ws_channel::stream_channel::{Closed, Duplex, JsonChannel, JsonError, LinesChannel, duplex};

use crate::support::run;

fn pair<T>() -> (JsonChannel<Duplex<String>, T>, Duplex<String>) {
    let (near, far) = duplex(4);
    (JsonChannel::new(near), far)
}

#[test]
fn a_document_that_comes_is_a_value() {
    let (mut channel, mut far) = pair::<Value>();
    run(async {
        far.send(r#"{"foo": "bar"}"#.into()).await.unwrap();
        assert_eq!(channel.next().await.unwrap().unwrap(), json!({ "foo": "bar" }));
    });
}

#[test]
fn a_value_that_goes_is_a_document() {
    let (mut channel, mut far) = pair();
    run(async {
        channel.send(json!({ "foo": "bar" })).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), r#"{"foo":"bar"}"#);
    });
}

#[test]
fn what_is_no_document_is_an_error_item_and_the_stream_goes_on() {
    let (mut channel, mut far) = pair::<u32>();
    run(async {
        for text in ["{invalid", "", "\"a string\"", "1 2", "-1", "7"] {
            far.send(text.into()).await.unwrap();
            let item = channel.next().await.unwrap();
            if text == "7" {
                assert_eq!(item.unwrap(), 7);
            } else {
                assert!(matches!(item, Err(JsonError::Decode(_))), "{text}: {item:?}");
            }
        }
    });
}

#[test]
fn a_value_that_cannot_be_encoded_is_an_error_of_the_send_and_nothing_goes() {
    let (mut channel, mut far) = pair::<HashMap<(u8, u8), u8>>();
    run(async {
        let refused = channel.send(HashMap::from([((1, 2), 3)])).await;
        assert!(matches!(refused, Err(JsonError::Encode(_))), "{refused:?}");
        channel.send(HashMap::new()).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), "{}");
    });
}

#[test]
fn another_type_goes_than_comes() {
    let (near, far) = duplex::<String>(4);
    let mut asking = JsonChannel::<_, usize, Vec<String>>::new(near);
    let mut answering = JsonChannel::<_, Vec<String>, usize>::new(far);
    run(async {
        asking.send(vec!["a".into(), "b".into()]).await.unwrap();
        let asked = answering.next().await.unwrap().unwrap();
        answering.send(asked.len()).await.unwrap();
        assert_eq!(asking.next().await.unwrap().unwrap(), 2);
    });
}

#[test]
fn documents_go_over_bytes_as_well() {
    let (near, mut far) = duplex::<Vec<u8>>(4);
    let mut near = JsonChannel::<_, Value>::new(near);
    run(async {
        near.send(json!("grüße")).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), "\"grüße\"".as_bytes());
        far.send(b"\"\xff\"".to_vec()).await.unwrap();
        assert!(matches!(near.next().await, Some(Err(JsonError::Decode(_)))));
        far.send(b"[]".to_vec()).await.unwrap();
        assert_eq!(near.next().await.unwrap().unwrap(), json!([]));
    });
}

#[test]
fn a_document_in_a_document_is_no_danger_to_the_stack() {
    let (mut channel, mut far) = pair::<Value>();
    run(async {
        far.send("[".repeat(1_000_000)).await.unwrap();
        assert!(matches!(channel.next().await, Some(Err(JsonError::Decode(_)))));
    });
}

#[test]
fn closing_closes_the_channel_below_whose_end_is_the_end() {
    let (mut channel, mut far) = pair::<u8>();
    run(async {
        channel.close().await.unwrap();
        assert!(far.next().await.is_none());
        assert!(channel.next().await.is_none());
        let late = channel.send(1).await;
        assert!(matches!(late, Err(JsonError::Channel(Closed::Ended))), "{late:?}");
    });
}

/// "composes with jsonDocument" of `newline_delimited_transformer_test`
#[test]
fn documents_go_in_lines() {
    let (near, mut far) = duplex::<Vec<u8>>(4);
    let mut channel = JsonChannel::<_, Value>::new(LinesChannel::new(near));
    run(async {
        channel.send(json!({ "a": "two\nlines" })).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), b"{\"a\":\"two\\nlines\"}\n");
        far.send(b"1\n[2]\n{\"thr".to_vec()).await.unwrap();
        far.send(b"ee\":3}\n".to_vec()).await.unwrap();
        for value in [json!(1), json!([2]), json!({ "three": 3 })] {
            assert_eq!(channel.next().await.unwrap().unwrap(), value);
        }
    });
}

#[test]
fn it_is_a_transformer() {
    let (near, far) = duplex::<String>(4);
    let mut near = near.transform(&JsonChannel::<_, u8>::new);
    let mut far = far.transform(&JsonChannel::<_, u8>::new).with_guarantees();
    run(async {
        near.send(1).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), 1);
    });
}
