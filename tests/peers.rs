//! What other crates fail at, each with the crate that was measured to.
//!
//! The memory of an idle connection, of a long header and the time of a long message (7 to 9 of
//! that list) are in `memory.rs` and `linear.rs`, a dropped receive and send (10) in `cancel.rs`,
//! two subprotocols and codes in a browser (12, 13) in the browser's tests.

mod wire;

use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;
use ws_channel::{
    Error, Message, Options, ProtocolError, Role, WebSocketAdapter, WebSocketChannel, accept_key,
    status,
};

use wire::{BINARY, Channel, PING, PONG, Peer, TEXT, channel, client, server};

/// 1: tokio-tungstenite returns at once, tokio-websockets hangs. What comes in between can still be
/// read there; here it is dropped, as in browsers.
#[tokio::test(start_paused = true)]
async fn closing_a_silent_peer_takes_the_close_timeout_and_frees_the_transport() {
    let (mut client, mut peer) = client();
    let start = Instant::now();
    client.close(status::NORMAL_CLOSURE, "").await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!(peer.expect().await.close().0, 1000);
    assert!(peer.is_over().await, "the transport is shut down while the channel still exists");
}

/// 2: tokio-tungstenite waits for the end of TCP for ever.
#[tokio::test(start_paused = true)]
async fn a_peer_that_closed_and_keeps_tcp_open_is_left_within_the_close_timeout() {
    let (mut client, mut peer) = client();
    let start = Instant::now();
    peer.close(1000, "").await;
    assert!(client.next().await.is_none());
    assert!(start.elapsed() <= Duration::from_secs(5));
    assert_eq!(peer.expect().await.close().0, 1000);
    assert!(peer.is_over().await);
}

/// 3: tungstenite makes 1002 of 1014.
#[tokio::test(start_paused = true)]
async fn close_codes_come_through_as_they_were_sent() {
    for code in (1012..=1014).chain(3000..=4999) {
        let (mut server, mut peer) = server();
        peer.close(code, "why").await;
        assert!(server.next().await.is_none());
        assert_eq!(server.close_code().map(u16::from), Some(code));
        assert_eq!(server.close_reason(), Some("why"));
        assert_eq!(peer.expect().await.close().0, code);
    }
}

/// 4 and 11: tungstenite sends nothing, yawc ends its stream without an error.
#[tokio::test(start_paused = true)]
async fn a_fault_is_told_to_the_peer_and_is_one_error_of_the_stream() {
    let text = wire::frame(Role::Client, TEXT, b"\xc3\x28");
    let big = wire::frame(Role::Client, BINARY, &[0; 101]);
    let reserved = wire::frame(Role::Client, 0x83, b"");
    let unmasked = wire::frame(Role::Server, TEXT, b"x");
    for (frame, code) in [(text, 1007), (big, 1009), (reserved, 1002), (unmasked, 1002)] {
        let (mut server, mut peer) =
            channel(Role::Server, 1 << 10, &Options::new().max_message_size(100));
        peer.write(&frame).await;
        peer.shut_down().await;
        match (code, server.next().await.unwrap().unwrap_err()) {
            (1007, Error::NotUtf8)
            | (1009, Error::MessageTooBig { size: 101, limit: 100, .. })
            | (1002, Error::Protocol(ProtocolError::ReservedOpcode(3) | ProtocolError::Unmasked)) =>
                {}
            other => panic!("{other:?}"),
        }
        assert!(server.next().await.is_none());
        assert_eq!(peer.expect().await.close().0, code);
        assert!(peer.is_over().await);
    }
}

/// 4: yawc does not look at UTF-8 unless asked, tungstenite when the frame is complete.
#[tokio::test(start_paused = true)]
async fn text_that_is_not_utf8_is_found_at_its_first_wrong_byte() {
    let (mut server, mut peer) = server();
    let frame = wire::frame(Role::Client, TEXT, &[b"ab\xff".as_slice(), &[b'c'; 97]].concat());
    let (wrong, _rest) = frame.split_at(6 + 3);
    let (before, wrong) = wrong.split_at(wrong.len() - 1);
    peer.write(before).await;
    assert!(server.next().now_or_never().is_none());
    peer.write(wrong).await;
    assert!(server.next().now_or_never().is_none(), "the peer is told first");
    assert_eq!(peer.expect().await.close().0, 1007);
}

/// 5: tokio-tungstenite answers when it is read, and flushed, and not otherwise.
#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_by_whichever_side_is_used() {
    async fn pong(peer: &mut Peer<DuplexStream>) {
        let frame = peer.expect().await;
        assert_eq!((frame.first, frame.payload.as_slice()), (PONG, &b"p"[..]));
    }
    let (mut server, mut peer) = server();
    peer.send(PING, b"p").await;
    assert!(server.next().now_or_never().is_none());
    pong(&mut peer).await;

    let (mut server, mut peer) = wire::server();
    for _ in 0..3 {
        peer.send(PING, b"p").await;
        server.send("m".into()).await.unwrap();
        assert_eq!(peer.expect().await.first, TEXT);
        pong(&mut peer).await;
    }
}

/// 6: tokio-websockets panics, tungstenite sends them.
#[tokio::test(start_paused = true)]
async fn what_may_not_be_sent_is_an_error_and_not_sent() {
    let (mut client, mut peer) = client();
    for code in (0..1000).chain([1004, 1005, 1006]).chain(1015..3000).chain([5000, 65535]) {
        assert!(matches!(client.close(code, "").await, Err(Error::CloseFrame(_))), "{code}");
    }
    assert!(matches!(client.close(1000, "x".repeat(124)).await, Err(Error::CloseFrame(_))));
    client.send("open".into()).await.unwrap();
    assert_eq!(peer.expect().await.payload, b"open");
}

/// 11: a connection that is lost is an error, not an end.
#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_an_error_and_then_none() {
    let (mut client, mut peer) = client();
    peer.send(TEXT, b"last").await;
    peer.shut_down().await;
    assert_eq!(client.next().await.unwrap().unwrap(), Message::from("last"));
    assert!(matches!(client.next().await, Some(Err(Error::ConnectionLost))));
    assert!(client.next().await.is_none());
    assert_eq!(client.close_code(), Some(status::ABNORMAL_CLOSURE));
}

/// Reads an HTTP head.
async fn head(io: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// What a client asks for, and what becomes of it when the server answers with `connection`.
async fn asked(url: &str, connection: &str) -> (String, Result<Channel, Error>) {
    let (near, mut far) = duplex(1 << 10);
    let server = async {
        let request = head(&mut far).await;
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n{connection}\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(key.unwrap())
        );
        far.write_all(answer.as_bytes()).await.unwrap();
        request
    };
    tokio::join!(server, WebSocketAdapter::client(near, url).into_future())
}

/// 14: tungstenite and yawc want `Upgrade` alone.
#[tokio::test(start_paused = true)]
async fn a_client_finds_upgrade_in_a_list_and_in_any_case() {
    for connection in [
        "Connection: keep-alive, Upgrade",
        "Connection: keep-alive\r\nConnection: upgrade",
        "connection: UPGRADE ,foo",
    ] {
        asked("ws://localhost/", connection).await.1.unwrap();
    }
    assert!(asked("ws://localhost/", "Connection: keep-alive").await.1.is_err());
}

/// What a server answers to a request with these headers more.
async fn answered(first: &str, headers: &str) -> String {
    let (near, mut far) = duplex(1 << 10);
    let accept = tokio::spawn(WebSocketAdapter::accept(near).into_future());
    let request = format!("{first}\r\nHost: localhost\r\n{headers}\r\n");
    far.write_all(request.as_bytes()).await.unwrap();
    let answer = head(&mut far).await;
    far.shutdown().await.unwrap();
    let accepted = accept.await.unwrap();
    assert_eq!(accepted.is_ok(), answer.starts_with("HTTP/1.1 101 "));
    answer
}

/// 14: tungstenite looks at the first `Connection` only.
#[tokio::test(start_paused = true)]
async fn a_server_finds_upgrade_in_any_of_several_headers() {
    let upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for connection in [
        "Connection: keep-alive\r\nConnection: Upgrade\r\n",
        "Connection: keep-alive, Upgrade\r\n",
        "CONNECTION: upgrade\r\n",
    ] {
        let answer = answered("GET / HTTP/1.1", &format!("{connection}{upgrade}")).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
    }
}

/// 14: tungstenite, wtx and sockudo-ws drop the stream.
#[tokio::test(start_paused = true)]
async fn a_request_that_is_no_upgrade_gets_an_answer() {
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (first, headers, status) in [
        ("GET / HTTP/1.1", format!("{upgrade}Sec-WebSocket-Version: 13\r\n"), "400"),
        ("GET / HTTP/1.1", format!("{upgrade}{key}Sec-WebSocket-Version: 8\r\n"), "426"),
        ("POST / HTTP/1.1", format!("{upgrade}{key}Sec-WebSocket-Version: 13\r\n"), "405"),
        ("nonsense", String::new(), "400"),
    ] {
        let answer = answered(first, &headers).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{first}: {answer}");
    }
    let answer = answered("GET / HTTP/1.1", "").await;
    assert_eq!(answer.split(' ').nth(1).map(|status| &status[..1]), Some("4"), "{answer}");
}

/// 15: tungstenite asks for `?x=1`.
#[tokio::test(start_paused = true)]
async fn a_query_without_a_path_is_one_of_the_root() {
    let (request, channel) = asked("ws://localhost?x=1", "Connection: Upgrade").await;
    assert!(request.starts_with("GET /?x=1 HTTP/1.1\r\n"), "{request}");
    assert_eq!(channel.unwrap().url(), "ws://localhost/?x=1");
}
