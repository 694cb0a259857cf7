//! What closing does.

use futures::{SinkExt, StreamExt};
use ws_channel::{CloseCode, CloseEvent, Error, Initiator, Message, ReadyState, WebSocketChannel};

use super::{Behaviour, Implementation, ended, received};

/// "peer writes after close are ignored"
pub async fn what_the_peer_writes_after_a_close_is_ignored<I, C>(run: &I)
where
    I: Implementation<Channel = C>,
    C: WebSocketChannel + Unpin,
{
    let mut channel = run.to(Behaviour::WritesAndWrites).await;
    channel.close(1000, "").await.unwrap();
    ended(&mut channel).await;
}

async fn refused<C: WebSocketChannel + Unpin>(mut channel: C, code: i32, reason: &str) {
    let refused = channel.close(code, reason).await;
    assert!(matches!(refused, Err(Error::CloseFrame(_))), "{refused:?}");
    assert_eq!(channel.ready_state(), ReadyState::Open);
    channel.send("still open".into()).await.unwrap();
    assert_eq!(received(&mut channel).await, Message::from("still open"));
}

/// "reserved close code: 1004"
pub async fn code_1004_is_refused<I: Implementation>(run: &I) {
    refused(run.to(Behaviour::Echoes).await, 1004, "").await;
}

/// "reserved close code: 2999"
pub async fn code_2999_is_refused<I: Implementation>(run: &I) {
    refused(run.to(Behaviour::Echoes).await, 2999, "").await;
}

/// "reserved close code: 5000"
pub async fn code_5000_is_refused<I: Implementation>(run: &I) {
    refused(run.to(Behaviour::Echoes).await, 5000, "").await;
}

/// "too long close reason"
pub async fn a_reason_of_124_bytes_is_refused<I: Implementation>(run: &I) {
    refused(run.to(Behaviour::Echoes).await, 3000, &"a".repeat(124)).await;
}

async fn closes<I, C>(run: &I, code: u16, reason: &str) -> CloseEvent
where
    I: Implementation<Channel = C>,
    C: WebSocketChannel + Unpin,
{
    let mut channel = run.to(Behaviour::ReportsTheClose).await;
    let event = channel.close(code, reason).await.unwrap();
    assert_eq!(run.report().await, format!("{code} {reason}"));
    assert_eq!(ended(&mut channel).await, event);
    event
}

/// "close": with no status it is `SinkExt::close`.
pub async fn a_close_without_a_status_is_seen_as_1005<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::ReportsTheClose).await;
    SinkExt::close(&mut channel).await.unwrap();
    assert_eq!(run.report().await, "1005 ");
    ended(&mut channel).await;
}

/// "close with 1000"
pub async fn code_1000_reaches_the_peer<I: Implementation>(run: &I) {
    closes(run, 1000, "").await;
}

/// "with code 3000"
pub async fn code_3000_reaches_the_peer<I: Implementation>(run: &I) {
    closes(run, 3000, "").await;
}

/// "with code 4999"
pub async fn code_4999_reaches_the_peer<I: Implementation>(run: &I) {
    closes(run, 4999, "").await;
}

/// "with code and reason"
pub async fn code_and_reason_reach_the_peer<I: Implementation>(run: &I) {
    closes(run, 3000, "Client initiated closure").await;
}

/// "close after close", which throws there. Here a second close is the same as the first.
pub async fn a_second_close_resolves_to_the_same_event<I, C>(run: &I)
where
    I: Implementation<Channel = C>,
    C: WebSocketChannel + Unpin,
{
    let mut channel = run.to(Behaviour::ReportsTheClose).await;
    let event = channel.close(3000, "first").await.unwrap();
    assert_eq!(channel.close(3001, "second").await.unwrap(), event);
    assert_eq!(run.report().await, "3000 first");
}

async fn refuses<I, C>(run: &I, message: Message)
where
    I: Implementation<Channel = C>,
    C: WebSocketChannel + Unpin,
{
    let mut channel = run.to(Behaviour::Echoes).await;
    let event = channel.close(1000, "").await.unwrap();
    match channel.send(message).await {
        Err(Error::Closed { event: Some(known), .. }) => assert_eq!(*known, event),
        other => panic!("{other:?}"),
    }
    assert!(channel.next().await.is_none());
}

/// "sendBytes after close"
pub async fn bytes_after_a_close_are_refused<I: Implementation>(run: &I) {
    refuses(run, Message::from(vec![1, 2, 3])).await;
}

/// "sendText after close"
pub async fn text_after_a_close_is_refused<I: Implementation>(run: &I) {
    refuses(run, Message::from("text")).await;
}

/// "local close(3005, …) leaves closeCode and closeReason null". Here the event is always there,
/// with what the peer answered (RFC 6455 §7.1.5).
pub async fn the_event_of_a_local_close_is_the_answer_of_the_peer<I: Implementation>(run: &I) {
    let event = closes(run, 3005, "please close").await;
    assert_eq!(event.code, CloseCode::new(4123));
    assert_eq!(event.reason, "server closed the connection");
    assert_eq!(event.initiator, Initiator::Local);
    assert!(event.was_clean);
}
