//! The channel of a browser: what it does beside the conformance suite.
//!
//! Run in a browser, with the address of an echo server in `WS_CHANNEL_ECHO` at compile time.
#![cfg(target_family = "wasm")]

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::WebSocket;
use ws_channel::{
    BrowserChannel, CloseCode, ConnectErrorKind, Error, Initiator, Message, ReadyState,
    WebSocketChannel, status,
};

wasm_bindgen_test_configure!(run_in_browser);

/// Where the echo server is.
const ECHO: &str = match option_env!("WS_CHANNEL_ECHO") {
    Some(url) => url,
    None => "ws://127.0.0.1:9001",
};

async fn echo() -> BrowserChannel {
    WebSocketChannel::connect(ECHO).await.expect("the echo server is there")
}

/// The kind of the error with which an attempt fails.
fn kind(error: &Error) -> &ConnectErrorKind {
    match error {
        Error::Connect(error) => error.kind(),
        other => panic!("an attempt fails with Error::Connect, not {other:?}"),
    }
}

#[wasm_bindgen_test]
async fn text_and_bytes_come_back_in_order() {
    let mut channel = echo().await;
    assert_eq!(channel.ready_state(), ReadyState::Open);
    let messages = ["", "grüße 🎈", "x"].map(Message::from).into_iter();
    let messages: Vec<_> = messages.chain([Message::from(vec![0, 255]), vec![].into()]).collect();
    for message in &messages {
        channel.send(message.clone()).await.unwrap();
    }
    for message in messages {
        assert_eq!(channel.next().await.unwrap().unwrap(), message);
    }
}

#[wasm_bindgen_test]
async fn a_close_resolves_to_the_peers_event() {
    let mut channel = echo().await;
    let event = channel.close(4001, "bye").await.unwrap();
    assert_eq!((event.code, &*event.reason, event.was_clean), (CloseCode::new(4001), "bye", true));
    assert_eq!(event.initiator, Initiator::Local);
    assert_eq!(channel.ready_state(), ReadyState::Closed);
    assert!(channel.next().await.is_none());
    assert!(channel.send("late".into()).await.unwrap_err().is_closed());
}

#[wasm_bindgen_test]
async fn codes_that_a_page_may_not_send_leave_the_channel_open() {
    let mut channel = echo().await;
    for code in [status::GOING_AWAY, status::INTERNAL_SERVER_ERROR, CloseCode::new(2999)] {
        let refused = channel.close(code, "").await;
        assert!(matches!(refused, Err(Error::CloseFrame(_))), "{refused:?}");
    }
    channel.send("still open".into()).await.unwrap();
    assert_eq!(channel.next().await.unwrap().unwrap(), "still open");
}

#[wasm_bindgen_test]
async fn of_two_subprotocols_one_is_agreed_on() {
    let connect = WebSocketChannel::connect(ECHO).protocols(["nobody", "echo"]);
    let channel: BrowserChannel = connect.await.unwrap();
    assert_eq!(channel.protocol(), Some("echo"));
}

#[wasm_bindgen_test]
async fn a_refused_connection_is_an_error_of_the_attempt() {
    let failed = BrowserChannel::connect("ws://user:secret@127.0.0.1:1/").await.unwrap_err();
    assert!(matches!(kind(&failed), ConnectErrorKind::Unknown), "{failed:?}");
    assert!(failed.to_string().starts_with("connecting to ws://127.0.0.1:1/ failed: "), "{failed}");
}

#[wasm_bindgen_test]
async fn what_the_page_refuses_is_an_error_of_the_attempt() {
    for url in ["ftp://example.com/", "ws://example.com/#there", "ws://h:99999/"] {
        let failed = BrowserChannel::connect(url).await.unwrap_err();
        assert!(matches!(kind(&failed), ConnectErrorKind::Refused(_)), "{failed:?}");
    }
    let twice = BrowserChannel::connect(ECHO).protocols(["a", "a"]).await.unwrap_err();
    assert!(matches!(kind(&twice), ConnectErrorKind::Refused(_)), "{twice:?}");
}

#[wasm_bindgen_test]
async fn a_zero_timeout_ends_the_attempt() {
    let failed = BrowserChannel::connect(ECHO).timeout(Duration::ZERO).await.unwrap_err();
    assert!(failed.is_timeout(), "{failed:?}");
}

#[wasm_bindgen_test]
async fn an_open_socket_is_wrapped() {
    let socket = WebSocket::new(ECHO).unwrap();
    let mut first = BrowserChannel::from(socket);
    assert_eq!(first.ready_state(), ReadyState::Connecting);
    first.ready().await.unwrap();
    let socket = first.into_inner().expect("it is a WebSocket");
    assert_eq!(socket.ready_state(), WebSocket::OPEN);

    let mut second = BrowserChannel::from(socket);
    assert_eq!(second.ready_state(), ReadyState::Open);
    second.send(vec![7].into()).await.unwrap();
    assert_eq!(second.next().await.unwrap().unwrap(), Message::from([7]));
}

#[wasm_bindgen_test]
async fn a_stream_of_the_page_keeps_the_same_promises() {
    let mut channel = BrowserChannel::connect(ECHO)
        .protocols(["echo"])
        .web_socket_stream()
        .await
        .expect("Chromium has it");
    assert!(channel.get_ref().is_none());
    assert_eq!((channel.protocol(), channel.ready_state()), (Some("echo"), ReadyState::Open));
    for message in [Message::from("text"), Message::from(vec![1, 2, 3])] {
        channel.send(message.clone()).await.unwrap();
        assert_eq!(channel.next().await.unwrap().unwrap(), message);
    }
    let event = channel.close(4001, "bye").await.unwrap();
    assert_eq!((event.code, &*event.reason, event.was_clean), (CloseCode::new(4001), "bye", true));
    assert!(channel.next().await.is_none());

    let failed =
        BrowserChannel::connect("ws://127.0.0.1:1/").web_socket_stream().await.unwrap_err();
    assert!(matches!(kind(&failed), ConnectErrorKind::Unknown), "{failed:?}");
}
