//! What happens when the other end fails.

use futures::SinkExt;
use ws_channel::{Initiator, status};

use super::{Behaviour, Implementation, broken};

/// "disconnect after upgrade", an event with 1002, 1005 or 1006 there.
pub async fn a_transport_that_ends_is_an_error_and_1006<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::Disconnects).await;
    let event = broken(&mut channel).await;
    assert_eq!(event.code, status::ABNORMAL_CLOSURE);
    assert_eq!(event.reason, "");
    assert_eq!(event.initiator, Initiator::Peer);
}

/// "bad data after upgrade", an event with 1002, 1005 or 1006 there. Here the event is 1006, since
/// no Close frame came; it is the peer who is told 1002.
pub async fn data_that_are_no_frames_break_the_connection<I: Implementation>(run: &I) {
    let mut channel = run.to(Behaviour::BreaksTheProtocol).await;
    assert_eq!(broken(&mut channel).await.code, status::ABNORMAL_CLOSURE);
    assert!(run.report().await.starts_with("1002 "));
}

/// "bad data after upgrade with write"
pub async fn data_that_are_no_frames_break_the_connection_under_a_write<I: Implementation>(
    run: &I,
) {
    let mut channel = run.to(Behaviour::BreaksTheProtocol).await;
    // It may go out before the fault is read, or be refused after it.
    let _ = channel.send("Hello World!".into()).await;
    assert_eq!(broken(&mut channel).await.code, status::ABNORMAL_CLOSURE);
    assert!(channel.send("Hello World!".into()).await.unwrap_err().is_closed());
}
