//! Whole conversations.

use futures::SinkExt;
use ws_channel::{CloseCode, Message, ReadyState, WebSocketChannel};

use super::{Behaviour, Implementation, ended, received};

/// "communicates using existing `WebSocket`s", with 5678, which nobody may send, for 3678
pub async fn both_sides_talk_and_the_server_closes<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::Talks).await;
    assert_eq!(channel.ready_state(), ReadyState::Open);
    assert_eq!(received(&mut channel).await, Message::from("hello!"));
    channel.send("ping".into()).await.unwrap();
    assert_eq!(received(&mut channel).await, Message::from("pong"));
    let event = ended(&mut channel).await;
    assert_eq!((event.code, &*event.reason), (CloseCode::new(3678), "raisin"));
    assert_eq!(run.report().await, "3678 raisin");
}

/// ".connect communicates immediately", and the same "using platform independent api", "good
/// connect", "constructor with WebSocket"
pub async fn a_message_can_be_sent_at_once<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::Echoes).await;
    channel.ready().await.unwrap();
    channel.send("ping".into()).await.unwrap();
    assert_eq!(received(&mut channel).await, Message::from("ping"));
}

/// ".connect with an immediate call to close"
pub async fn a_channel_can_be_closed_at_once<I, C>(run: &I)
where
    I: Implementation<Channel = C>,
    C: WebSocketChannel + Unpin,
{
    let mut channel = run.to(Behaviour::ReportsTheClose).await;
    channel.close(3678, "raisin").await.unwrap();
    assert_eq!(run.report().await, "3678 raisin");
}

/// Ours: who only receives answers every ping.
pub async fn every_ping_is_answered<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::Pings).await;
    assert_eq!(received(&mut channel).await, Message::from("pinged"));
    channel.send("done".into()).await.unwrap();
    assert_eq!(run.report().await, "123");
}
