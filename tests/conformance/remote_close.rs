//! What a close of the peer does.

use futures::SinkExt;
use ws_channel::{CloseCode, CloseEvent, Error, Initiator, Message, WebSocketChannel, status};

use super::{Behaviour, Implementation, broken, ended};

fn assert_is_the_servers(event: &CloseEvent) {
    assert_eq!(event.code, CloseCode::new(4123));
    assert_eq!(event.reason, "server closed the connection");
    assert!(event.was_clean);
}

/// "with code and reason"
pub async fn code_and_reason_of_the_peer_are_told<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::Closes).await;
    let event = ended(&mut channel).await;
    assert_is_the_servers(&event);
    assert_eq!(event.initiator, Initiator::Peer);
    assert_eq!(run.report().await, "4123 server closed the connection");
}

async fn refuses<I: Implementation>(run: &I, message: Message) {
    let mut channel = run.to(Behaviour::Closes).await;
    ended(&mut channel).await;
    match channel.send(message).await {
        Err(Error::Closed { event: Some(event), .. }) => assert_is_the_servers(&event),
        other => panic!("{other:?}"),
    }
}

/// "sendBytes after close received"
pub async fn bytes_after_a_received_close_are_refused<I: Implementation>(run: &I) {
    refuses(run, Message::from(vec![1, 2, 3])).await;
}

/// "sendText after close received"
pub async fn text_after_a_received_close_is_refused<I: Implementation>(run: &I) {
    refuses(run, Message::from("text")).await;
}

/// "close after close received", which throws there. Here it resolves to how it ended.
pub async fn a_close_after_a_received_close_resolves_to_its_event<I, C>(run: &I)
where
    I: Implementation<Channel = C>,
    C: WebSocketChannel + Unpin,
{
    let mut channel = run.to(Behaviour::Closes).await;
    let event = ended(&mut channel).await;
    assert_eq!(channel.close(3000, "me too").await.unwrap(), event);
    assert_is_the_servers(&event);
    assert_eq!(run.report().await, "4123 server closed the connection");
}

/// "with invalid reason", an event with 1005, 1006 or 1007 there. Here it is a fault of the peer:
/// an error, code 1006, and 1007 for the peer.
pub async fn a_reason_that_is_not_utf8_breaks_the_connection<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::ClosesBadly).await;
    assert_eq!(broken(&mut channel).await.code, status::ABNORMAL_CLOSURE);
    assert!(run.report().await.starts_with("1007 "));
}

/// "remote close" of a program that does not listen to the stream. Here nothing happens between
/// polls, so what it does next tells.
pub async fn a_program_that_never_receives_learns_of_the_close<I, C>(run: &I)
where
    I: Implementation<Channel = C>,
    C: WebSocketChannel + Unpin,
{
    let mut channel = run.to(Behaviour::Closes).await;
    let event = channel.close(3000, "enough").await.unwrap();
    assert_is_the_servers(&event);
    assert_is_the_servers(channel.close_event().unwrap());
}

/// Ours: no code that may stand on the wire is lost.
pub async fn code_1014_of_the_peer_is_told<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::ClosesForAnother).await;
    let event = ended(&mut channel).await;
    assert_eq!((event.code, &*event.reason), (status::BAD_GATEWAY, "upstream is gone"));
    assert!(event.was_clean);
}
