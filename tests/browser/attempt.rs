//! Attempts to connect.

use std::future::IntoFuture;
use std::time::Duration;

use futures::poll;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_channel::{
    ConnectErrorKind, Error, InvalidCloseFrame, ReadyState, Request, WebSocketChannel,
};

use super::{BrowserChannel, Connect, WAYS, count, echoes, open, over_socket, turn, until, url};

/// The kind of the error with which an attempt fails, and its text.
async fn failure(attempt: Connect) -> (String, String) {
    match attempt.await {
        Err(Error::Connect(error)) => (kind(error.kind()).to_owned(), error.to_string()),
        other => panic!("an attempt fails with Error::Connect, not {other:?}"),
    }
}

fn kind(kind: &ConnectErrorKind) -> &'static str {
    match kind {
        ConnectErrorKind::Unknown => "unknown",
        ConnectErrorKind::Refused(_) => "refused",
        ConnectErrorKind::Timeout { .. } => "timeout",
        _ => "another",
    }
}

#[wasm_bindgen_test]
async fn messages_of_both_kinds_come_back() {
    for way in WAYS {
        let mut channel = way("/").await.unwrap();
        assert_eq!(channel.ready_state(), ReadyState::Open);
        assert_eq!((channel.url(), channel.protocol()), (&*url("/"), None));
        for text in ["", "x", "grüße 🎈"] {
            echoes(&mut channel, text).await;
        }
        for bytes in [vec![], vec![0, 255], vec![7; 300_000]] {
            echoes(&mut channel, bytes).await;
        }
    }
}

#[wasm_bindgen_test]
async fn of_several_subprotocols_one_is_agreed_on() {
    for way in WAYS {
        let channel = way("/").protocols(["nobody", "echo"]).await.unwrap();
        assert_eq!(channel.protocol(), Some("echo"));
    }
}

#[wasm_bindgen_test]
async fn a_server_that_is_not_there_is_an_error_of_the_attempt() {
    for way in [Connect::new, |url: &str| Connect::new(url).web_socket_stream()] {
        let (kind, text) = failure(way("ws://user:secret@127.0.0.1:1/")).await;
        assert_eq!(kind, "unknown");
        assert!(text.starts_with("connecting to ws://127.0.0.1:1/ failed: "), "{text}");
    }
}

#[wasm_bindgen_test]
async fn what_the_page_refuses_is_an_error_of_the_attempt() {
    for wrong in ["ftp://example.com/", "ws://example.com/#there", "ws://h:99999/"] {
        assert_eq!(failure(Connect::new(wrong).web_socket_stream()).await.0, "refused", "{wrong}");
    }
    for way in WAYS {
        assert_eq!(failure(way("/").protocols(["a", "a"])).await.0, "refused");
    }
    for wrong in [
        "ftp:/user:secret@h/",
        r"ftp:\\user:secret@h/",
        "//user:secret@h:99999/",
        "\n//user:secret@h:99999/",
        "ws:/\t/user:secret@h:99999/",
    ] {
        let (kind, text) = failure(Connect::new(wrong)).await;
        assert_eq!(kind, "refused", "{wrong}");
        assert!(!text.contains("secret") && !text.contains("user"), "{text}");
    }
}

#[wasm_bindgen_test]
fn a_path_has_no_user_name() {
    for path in ["/@alice/live", "@alice", "?of=a:b@c"] {
        assert_eq!(Connect::new(path).deferred().url(), path);
    }
}

#[wasm_bindgen_test]
async fn a_request_with_headers_is_refused_and_one_without_is_not() {
    let request = Request::new(url("/"));
    let with_header = request.clone().header("Authorization", "Bearer a1b2");
    let (kind, text) = failure(BrowserChannel::connect(with_header)).await;
    assert_eq!(kind, "refused");
    assert!(text.contains("headers"), "{text}");
    let channel = BrowserChannel::connect(request.protocols(["echo"])).await.unwrap();
    assert_eq!(channel.protocol(), Some("echo"));
}

#[wasm_bindgen_test]
async fn an_overflow_code_that_a_page_may_not_send_is_an_error_of_the_attempt() {
    let refused = over_socket("/").overflow_code(1009).await.unwrap_err();
    let Error::CloseFrame(reason) = &refused else { panic!("{refused:?}") };
    assert!(matches!(reason, InvalidCloseFrame::NotByThisEndpoint { .. }));
}

#[wasm_bindgen_test]
async fn a_silent_server_costs_no_more_than_the_timeout() {
    for way in WAYS {
        let attempt = way("/silent").timeout(Duration::from_millis(50));
        assert_eq!(failure(attempt).await.0, "timeout");
    }
}

#[wasm_bindgen_test]
async fn a_dropped_attempt_closes_its_socket() {
    for way in WAYS {
        let mut attempt = way("/held").into_future();
        assert!(poll!(&mut attempt).is_pending());
        drop(attempt);
        turn(50).await;
        until(async || count("/holding").await == 0).await;
    }
}

#[wasm_bindgen_test]
async fn a_dropped_channel_closes_its_socket() {
    for way in WAYS {
        let channel = way("/held").await.unwrap();
        assert_eq!(count("/holding").await, 1);
        drop(channel);
        until(async || count("/holding").await == 0).await;
    }
    drop(open("/").await);
}
