//! How connections end.

use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use futures::future::{Either, select};
use futures::task::{ArcWake, waker_ref};
use futures::{SinkExt, StreamExt};
use wasm_bindgen_test::wasm_bindgen_test;
use ws_channel::{CloseCode, CloseEvent, Error, Initiator, ReadyState, WebSocketChannel, status};

use super::{BrowserChannel, WAYS, count, echoes, over_socket, received, turn, until};

/// How it ended, of which nothing more may come.
async fn ended(channel: &mut BrowserChannel) -> CloseEvent {
    for _ in 0..2 {
        assert!(channel.next().await.is_none());
    }
    assert_eq!(channel.ready_state(), ReadyState::Closed);
    assert!(channel.send("late".into()).await.unwrap_err().is_closed());
    channel.close_event().expect("the end has an event").clone()
}

#[wasm_bindgen_test]
async fn a_close_resolves_to_the_answer_of_the_peer() {
    for way in WAYS {
        let mut channel = way("/").await.unwrap();
        let event = channel.close(4001, "bye").await.unwrap();
        assert_eq!((event.code, &*event.reason), (CloseCode::new(4001), "bye"));
        assert_eq!((event.was_clean, event.initiator), (true, Initiator::Local));
        assert_eq!(channel.close(3000, "again").await.unwrap(), event);
        assert_eq!(ended(&mut channel).await, event);
    }
}

#[wasm_bindgen_test]
async fn a_close_behind_messages_lets_them_go_first() {
    for way in WAYS {
        let mut channel = way("/slow").await.unwrap();
        for _ in 0..40 {
            channel.feed(vec![0; 100_000].into()).await.unwrap();
        }
        assert!(channel.close(1000, "").await.unwrap().was_clean);
        assert_eq!(count("/taken").await, 4_000_000);
    }
}

#[wasm_bindgen_test]
async fn a_sink_dropped_after_the_end_leaves_what_came_before_it() {
    let (sink, mut stream) = over_socket("/gone").await.unwrap().split();
    until(async || stream.close_event().is_some()).await;
    drop(sink);
    assert_eq!(stream.next().await.unwrap().unwrap(), "before");
    assert!(matches!(stream.next().await, Some(Err(Error::ConnectionLost))));
    assert!(stream.next().await.is_none());
}

#[wasm_bindgen_test]
async fn a_close_after_the_end_drops_what_was_not_received() {
    let mut channel = over_socket("/gone").await.unwrap();
    until(async || channel.close_event().is_some()).await;
    assert_eq!(channel.close(1000, "").await.unwrap().code, status::ABNORMAL_CLOSURE);
    assert!(channel.next().await.is_none());
}

#[wasm_bindgen_test]
async fn a_dropped_channel_keeps_no_waker() {
    struct Mark;
    impl ArcWake for Mark {
        fn wake_by_ref(_: &Arc<Self>) {}
    }
    for way in WAYS {
        let mut channel = way("/").await.unwrap();
        let mark = Arc::new(Mark);
        let pending = channel.poll_next_unpin(&mut Context::from_waker(&waker_ref(&mark)));
        assert!(pending.is_pending());
        assert_eq!(Arc::strong_count(&mark), 2);
        drop(channel);
        assert_eq!(Arc::strong_count(&mark), 1);
    }
}

#[wasm_bindgen_test]
async fn codes_that_a_page_may_not_send_leave_the_channel_open() {
    for way in WAYS {
        let mut channel = way("/").await.unwrap();
        for code in [status::GOING_AWAY, status::INTERNAL_SERVER_ERROR, CloseCode::new(2999)] {
            let refused = channel.close(code, "").await;
            assert!(matches!(refused, Err(Error::CloseFrame(_))), "{refused:?}");
        }
        echoes(&mut channel, "still open").await;
    }
}

#[wasm_bindgen_test]
async fn codes_of_the_peer_come_through_as_they_were() {
    for way in WAYS {
        for code in [1000, 1001, 1011, 1012, 1014, 3000, 4999] {
            let mut channel = way(&format!("/close?{code}")).await.unwrap();
            let event = ended(&mut channel).await;
            assert_eq!((event.code.as_u16(), &*event.reason), (code, "as you wish"));
            assert_eq!((event.was_clean, event.initiator), (true, Initiator::Peer));
        }
    }
}

#[wasm_bindgen_test]
async fn a_connection_that_is_lost_is_an_error_and_1006() {
    for way in WAYS {
        let mut channel = way("/gone").await.unwrap();
        assert_eq!(received(&mut channel).await, "before");
        let lost = channel.next().await;
        assert!(matches!(lost, Some(Err(Error::ConnectionLost))), "{lost:?}");
        let event = ended(&mut channel).await;
        assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false));
    }
}

#[wasm_bindgen_test]
async fn a_peer_that_does_not_answer_costs_no_more_than_the_close_timeout() {
    for way in WAYS {
        let mut channel = way("/mute").close_timeout(Duration::from_millis(50)).await.unwrap();
        let event = channel.close(4001, "anybody?").await.unwrap();
        assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false));
        assert_eq!(event.initiator, Initiator::Local);
        assert_eq!(ended(&mut channel).await, event);
    }
}

/// What is sent is stuck, so the Close frame is, too; it has to go out when nobody waits any more.
#[wasm_bindgen_test]
async fn a_close_that_was_given_up_ends_the_connection_all_the_same() {
    for way in WAYS {
        let mut channel = way("/late").close_timeout(Duration::from_millis(50)).await.unwrap();
        while let Either::Left((sent, _)) =
            select(channel.feed(vec![0; 1 << 16].into()), pin!(turn(300))).await
        {
            sent.unwrap();
        }
        let event = channel.close(1000, "").await.unwrap();
        assert_eq!((event.code, event.was_clean), (status::ABNORMAL_CLOSURE, false));
        assert_eq!(count("/holding").await, 1);
        drop(channel);
        until(async || count("/holding").await == 0).await;
    }
}

#[wasm_bindgen_test]
async fn a_message_that_is_too_big_is_an_error_and_told_with_the_overflow_code() {
    for way in WAYS {
        let mut channel = way("/").max_message_size(1000).overflow_code(3009).await.unwrap();
        echoes(&mut channel, vec![1; 1000]).await;
        channel.send(vec![1; 1001].into()).await.unwrap();
        match channel.next().await {
            Some(Err(Error::MessageTooBig { size: 1001, limit: 1000, .. })) => {}
            other => panic!("{other:?}"),
        }
        let event = ended(&mut channel).await;
        assert_eq!((event.code.as_u16(), event.initiator), (3009, Initiator::Local));
    }
}

#[wasm_bindgen_test]
async fn halves_close_and_read_in_two_places() {
    for way in WAYS {
        let (mut sink, mut stream) = way("/").await.unwrap().split();
        sink.send("one".into()).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), "one");
        let (event, last) = futures::join!(sink.close(1000, "done"), stream.next());
        assert!(last.is_none());
        assert_eq!(event.unwrap().code, status::NORMAL_CLOSURE);
    }
}
