//! Sockets that the page has already: the eight cases of Dart's `html_test`.

use futures::{SinkExt, StreamExt};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{BinaryType, WebSocket};
use ws_channel::{ConnectErrorKind, Error, ReadyState, WebSocketChannel, status};

use super::{BrowserChannel, count, echoes, open, received, until, url};

/// "communicates using an existing WebSocket", which there gives Blobs until it is told otherwise.
/// Here it is told when it is wrapped.
#[wasm_bindgen_test]
async fn an_existing_socket_gives_text_and_bytes_whatever_its_binary_type_was() {
    let socket = WebSocket::new(&url("/")).unwrap();
    assert_eq!(socket.binary_type(), BinaryType::Blob);
    let mut channel = BrowserChannel::from(socket);
    channel.ready().await.unwrap();
    echoes(&mut channel, "text").await;
    echoes(&mut channel, vec![1, 2, 3]).await;
}

/// "communicates using an existing open WebSocket"
#[wasm_bindgen_test]
async fn an_open_socket_is_wrapped_and_given_back() {
    let socket = open("/").await.into_inner().expect("it is a WebSocket");
    assert_eq!(socket.ready_state(), WebSocket::OPEN);
    let mut channel = BrowserChannel::from(socket);
    assert_eq!(channel.ready_state(), ReadyState::Open);
    assert_eq!(channel.url(), url("/"));
    channel.ready().await.unwrap();
    echoes(&mut channel, "text").await;
}

/// "communicates using a connecting WebSocket": `ready` waits for it, and so does sending.
#[wasm_bindgen_test]
async fn a_connecting_socket_is_ready_when_it_is_open() {
    let socket = WebSocket::new_with_str(&url("/"), "echo").unwrap();
    let mut channel = BrowserChannel::from(socket.clone());
    assert_eq!((channel.ready_state(), channel.protocol()), (ReadyState::Connecting, None));
    channel.ready().await.unwrap();
    assert_eq!((channel.ready_state(), channel.protocol()), (ReadyState::Open, Some("echo")));
    assert_eq!(channel.get_ref(), Some(&socket));

    let mut channel = BrowserChannel::from(WebSocket::new(&url("/")).unwrap());
    echoes(&mut channel, "at once").await;
}

/// "communicates using an existing closed WebSocket", whose `ready` throws "WebSocket state error: 2".
#[wasm_bindgen_test]
async fn a_closing_or_closed_socket_is_never_ready() {
    let socket = open("/").await.into_inner().expect("it is a WebSocket");
    socket.close().unwrap();
    let mut closing = BrowserChannel::from(socket.clone());
    assert_eq!(closing.ready_state(), ReadyState::Closing);
    assert!(closing.ready().await.unwrap_err().is_closed());
    assert!(closing.send("late".into()).await.unwrap_err().is_closed());
    assert!(closing.next().await.is_none());
    assert_eq!(closing.close_code(), Some(status::NO_STATUS_RECEIVED));

    let mut closed = BrowserChannel::from(socket);
    assert_eq!(closed.ready_state(), ReadyState::Closed);
    assert!(closed.ready().await.unwrap_err().is_closed());
    assert!(closed.send("late".into()).await.unwrap_err().is_closed());
    assert!(closed.next().await.is_none());
    assert_eq!(closed.close_code(), Some(status::ABNORMAL_CLOSURE));
}

/// ".connect defaults to binary lists", and the same by the platform independent call.
#[wasm_bindgen_test]
async fn connecting_gives_bytes() {
    echoes(&mut open("/").await, vec![1, 2, 3]).await;
    let mut channel = WebSocketChannel::connect(url("/")).await.unwrap();
    let _: &BrowserChannel = &channel;
    echoes(&mut channel, vec![1, 2, 3]).await;
}

/// ".connect can use blobs": not here. A page that asks for them is told.
#[wasm_bindgen_test]
async fn a_blob_ends_the_channel_with_an_error() {
    let mut channel = open("/").await;
    channel.get_ref().expect("it is a WebSocket").set_binary_type(BinaryType::Blob);
    channel.send(vec![1].into()).await.unwrap();
    match channel.next().await {
        Some(Err(Error::Io(error))) => assert!(error.to_string().contains("binaryType")),
        other => panic!("{other:?}"),
    }
    assert!(channel.next().await.is_none());
    // It is no overflow, of which the peer would be told with a code.
    assert_eq!(channel.close_code(), Some(status::NO_STATUS_RECEIVED));
}

/// ".connect wraps a connection error": the stream tells it, since nobody awaited the attempt.
#[wasm_bindgen_test]
async fn a_wrapped_attempt_that_fails_is_told_by_the_stream() {
    let mut channel = BrowserChannel::from(WebSocket::new("ws://127.0.0.1:1/").unwrap());
    assert!(channel.ready().await.unwrap_err().is_closed());
    match channel.next().await {
        Some(Err(Error::Connect(error))) => {
            assert!(matches!(error.kind(), ConnectErrorKind::Unknown), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
    assert!(channel.next().await.is_none());
}

#[wasm_bindgen_test]
async fn a_wrapped_attempt_can_be_closed() {
    let mut channel = BrowserChannel::from(WebSocket::new(&url("/silent")).unwrap());
    assert_eq!(channel.ready_state(), ReadyState::Connecting);
    let event = channel.close(1000, "never mind").await.unwrap();
    assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false));
    assert!(channel.next().await.is_none());
}

#[wasm_bindgen(inline_js = "
    export function dispatch_messages(socket, which) {
        const given_away = new ArrayBuffer(8);
        structuredClone(given_away, {transfer: [given_away]});
        const wrong = [null, given_away, {byteLength: 1, get length() { throw 'no'; }}];
        for (const event of [new Event('open'),
                             new MessageEvent('message', {data: 'made up'}),
                             new MessageEvent('message', {data: wrong[which]})])
            socket.dispatchEvent(event);
    }
    export function dispatch_close(socket) {
        socket.dispatchEvent(Object.assign(new Event('close'), {wasClean: true}));
    }
")]
extern "C" {
    fn dispatch_messages(socket: &WebSocket, which: usize);
    fn dispatch_close(socket: &WebSocket);
}

/// A page can dispatch what it likes.
#[wasm_bindgen_test]
async fn events_that_the_page_makes_up_end_nothing_but_the_channel() {
    for wrong in 0..3 {
        let mut channel = open("/").await;
        let socket = channel.get_ref().expect("it is a WebSocket").clone();
        dispatch_messages(&socket, wrong);
        assert_eq!(received(&mut channel).await, "made up");
        assert!(matches!(channel.next().await, Some(Err(Error::Io(_)))), "{wrong}");
    }

    let channel = open("/held").await;
    let socket = channel.get_ref().expect("it is a WebSocket").clone();
    dispatch_close(&socket);
    until(async || channel.close_event().is_some()).await;
    let event = channel.close_event().unwrap();
    assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false));
    assert_eq!(count("/holding").await, 1);
    drop(channel);
    until(async || count("/holding").await == 0).await;
}
