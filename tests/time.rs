//! What depends on the clock, with the clock paused: every figure is exact to the 1 ms of tokio's
//! timer.

mod wire;

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::task::coop;
use tokio::time::{Instant, advance, sleep, timeout};
use tokio_test::{assert_pending, assert_ready, task};
use ws_channel::{Error, Message, Options, Role, WebSocketChannel, status};

use wire::{CLOSE, PING, PONG, TEXT, channel, client, server};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Fails unless `length` is `expected`, or up to 1 ms more, as tokio rounds up.
fn assert_took(length: Duration, expected: Duration) {
    let late = length.checked_sub(expected);
    assert!(
        late.is_some_and(|late| late <= Duration::from_millis(1)),
        "{length:?}, not {expected:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_asked_after_20_s_and_given_up_after_20_more() {
    let (mut client, mut peer) = client();
    let start = Instant::now();
    let far = async {
        assert_eq!(peer.expect().await.first, PING);
        assert_took(start.elapsed(), secs(20));
        let (code, reason) = {
            let frame = peer.expect().await;
            let (code, reason) = frame.close();
            (code, reason.to_owned())
        };
        assert_took(start.elapsed(), secs(40));
        assert_eq!((code, &*reason), (1011, "the peer did not answer a ping within 20s"));
        assert!(peer.is_over().await);
    };
    let near = async {
        match client.next().await {
            Some(Err(error @ Error::Timeout { after, .. })) => {
                assert_eq!(after, secs(20));
                assert!(error.is_timeout());
            }
            other => panic!("{other:?}"),
        }
        assert_took(start.elapsed(), secs(40));
        assert!(client.next().await.is_none());
        assert_eq!(client.close_code(), Some(status::ABNORMAL_CLOSURE));
        drop(client);
    };
    tokio::join!(far, near);
}

#[tokio::test(start_paused = true)]
async fn a_ping_comes_after_the_silence_and_not_by_the_calendar() {
    let (mut server, mut peer) = server();
    tokio::spawn(async move { while server.next().await.is_some() {} });
    // Sparse traffic, at odd times: each message begins the silence anew.
    for pause in [19_999, 1, 13_337, 7, 19_000] {
        assert!(timeout(Duration::from_millis(pause), peer.next()).await.is_err());
        peer.send(TEXT, b"x").await;
    }
    let start = Instant::now();
    assert_eq!(peer.expect().await.first, PING);
    assert_took(start.elapsed(), secs(20));
}

#[tokio::test(start_paused = true)]
async fn any_byte_is_a_sign_of_life() {
    let (mut server, mut peer) = server();
    tokio::spawn(async move { while server.next().await.is_some() {} });
    let message = peer.frame(TEXT, b"a message in pieces");
    for piece in message.chunks(4) {
        assert!(timeout(secs(19), peer.next()).await.is_err());
        peer.write(piece).await;
    }
    assert!(timeout(secs(19), peer.next()).await.is_err());
    assert_eq!(peer.expect().await.first, PING);
    // Not a pong, and not even a whole frame.
    sleep(Duration::from_millis(19_990)).await;
    peer.write(&[TEXT]).await;
    let start = Instant::now();
    assert_eq!(peer.expect().await.first, PING);
    assert_took(start.elapsed(), secs(20));
}

#[tokio::test(start_paused = true)]
async fn latency_is_the_time_from_ping_to_pong() {
    let (mut server, mut peer) = server();
    assert_eq!(server.latency(), None);
    let far = async {
        assert_eq!(peer.expect().await.first, PING);
        sleep(Duration::from_millis(1234)).await;
        peer.send(PONG, b"").await;
        sleep(Duration::from_millis(5)).await;
        peer.send(TEXT, b"x").await;
    };
    let (message, ()) = tokio::join!(server.next(), far);
    message.unwrap().unwrap();
    assert_took(server.latency().unwrap(), Duration::from_millis(1234));
}

#[tokio::test(start_paused = true)]
async fn a_pong_that_nobody_asked_for_is_no_latency() {
    let (mut server, mut peer) = server();
    peer.send(PONG, b"").await;
    peer.send(TEXT, b"x").await;
    server.next().await.unwrap().unwrap();
    assert_eq!(server.latency(), None);
}

#[tokio::test(start_paused = true)]
async fn time_in_which_nobody_polled_does_not_count_while_there_is_something_to_read() {
    let (mut server, mut peer) = server();
    assert!(server.next().now_or_never().is_none());
    for text in ["1", "2"] {
        peer.send(TEXT, text.as_bytes()).await;
        sleep(secs(1000)).await;
        assert_eq!(server.next().await.unwrap().unwrap(), Message::from(text));
        assert!(peer.next().now_or_never().is_none(), "nobody is asked");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pong_that_waits_to_be_read_counts_however_late_it_is_read() {
    let (mut server, mut peer) = server();
    let mut next = task::spawn(server.next());
    assert_pending!(next.poll());
    sleep(secs(21)).await;
    assert_pending!(next.poll());
    assert_eq!(peer.expect().await.first, PING);
    peer.send(PONG, b"").await;
    sleep(secs(1000)).await;
    assert_pending!(next.poll());
    peer.send(TEXT, b"x").await;
    assert!(assert_ready!(next.poll()).unwrap().is_ok());
}

/// Out of tokio's cooperative budget a read is pending though bytes are there.
#[tokio::test(start_paused = true)]
async fn a_read_that_the_runtime_put_off_is_no_silence() {
    let (mut server, mut peer) = server();
    let mut next = server.next();
    assert!(poll_fn(|cx| Poll::Ready(next.poll_unpin(cx).is_pending())).await);
    sleep(secs(21)).await;
    assert!(poll_fn(|cx| Poll::Ready(next.poll_unpin(cx).is_pending())).await);
    assert_eq!(peer.expect().await.first, PING);
    peer.send(PONG, b"").await;
    sleep(secs(1000)).await;
    let put_off = poll_fn(|cx| {
        while pin!(coop::consume_budget()).poll(cx).is_ready() {}
        Poll::Ready(next.poll_unpin(cx).is_pending())
    });
    assert!(put_off.await);
    peer.send(TEXT, b"x").await;
    next.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_asked_anew_after_a_time_in_which_nobody_polled() {
    let (mut server, mut peer) = server();
    let mut next = task::spawn(server.next());
    assert_pending!(next.poll());
    sleep(secs(1000)).await;
    assert_pending!(next.poll(), "asked, not given up");
    assert_eq!(peer.expect().await.first, PING);
    sleep(secs(19)).await;
    assert_pending!(next.poll());
}

#[tokio::test(start_paused = true)]
async fn a_sender_alone_keeps_the_connection_alive() {
    let (mut server, mut peer) = server();
    let start = Instant::now();
    let far = async {
        while start.elapsed() < secs(300) {
            if peer.expect().await.first == PING {
                peer.send(PONG, b"").await;
            }
        }
    };
    let near = async {
        while start.elapsed() < secs(301) {
            server.send("tick".into()).await.unwrap();
            sleep(secs(1)).await;
        }
    };
    tokio::join!(far, near);
}

#[tokio::test(start_paused = true)]
async fn periods_can_be_set() {
    let options = Options::new().keepalive(Duration::from_millis(250), Duration::from_millis(70));
    let (mut server, mut peer) = channel(Role::Server, 1 << 10, &options);
    let start = Instant::now();
    let far = async {
        assert_eq!(peer.expect().await.first, PING);
        assert_took(start.elapsed(), Duration::from_millis(250));
        assert_eq!(peer.expect().await.first, CLOSE);
        assert_took(start.elapsed(), Duration::from_millis(320));
    };
    let (ended, ()) = tokio::join!(server.next(), far);
    assert!(matches!(ended, Some(Err(Error::Timeout { .. }))));
}

#[tokio::test(start_paused = true)]
async fn keepalive_can_be_turned_off() {
    let (mut server, mut peer) = channel(Role::Server, 64, &Options::new().no_keepalive());
    tokio::select! {
        _ = server.next() => unreachable!("nothing comes"),
        _ = peer.next() => unreachable!("nothing is asked"),
        () = sleep(secs(1_000_000)) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_without_progress_is_given_up_after_the_keepalive_timeout() {
    let (mut client, mut peer) = channel(Role::Client, 64, &Options::new());
    let start = Instant::now();
    let near = async {
        let error = client.send(Message::from(vec![0; 1 << 10])).await.unwrap_err();
        assert_took(start.elapsed(), secs(20));
        assert!(error.is_closed() || error.is_timeout(), "{error:?}");
        assert!(matches!(client.next().await, Some(Err(Error::Timeout { .. }))));
        assert!(client.next().await.is_none());
        assert_eq!(client.close_code(), Some(status::ABNORMAL_CLOSURE));
    };
    tokio::select! {
        () = near => {}
        // It lives, but it does not read.
        () = async { loop { sleep(secs(1)).await; peer.send(PONG, b"").await; } } => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_with_little_progress_is_not_given_up() {
    let (mut client, mut peer) = channel(Role::Client, 64, &Options::new());
    let far = async {
        let mut read = 0;
        while read < 1000 {
            sleep(Duration::from_millis(19_990)).await;
            peer.send(PONG, b"").await;
            let some = peer.io.read(&mut [0; 50]).await.unwrap();
            assert_ne!(some, 0, "the transport has ended");
            read += some;
        }
        peer.send(TEXT, b"x").await;
    };
    let (sent, ()) = tokio::join!(client.send(Message::from(vec![0; 1000])), far);
    sent.unwrap();
}

/// The ping stands behind a message that takes the peer longer than all of keepalive.
#[tokio::test(start_paused = true)]
async fn the_time_for_a_pong_begins_once_the_ping_is_out() {
    let (mut client, mut peer) = channel(Role::Client, 64, &Options::new());
    let far = async {
        let mut read = 0;
        while read < 1000 {
            sleep(Duration::from_millis(19_990)).await;
            let some = peer.io.read(&mut [0; 50]).await.unwrap();
            assert_ne!(some, 0, "the transport has ended");
            read += some;
        }
    };
    let (sent, ()) = tokio::join!(client.send(Message::from(vec![0; 1000])), far);
    sent.unwrap();
    let start = Instant::now();
    match client.next().await {
        Some(Err(Error::Timeout { what, .. })) => {
            assert_eq!(what, "the peer did not answer a ping");
        }
        other => panic!("{other:?}"),
    }
    assert!((secs(20)..=secs(40)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

/// Out of tokio's cooperative budget a write is pending though there is room.
#[tokio::test(start_paused = true)]
async fn a_write_that_the_runtime_put_off_is_not_stalled() {
    let (mut client, mut peer) = channel(Role::Client, 64, &Options::new());
    let mut send = client.send(Message::from(vec![0; 1 << 10]));
    assert!(poll_fn(|cx| Poll::Ready(send.poll_unpin(cx).is_pending())).await);
    peer.io.read_exact(&mut [0; 64]).await.unwrap();
    sleep(secs(1000)).await;
    let put_off = poll_fn(|cx| {
        while pin!(coop::consume_budget()).poll(cx).is_ready() {}
        Poll::Ready(send.poll_unpin(cx).is_pending())
    });
    assert!(put_off.await);
    let mut rest = [0; 968];
    let (all, taken) = tokio::join!(send, peer.io.read_exact(&mut rest));
    all.unwrap();
    taken.unwrap();
}

/// A peer that is gone leaves what it sent, and a reader out of budget must not take its end for
/// that.
#[tokio::test(start_paused = true)]
async fn a_read_that_the_runtime_put_off_is_not_the_end() {
    let (mut client, mut peer) = client();
    for text in ["1", "2", "3"] {
        peer.send(TEXT, text.as_bytes()).await;
    }
    drop(peer);
    assert!(matches!(client.send("x".into()).await, Err(Error::Io(_))));
    let put_off = poll_fn(|cx| {
        while pin!(coop::consume_budget()).poll(cx).is_ready() {}
        Poll::Ready(client.poll_next_unpin(cx).is_pending())
    });
    assert!(put_off.await);
    for text in ["1", "2", "3"] {
        assert_eq!(client.next().await.unwrap().unwrap(), Message::from(text));
    }
    assert!(matches!(client.next().await, Some(Err(Error::Io(_)))));
}

#[tokio::test(start_paused = true)]
async fn closing_has_one_absolute_budget() {
    let options = Options::new().close_timeout(secs(3));
    let (mut client, mut peer) = channel(Role::Client, 16, &options);
    client.feed("more than the pipe takes at once".into()).await.unwrap();
    let start = Instant::now();
    let far = async {
        // One second for the message, one for the Close frame, and no end of the transport.
        sleep(secs(1)).await;
        peer.expect().await;
        sleep(secs(1)).await;
        assert_eq!(peer.expect().await.first, CLOSE);
        peer.close(1000, "").await;
        pending::<()>().await;
    };
    tokio::select! {
        event = client.close(1000, "") => assert!(event.unwrap().was_clean),
        () = far => {}
    }
    assert_took(start.elapsed(), secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_close_that_was_dropped_keeps_its_deadline() {
    let (mut client, _peer) = client();
    let start = Instant::now();
    assert!(timeout(secs(2), client.close(1000, "")).await.is_err());
    assert!(!client.close(1000, "").await.unwrap().was_clean);
    assert_took(start.elapsed(), secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_broke_the_protocol_is_listened_to_for_a_second() {
    let (mut client, mut peer) = client();
    let start = Instant::now();
    peer.write(&[0x83, 0]).await;
    assert!(matches!(client.next().await, Some(Err(Error::Protocol(_)))));
    assert_took(start.elapsed(), secs(1));
    assert_eq!(peer.expect().await.close().0, 1002);
}

#[tokio::test(start_paused = true)]
async fn no_timer_is_left_after_the_end() {
    let (mut client, mut peer) = client();
    peer.close(1000, "").await;
    peer.shut_down().await;
    assert!(client.next().await.is_none());
    let mut close = task::spawn(async {
        client.close(1000, "").await.unwrap();
        client.next().await;
        pending::<()>().await;
    });
    assert_pending!(close.poll());
    advance(secs(1_000)).await;
    assert!(!close.is_woken());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_wakes_only_to_ask() {
    let (mut client, mut peer) = client();
    let mut next = task::spawn(client.next());
    assert_pending!(next.poll());
    let mut woken = 0;
    for _ in 0..20_000 {
        advance(Duration::from_millis(10)).await;
        if next.is_woken() {
            woken += 1;
            assert_pending!(next.poll());
            if let Some(Some(ping)) = peer.next().now_or_never() {
                assert_eq!(ping.first, PING);
                peer.send(PONG, b"").await;
            }
        }
    }
    // Of 200 s, every 20 s: the timer, the pong, and at most one timer that was set too early.
    assert!((18..=30).contains(&woken), "{woken}");
}
