//! Messages encoded once for many: on the channel, and on its sink half.

use std::future::poll_fn;

use futures::{SinkExt, StreamExt};
use tokio::io::{DuplexStream, duplex};
use ws_channel::{Error, Handshake, Message, Prepared, Role, WebSocketAdapter};

type Channel = WebSocketAdapter<DuplexStream>;

fn pair() -> (Channel, Channel) {
    let (near, far) = duplex(4096);
    let end = |io, role| WebSocketAdapter::from_upgraded(io, role, Handshake::default());
    (end(near, Role::Server), end(far, Role::Client))
}

#[tokio::test]
async fn one_prepared_message_reaches_every_client_in_order_with_the_others() {
    let prepared = [Prepared::new("small"), Prepared::new(vec![1; 100_000])];
    for _ in 0..3 {
        let (mut server, mut client) = pair();
        let shared = prepared.clone();
        let sender = tokio::spawn(async move {
            for prepared in shared {
                server.feed("before".into()).await?;
                poll_fn(|cx| server.poll_ready_unpin(cx)).await?;
                server.start_send_prepared(&prepared)?;
            }
            server.flush().await?;
            Ok::<_, Error>(server)
        });
        for prepared in &prepared {
            assert_eq!(client.next().await.unwrap().unwrap(), "before");
            assert_eq!(&client.next().await.unwrap().unwrap(), prepared.message());
        }
        sender.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_sink_half_sends_what_was_prepared() {
    let (server, mut client) = pair();
    let (mut sink, _stream) = server.split();
    poll_fn(|cx| sink.poll_ready_unpin(cx)).await.unwrap();
    sink.start_send_prepared(&Prepared::from("hello")).unwrap();
    sink.flush().await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "hello");
}

#[tokio::test]
async fn a_client_masks_what_was_prepared() {
    let (mut server, mut client) = pair();
    for message in [Message::from("hello"), Message::from(vec![2; 20_000])] {
        let prepared = Prepared::new(message);
        let sent = async {
            client.start_send_prepared(&prepared).unwrap();
            client.flush().await.unwrap();
        };
        let (received, ()) = tokio::join!(server.next(), sent);
        assert_eq!(&received.unwrap().unwrap(), prepared.message());
    }
}

#[tokio::test]
async fn sending_what_was_prepared_fails_after_the_end() {
    let (mut server, client) = pair();
    drop(client);
    assert!(server.next().await.unwrap().is_err());
    let refused = server.start_send_prepared(&Prepared::new("late"));
    assert!(matches!(refused, Err(Error::Closed { event: Some(_), .. })), "{refused:?}");
}

#[test]
fn what_was_prepared_is_shared_between_threads() {
    fn goes<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    goes::<Prepared>();
    assert_eq!(size_of::<Prepared>(), size_of::<usize>());
}
