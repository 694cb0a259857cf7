//! What messages carry.

use futures::SinkExt;
use ws_channel::Message;

use super::{Behaviour, Implementation, received};

async fn echoed<I: Implementation>(run: &I, message: impl Into<Message>) {
    let mut channel = run.to(Behaviour::Echoes).await;
    let message = message.into();
    channel.send(message.clone()).await.unwrap();
    assert_eq!(received(&mut channel).await, message);
}

/// "empty string request and response", "echo empty text"
pub async fn an_empty_text_is_a_message<I: Implementation>(run: &I) {
    echoed(run, "").await;
}

/// "empty binary request and response", "echo empty binary"
pub async fn an_empty_binary_is_a_message<I: Implementation>(run: &I) {
    echoed(run, b"").await;
}

/// "string request and response", "echo hello"
pub async fn text_is_echoed<I: Implementation>(run: &I) {
    echoed(run, "Hello World!").await;
}

/// "binary request and response", "echo [1, 2, 3]"
pub async fn binary_is_echoed<I: Implementation>(run: &I) {
    echoed(run, vec![1, 2, 3, 4, 5]).await;
}

/// "large string request and response"
pub async fn a_large_text_is_one_message<I: Implementation>(run: &I) {
    echoed(run, "Hello World!".repeat(10_000)).await;
}

/// "large binary request and response"
pub async fn a_large_binary_is_one_message<I: Implementation>(run: &I) {
    echoed(run, (0..=255).cycle().take(1_000_000).collect::<Vec<u8>>()).await;
}

/// "non-ascii string request and response"
pub async fn text_beyond_ascii_is_echoed<I: Implementation>(run: &I) {
    echoed(run, "🎨⛳🌈").await;
}

/// "alternating string and binary request and response", twice there
pub async fn order_and_types_are_kept<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::Echoes).await;
    let messages =
        [Message::from("one"), Message::from(b"two"), Message::from("three"), Message::from(b"4")];
    for message in messages.clone() {
        channel.feed(message).await.unwrap();
    }
    channel.flush().await.unwrap();
    for message in messages {
        assert_eq!(received(&mut channel).await, message);
    }
}
