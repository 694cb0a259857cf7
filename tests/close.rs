//! How a connection ends, over an in-memory pipe.

mod wire;

use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use tokio::time::{Instant, sleep};
use ws_channel::{
    CloseCode, CloseEvent, CloseFrame, Error, Initiator, InvalidCloseFrame, Message, Options,
    ProtocolError, ReadyState, Role, WebSocketChannel, status,
};

use wire::{CLOSE, Channel, PING, PONG, TEXT, channel, client, pair, server};

const TIMEOUT: Duration = Duration::from_secs(5);

fn told(event: &CloseEvent) -> (u16, &str) {
    (event.code.as_u16(), &event.reason)
}

#[tokio::test(start_paused = true)]
async fn a_close_goes_both_ways_with_code_and_reason() {
    let (mut client, mut server) = pair();
    client.send("hello".into()).await.unwrap();
    let peer = async {
        assert_eq!(server.next().await.unwrap().unwrap(), Message::from("hello"));
        assert!(server.next().await.is_none());
        server.close_event().cloned().unwrap()
    };
    let (near, far) = tokio::join!(client.close(status::GOING_AWAY, "bye"), peer);
    let near = near.unwrap();
    assert_eq!((near.code, near.reason.as_str()), (status::GOING_AWAY, "bye"));
    assert!(near.was_clean && far.was_clean);
    assert_eq!((far.code, far.reason.as_str()), (status::GOING_AWAY, "bye"));
    assert_eq!((near.initiator, far.initiator), (Initiator::Local, Initiator::Peer));
    assert_eq!(client.ready_state(), ReadyState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_second_close_sends_nothing_and_resolves_to_the_same_event() {
    let (mut client, mut peer) = client();
    let far = async {
        assert_eq!(peer.expect().await.close(), (4000, "first"));
        peer.close(4001, "answer").await;
        peer.shut_down().await;
        assert!(peer.is_over().await);
    };
    let near = async {
        let event = client.close(4000, "first").await.unwrap();
        assert_eq!(told(&event), (4001, "answer"));
        assert_eq!(client.close(4002, "second").await.unwrap(), event);
        SinkExt::close(&mut client).await.unwrap();
        assert_eq!(client.close_event(), Some(&event));
        drop(client);
    };
    tokio::join!(far, near);
}

#[tokio::test(start_paused = true)]
async fn sending_after_the_end_is_closed_with_the_event() {
    let (mut client, mut peer) = client();
    peer.close(4000, "over").await;
    peer.shut_down().await;
    assert!(client.next().await.is_none());
    for _ in 0..10 {
        let error = client.send("late".into()).await.unwrap_err();
        assert!(error.is_closed());
        assert_eq!(error.to_string(), "the channel is closed: 4000: over");
        assert!(client.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_without_a_status_is_an_empty_frame_and_read_as_1005() {
    let (mut client, mut peer) = client();
    let far = async {
        let frame = peer.expect().await;
        assert_eq!((frame.first, frame.payload.len()), (CLOSE, 0));
        peer.send(CLOSE, b"").await;
        peer.shut_down().await;
    };
    let (closed, ()) = tokio::join!(SinkExt::close(&mut client), far);
    closed.unwrap();
    let event = client.close_event().unwrap();
    assert_eq!(event.code, status::NO_STATUS_RECEIVED);
    assert!(event.was_clean);
}

#[tokio::test(start_paused = true)]
async fn what_was_queued_goes_out_before_the_close_frame() {
    let (mut client, mut peer) = client();
    for text in ["one", "two", "three"] {
        client.feed(text.into()).await.unwrap();
    }
    let far = async {
        for text in ["one", "two", "three"] {
            assert_eq!(peer.expect().await.payload, text.as_bytes());
        }
        assert_eq!(peer.expect().await.close(), (1000, ""));
        drop(peer);
    };
    let (event, ()) = tokio::join!(client.close(status::NORMAL_CLOSURE, ""), far);
    assert_eq!(event.unwrap().code, status::ABNORMAL_CLOSURE);
}

#[tokio::test(start_paused = true)]
async fn both_sides_may_close_at_once() {
    let (mut client, mut server) = pair();
    let start = Instant::now();
    let (near, far) = tokio::join!(client.close(4001, "c"), server.close(4002, "s"));
    assert_eq!(told(&near.unwrap()), (4002, "s"));
    assert_eq!(told(&far.unwrap()), (4001, "c"));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_close_interrupts_a_send_that_the_peer_does_not_take() {
    let (mut client, mut peer) = channel(Role::Client, 16, &Options::new());
    let message = vec![7; 1 << 10];
    assert!(client.send(Message::from(message.clone())).now_or_never().is_none());
    let far = async {
        assert_eq!(peer.expect().await.payload, message, "an accepted message goes out whole");
        assert_eq!(peer.expect().await.close(), (4000, "enough"));
        peer.close(4000, "enough").await;
        peer.shut_down().await;
    };
    let (event, ()) = tokio::join!(client.close(4000, "enough"), far);
    assert!(event.unwrap().was_clean);
}

#[tokio::test(start_paused = true)]
async fn a_close_inside_a_message_of_the_peer_drops_its_rest() {
    let (mut client, mut peer) = client();
    peer.send(0x01, b"half").await;
    assert!(client.next().now_or_never().is_none());
    let far = async {
        assert_eq!(peer.expect().await.close(), (1000, ""));
        peer.send(0x80, b"the other half").await;
        peer.close(1000, "").await;
        peer.shut_down().await;
    };
    let (event, ()) = tokio::join!(client.close(status::NORMAL_CLOSURE, ""), far);
    assert!(event.unwrap().was_clean);
    assert!(client.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn data_behind_a_local_close_is_dropped_and_the_stream_ends_with_none() {
    let (mut client, mut peer) = client();
    peer.send(TEXT, b"read but not received").await;
    assert!(client.close(4000, "").now_or_never().is_none());
    let far = async {
        peer.send(TEXT, b"late").await;
        assert_eq!(peer.expect().await.close(), (4000, ""));
        peer.close(4001, "").await;
        peer.shut_down().await;
    };
    let (next, ()) = tokio::join!(client.next(), far);
    assert!(next.is_none());
    assert_eq!(client.close_code().map(CloseCode::as_u16), Some(4001));
}

#[tokio::test(start_paused = true)]
async fn after_a_local_close_the_stream_ends_with_none_however_the_close_went() {
    let ends: [&[u8]; 4] = [b"", b"\x88\x01\x03", b"\x81\x01\xff", b"\x70\x00"];
    for end in ends {
        let (mut client, mut peer) = client();
        assert!(client.close(4000, "").now_or_never().is_none());
        peer.write(end).await;
        peer.shut_down().await;
        assert!(client.next().await.is_none(), "{end:?}");
        let event = client.close(4000, "").await.unwrap();
        assert_eq!(event.code, status::ABNORMAL_CLOSURE, "{end:?}");
        assert!(!event.was_clean);
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_a_closing_channel_ends_the_transport_behind_the_close_frame() {
    let (mut client, mut peer) = client();
    assert!(client.close(4000, "bye").now_or_never().is_none());
    drop(client);
    assert_eq!(peer.expect().await.close(), (4000, "bye"));
    assert!(peer.is_over().await);
}

#[tokio::test(start_paused = true)]
async fn dropping_an_open_channel_ends_the_transport_at_once() {
    let (client, mut peer) = client();
    drop(client);
    assert!(peer.is_over().await);
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_waited_for_as_long_as_the_close_timeout() {
    let (mut client, _peer) = client();
    let start = Instant::now();
    let event = client.close(4000, "x").await.unwrap();
    assert_eq!(start.elapsed(), TIMEOUT);
    assert_eq!(event.code, status::ABNORMAL_CLOSURE);
    assert!(!event.was_clean);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_a_byte_at_a_time_is_understood_within_the_budget() {
    let (mut client, mut peer) = client();
    let far = async {
        for byte in peer.frame(CLOSE, &wire::closing(4001, "slow")) {
            sleep(Duration::from_millis(500)).await;
            peer.write(&[byte]).await;
        }
        peer.shut_down().await;
    };
    let (event, ()) = tokio::join!(client.close(4000, ""), far);
    let event = event.unwrap();
    assert_eq!(told(&event), (4001, "slow"));
    assert!(event.was_clean);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_keeps_sending_does_not_prolong_the_budget() {
    let (mut client, mut peer) = client();
    let start = Instant::now();
    tokio::select! {
        event = client.close(4000, "") => {
            assert_eq!(event.unwrap().code, status::ABNORMAL_CLOSURE);
        }
        () = async { loop {
            sleep(Duration::from_millis(300)).await;
            peer.send(TEXT, b"more").await;
            peer.send(PING, b"are you there").await;
        }} => {}
    }
    assert_eq!(start.elapsed(), TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_does_not_prolong_the_budget() {
    let (mut client, _peer) = channel(Role::Client, 8, &Options::new());
    client.feed("more than the pipe takes".into()).await.unwrap();
    let start = Instant::now();
    let event = client.close(4000, "").await.unwrap();
    assert_eq!(start.elapsed(), TIMEOUT);
    assert!(!event.was_clean);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_and_keeps_the_transport_open_is_left_within_the_budget() {
    let (mut client, mut peer) = client();
    let start = Instant::now();
    peer.close(1000, "").await;
    assert!(client.next().await.is_none());
    assert_eq!(start.elapsed(), TIMEOUT);
    let event = client.close_event().unwrap();
    assert!(event.was_clean, "both Close frames were exchanged");
    assert_eq!(peer.expect().await.close(), (1000, ""));
}

#[tokio::test(start_paused = true)]
async fn a_server_ends_the_transport_itself_as_soon_as_both_have_closed() {
    let (mut server, mut peer) = server();
    let start = Instant::now();
    peer.close(1000, "").await;
    assert!(server.next().await.is_none());
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(peer.expect().await.close(), (1000, ""));
    assert!(peer.is_over().await);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_peer_is_an_error_and_then_the_end() {
    let (mut client, server) = pair();
    drop(server);
    assert!(matches!(client.next().await, Some(Err(Error::ConnectionLost | Error::Io(_)))));
    assert!(client.next().await.is_none());
    assert_eq!(client.close_code(), Some(status::ABNORMAL_CLOSURE));
}

#[tokio::test(start_paused = true)]
async fn a_code_that_nobody_may_send_is_refused_and_the_channel_stays_open() {
    let (mut client, mut peer) = client();
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535, 65536, -1] {
        let refused = client.close(code, "").await;
        assert!(
            matches!(refused, Err(Error::CloseFrame(InvalidCloseFrame::Code { code: c, .. })) if c == i64::from(code)),
            "{code}: {refused:?}"
        );
        assert_eq!(client.ready_state(), ReadyState::Open);
    }
    still_works(&mut client, &mut peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_reason_longer_than_123_bytes_is_refused_and_the_channel_stays_open() {
    let (mut client, mut peer) = client();
    for reason in ["r".repeat(124), "é".repeat(62)] {
        let refused = client.close(3000, reason).await;
        assert!(matches!(
            refused,
            Err(Error::CloseFrame(InvalidCloseFrame::Reason { length: 124, .. }))
        ));
    }
    still_works(&mut client, &mut peer).await;
    assert!(client.close(3000, "r".repeat(123)).now_or_never().is_none());
    assert_eq!(peer.expect().await.close(), (3000, &*"r".repeat(123)));
}

#[tokio::test(start_paused = true)]
async fn only_a_client_may_miss_an_extension() {
    let (mut server, mut peer) = server();
    let refused = server.close(status::MISSING_MANDATORY_EXTENSION, "deflate").await;
    assert!(matches!(
        refused,
        Err(Error::CloseFrame(InvalidCloseFrame::NotByThisEndpoint { by: "server", .. }))
    ));
    still_works(&mut server, &mut peer).await;

    let (mut client, mut peer) = client();
    assert!(client.close(status::MISSING_MANDATORY_EXTENSION, "deflate").now_or_never().is_none());
    assert_eq!(peer.expect().await.close(), (1010, "deflate"));
}

/// Nothing was sent, and messages still go both ways.
async fn still_works(channel: &mut Channel, peer: &mut wire::Peer<tokio::io::DuplexStream>) {
    channel.send("still here".into()).await.unwrap();
    assert_eq!(peer.expect().await.payload, b"still here");
    peer.send(TEXT, b"so am I").await;
    assert_eq!(channel.next().await.unwrap().unwrap(), Message::from("so am I"));
}

#[tokio::test(start_paused = true)]
async fn every_code_that_may_be_sent_comes_through_unchanged() {
    for code in (1000..=1003).chain(1007..=1014).chain([3000, 3003, 3008, 3999, 4000, 4999]) {
        let (mut client, mut peer) = client();
        peer.close(code, "why").await;
        peer.shut_down().await;
        assert!(client.next().await.is_none(), "{code}");
        let event = client.close_event().unwrap();
        assert_eq!(told(event), (code, "why"));
        assert!(event.was_clean);
        assert_eq!(event.initiator, Initiator::Peer);
        assert_eq!(peer.expect().await.close().0, code);

        assert!(CloseFrame::new(CloseCode::new(code), "why").is_ok(), "{code} may be sent as well");
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_that_may_not_be_on_the_wire_is_answered_1002_and_told_with_its_reason() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535] {
        let (mut client, mut peer) = client();
        peer.close(code, "why").await;
        peer.shut_down().await;
        match client.next().await {
            Some(Err(Error::Protocol(ProtocolError::CloseCode { code: c, reason, .. }))) => {
                assert_eq!((c.as_u16(), &*reason), (code, "why"));
            }
            other => panic!("{code}: {other:?}"),
        }
        assert!(client.next().await.is_none());
        assert_eq!(client.close_code(), Some(status::ABNORMAL_CLOSURE));
        assert_eq!(peer.expect().await.close().0, 1002);
        assert!(peer.is_over().await);
    }
}

#[tokio::test(start_paused = true)]
async fn pings_before_the_close_of_the_peer_are_answered_before_it() {
    let (mut client, mut peer) = client();
    peer.send(PING, b"1").await;
    peer.send(PING, b"2").await;
    peer.close(1000, "").await;
    peer.shut_down().await;
    assert!(client.next().await.is_none());
    let answers = [peer.expect().await, peer.expect().await];
    assert_eq!(
        answers.map(|pong| (pong.first, pong.payload)),
        [(PONG, b"1".to_vec()), (PONG, b"2".to_vec())]
    );
    assert_eq!(peer.expect().await.close(), (1000, ""));
}

#[tokio::test(start_paused = true)]
async fn messages_before_the_close_of_the_peer_are_delivered() {
    let (mut client, mut peer) = client();
    peer.send(TEXT, b"one").await;
    peer.send(TEXT, b"two").await;
    peer.close(1000, "").await;
    peer.shut_down().await;
    assert_eq!(client.next().await.unwrap().unwrap(), Message::from("one"));
    assert_eq!(client.next().await.unwrap().unwrap(), Message::from("two"));
    assert!(client.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_message_in_flight_when_the_peer_closes_does_not_hide_its_code() {
    let (mut client, mut peer) = channel(Role::Client, 64, &Options::new());
    client.feed(Message::from(vec![0; 4096])).await.unwrap();
    let far = async {
        peer.close(4321, "no more").await;
        while peer.expect().await.first != CLOSE {}
        peer.shut_down().await;
    };
    let (flushed, ()) = tokio::join!(client.flush(), far);
    let _ = flushed;
    assert!(client.next().await.is_none());
    assert_eq!(client.close_code().map(CloseCode::as_u16), Some(4321));
}
