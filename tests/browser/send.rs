//! The handle that is `Send`.

use futures::{SinkExt, StreamExt};
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;
use ws_channel::{
    BoxWebSocketChannel, CloseCode, Error, Initiator, Message, ReadyState, SendChannel,
    WebSocketChannel, status,
};

use super::{count, echoes, flood, open, over_socket, received, until};

async fn handle(path: &str) -> SendChannel {
    let (handle, driver) = open(path).await.into_send();
    spawn_local(driver);
    handle
}

#[wasm_bindgen_test]
async fn a_handle_can_be_sent_and_does_what_a_channel_does() {
    fn sent<T: Send + Sync + 'static>(value: T) -> T {
        value
    }
    let mut channel = BoxWebSocketChannel::new(sent(handle("/").await));
    assert_eq!(channel.ready_state(), ReadyState::Open);
    echoes(&mut channel, "text").await;
    echoes(&mut channel, vec![1; 300_000]).await;
    let event = channel.close(4001, "bye").await.unwrap();
    assert_eq!((event.code, &*event.reason), (CloseCode::new(4001), "bye"));
    assert_eq!((event.was_clean, event.initiator), (true, Initiator::Local));
    assert!(channel.next().await.is_none());
    assert!(channel.send("late".into()).await.unwrap_err().is_closed());
}

#[wasm_bindgen_test]
async fn codes_that_a_page_may_not_send_leave_the_handle_open() {
    let mut channel = handle("/").await;
    assert!(matches!(channel.close(1001, "").await, Err(Error::CloseFrame(_))));
    echoes(&mut channel, "still open").await;
}

#[wasm_bindgen_test]
async fn a_close_lets_what_was_sent_go_first() {
    let mut channel = handle("/slow").await;
    let mut sent = 0;
    for _ in 0..20 {
        channel.feed(Message::from(vec![0; 100_000])).await.unwrap();
        sent += 100_000;
    }
    channel.send("".into()).await.unwrap();
    assert_eq!(received(&mut channel).await, sent.to_string().as_str());
    channel.feed(Message::from(vec![0; 1_000_000])).await.unwrap();
    assert!(channel.close(1000, "").await.unwrap().was_clean);
    assert_eq!(count("/taken").await, 3_000_000);
}

#[wasm_bindgen_test]
async fn a_close_of_the_peer_and_a_loss_come_through() {
    let mut channel = handle("/close?4123").await;
    assert!(channel.next().await.is_none());
    assert_eq!(channel.close_code(), Some(CloseCode::new(4123)));

    let mut channel = handle("/gone").await;
    assert_eq!(received(&mut channel).await, "before");
    assert!(matches!(channel.next().await, Some(Err(Error::ConnectionLost))));
    assert!(channel.next().await.is_none());
    assert_eq!(channel.close_code(), Some(status::ABNORMAL_CLOSURE));
}

#[wasm_bindgen_test]
async fn a_handle_that_is_not_read_loses_nothing() {
    let mut channel = handle("/flood?100").await;
    until(async || count("/flooded").await == 100).await;
    for number in 0..100u32 {
        assert_eq!(received(&mut channel).await.as_bytes()[..4], number.to_be_bytes());
    }
}

/// The driver does not take it all in, so it is the channel's queue that overflows; and a sink that
/// is dropped after that takes nothing away.
#[wasm_bindgen_test]
async fn a_handle_that_is_not_read_has_the_bounds_of_its_channel() {
    let channel = over_socket("/flood?100").receive_buffer_size(1 << 20).await.unwrap();
    let (handle, driver) = channel.into_send();
    spawn_local(driver);
    let (sink, mut stream) = handle.split();
    until(async || stream.close_event().is_some()).await;
    drop(sink);
    let (number, error) = flood(&mut stream).await;
    assert!(matches!(error, Error::ReceiveOverflow { .. }), "{error:?}");
    assert!((15..18).contains(&number), "{number}");
    assert!(stream.next().await.is_none());
}

#[wasm_bindgen_test]
async fn a_close_of_a_handle_after_the_end_drops_what_was_not_received() {
    let mut channel = handle("/gone").await;
    until(async || channel.close_event().is_some()).await;
    assert_eq!(channel.close(1000, "").await.unwrap().code, status::ABNORMAL_CLOSURE);
    assert!(channel.next().await.is_none());
}

#[wasm_bindgen_test]
async fn a_dropped_handle_closes_the_socket() {
    let channel = handle("/held").await;
    assert_eq!(count("/holding").await, 1);
    drop(channel);
    until(async || count("/holding").await == 0).await;
}

#[wasm_bindgen_test]
async fn without_its_driver_a_handle_has_lost_the_connection() {
    let (mut channel, driver) = open("/held").await.into_send();
    drop(driver);
    assert!(matches!(channel.next().await, Some(Err(Error::ConnectionLost))));
    assert!(channel.next().await.is_none());
    assert_eq!(channel.close_code(), Some(status::ABNORMAL_CLOSURE));
    assert!(channel.send("late".into()).await.unwrap_err().is_closed());
    assert_eq!(channel.close(1000, "").await.unwrap().code, status::ABNORMAL_CLOSURE);
    until(async || count("/holding").await == 0).await;
}
