//! A channel that is there before its connection is.

use std::cell::Cell;
use std::future::{Ready, pending, ready};
use std::io;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use futures::{FutureExt, SinkExt, StreamExt};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use ws_channel::{
    CloseEvent, ConnectError, ConnectErrorKind, DeferredChannel, Error, Initiator, ReadyState,
    WebSocketChannel, status,
};

use crate::wire::{Channel, client, pair};

const URL: &str = "ws://example.com/chat";

type Attempt = LocalBoxFuture<'static, Result<Channel, Error>>;

/// A channel that connects when it is told to.
fn connecting() -> (DeferredChannel<Attempt>, oneshot::Sender<Result<Channel, Error>>) {
    let (connect, attempt) = oneshot::channel();
    let attempt = attempt.map(|outcome| outcome.expect("the test tells")).boxed_local();
    (DeferredChannel::new(URL, attempt), connect)
}

fn failure() -> Error {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    ConnectError::new(URL, ConnectErrorKind::Tcp(refused)).into()
}

fn failed() -> DeferredChannel<Ready<Result<Channel, Error>>> {
    DeferredChannel::new(URL, ready(Err(failure())))
}

fn is_lost(event: Option<&CloseEvent>, initiator: Initiator) {
    let event = event.expect("it is over");
    assert_eq!((event.code, &*event.reason), (status::ABNORMAL_CLOSURE, ""));
    assert_eq!((event.was_clean, event.initiator), (false, initiator));
}

#[tokio::test(start_paused = true)]
async fn it_begins_in_connecting_and_knows_its_url() {
    let (channel, _connect) = connecting();
    assert_eq!(channel.ready_state(), ReadyState::Connecting);
    assert_eq!((channel.url(), channel.protocol(), channel.extensions()), (URL, None, ""));
    assert_eq!((channel.buffered_amount(), channel.close_event()), (0, None));
    assert!(channel.get_ref().is_none());
}

#[tokio::test(start_paused = true)]
async fn sends_and_reads_wait_until_it_is_connected() {
    let (mut channel, connect) = connecting();
    let (client, mut peer) = client();
    assert_ready_ok!(task::spawn(channel.flush()).poll());
    assert_pending!(task::spawn(channel.ready()).poll());
    assert_pending!(task::spawn(channel.next()).poll());
    let mut sending = task::spawn(channel.send("hello".into()));
    assert_pending!(sending.poll());
    connect.send(Ok(client)).unwrap();
    assert!(sending.is_woken());
    assert_ready_ok!(sending.poll());
    drop(sending);
    channel.ready().await.unwrap();
    assert_eq!(channel.ready_state(), ReadyState::Open);
    assert_eq!(peer.expect().await.payload, b"hello");
    peer.send(crate::wire::TEXT, b"hi").await;
    assert_eq!(channel.next().await.unwrap().unwrap(), "hi");
    assert_eq!(channel.url(), "", "the handshake is the connection's own from now on");
    assert!(channel.into_inner().is_some());
}

/// A send without asking first is no panic.
#[tokio::test(start_paused = true)]
async fn a_message_that_did_not_wait_is_refused() {
    let (mut channel, _connect) = connecting();
    assert!(channel.start_send_unpin("x".into()).is_err());
    assert_eq!(channel.ready_state(), ReadyState::Connecting);
}

#[tokio::test(start_paused = true)]
async fn closing_while_it_connects_gives_the_attempt_up() {
    struct Socket(Rc<Cell<bool>>);
    impl Drop for Socket {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }

    let freed = Rc::new(Cell::new(false));
    let socket = Socket(Rc::clone(&freed));
    let attempt: Attempt = Box::pin(async move {
        let _socket = socket;
        pending().await
    });
    let mut channel = DeferredChannel::new(URL, attempt);
    assert_pending!(task::spawn(channel.next()).poll());
    let event = assert_ready_ok!(task::spawn(channel.close(4000, "no more")).poll());
    is_lost(Some(&event), Initiator::Local);
    assert!(freed.get(), "the socket is freed while the channel still exists");
    assert_eq!(channel.ready_state(), ReadyState::Closed);
    assert_eq!(channel.close_event(), Some(&event));
    assert!(channel.next().await.is_none(), "the event tells, and nothing broke");
    assert!(channel.send("late".into()).await.unwrap_err().is_closed());
    assert!(channel.ready().await.unwrap_err().is_closed());
    assert_eq!(channel.close(1000, "").await.unwrap(), event);
}

#[tokio::test(start_paused = true)]
async fn a_close_without_a_status_gives_the_attempt_up_as_well() {
    let (mut channel, connect) = connecting();
    SinkExt::close(&mut channel).await.unwrap();
    is_lost(channel.close_event(), Initiator::Local);
    assert!(connect.is_canceled());
}

#[tokio::test(start_paused = true)]
async fn a_code_that_may_not_be_sent_leaves_it_connecting() {
    let (mut channel, _connect) = connecting();
    assert!(matches!(channel.close(1005, "").await, Err(Error::CloseFrame(_))));
    assert_eq!(channel.ready_state(), ReadyState::Connecting);
}

#[tokio::test(start_paused = true)]
async fn dropping_it_drops_the_attempt() {
    let (mut channel, connect) = connecting();
    assert_pending!(task::spawn(channel.ready()).poll());
    drop(channel);
    assert!(connect.is_canceled());
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_told_by_the_stream_and_then_it_ends() {
    let mut channel = failed();
    assert!(matches!(channel.next().await, Some(Err(Error::Connect(_)))));
    for _ in 0..2 {
        assert!(channel.next().await.is_none());
    }
    is_lost(channel.close_event(), Initiator::Peer);
    assert!(channel.send("x".into()).await.unwrap_err().is_closed());
    assert!(channel.ready().await.unwrap_err().is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_told_by_ready_and_by_nothing_else() {
    let mut channel = failed();
    assert!(matches!(channel.ready().await, Err(Error::Connect(_))));
    assert_eq!(channel.ready_state(), ReadyState::Closed);
    assert!(channel.ready().await.unwrap_err().is_closed());
    assert!(channel.send("x".into()).await.unwrap_err().is_closed());
    // `None` alone would mean that somebody closed.
    assert!(channel.next().await.unwrap().unwrap_err().is_closed());
    assert!(channel.next().await.is_none());
    is_lost(channel.close_event(), Initiator::Peer);
    is_lost(Some(&channel.close(1000, "").await.unwrap()), Initiator::Peer);
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_told_by_a_send() {
    let mut channel = failed();
    assert!(matches!(channel.send("x".into()).await, Err(Error::Connect(_))));
    assert!(channel.send("x".into()).await.unwrap_err().is_closed());
}

#[tokio::test(start_paused = true)]
async fn its_halves_wait_in_two_tasks_and_both_are_woken() {
    let (channel, connect) = connecting();
    let (client, mut server) = pair();
    let (mut sink, mut stream) = channel.split();
    assert_eq!(sink.ready_state(), ReadyState::Connecting);
    let mut sending = task::spawn(sink.send("hello".into()));
    let mut reading = task::spawn(stream.next());
    assert_pending!(sending.poll());
    assert_pending!(reading.poll());
    connect.send(Ok(client)).unwrap();
    assert!(sending.is_woken() && reading.is_woken());
    assert_ready_ok!(sending.poll());
    assert_eq!(server.next().await.unwrap().unwrap(), "hello");
    server.send("hi".into()).await.unwrap();
    assert!(reading.is_woken());
    assert_eq!(assert_ready!(reading.poll()).unwrap().unwrap(), "hi");
}

#[tokio::test(start_paused = true)]
async fn a_byte_stream_over_it_waits_too() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let (channel, connect) = connecting();
    let (client, server) = pair();
    let mut io = channel.into_io();
    io.write_all(b"early").await.unwrap();
    let mut flushing = task::spawn(io.flush());
    assert_pending!(flushing.poll());
    connect.send(Ok(client)).unwrap();
    assert_ready_ok!(flushing.poll());
    let mut received = [0; 5];
    server.into_io().read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"early");
}

#[tokio::test(start_paused = true)]
async fn its_close_is_the_connections_once_there_is_one() {
    let (mut channel, connect) = connecting();
    let (client, mut server) = pair();
    connect.send(Ok(client)).unwrap();
    channel.ready().await.unwrap();
    let server = tokio::spawn(async move {
        assert!(server.next().await.is_none());
        server.close_event().cloned().unwrap()
    });
    let event = channel.close(4001, "bye").await.unwrap();
    assert!(event.was_clean);
    assert_eq!(server.await.unwrap().code, 4001u16.into());
}
