//! The protocol over a byte stream on which somebody else did the handshake, against
//! tokio-tungstenite at the other end.
#![cfg(not(target_family = "wasm"))]

use bytes::BytesMut;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_tungstenite::tungstenite::{Message as Theirs, protocol::CloseFrame as TheirFrame};
use ws_channel::{
    CloseCode, Handshake, Message, Options, Role, WebSocketAdapter, WebSocketChannel, accept_key,
};

/// Reads up to the end of an HTTP head.
async fn head(io: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Of `web_socket_channel` 2: "a client can communicate with a WebSocket server", which closes
/// with 5678 there; nobody may send that.
#[tokio::test(start_paused = true)]
async fn a_client_takes_over_after_a_handshake_by_hand() {
    let (mut near, far) = duplex(1 << 10);
    let server = tokio::spawn(async move {
        let mut socket = tokio_tungstenite::accept_async(far).await.unwrap();
        socket.send(Theirs::text("hello!")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Theirs::text("ping"));
        let frame = TheirFrame { code: 4678.into(), reason: "raisin".into() };
        socket.close(Some(frame)).await.unwrap();
        while socket.next().await.is_some() {}
    });
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    near.write_all(request.as_bytes()).await.unwrap();
    assert!(head(&mut near).await.contains(&accept_key("x3JJHMbDL1EzLkh9GBhXDw==")));

    let handshake = Handshake::new("ws://localhost/");
    let mut channel = WebSocketAdapter::from_upgraded(near, Role::Client, handshake);
    assert_eq!(channel.url(), "ws://localhost/");
    assert_eq!(channel.next().await.unwrap().unwrap(), Message::from("hello!"));
    channel.send("ping".into()).await.unwrap();
    assert!(channel.next().await.is_none());
    assert_eq!(channel.close_code(), Some(CloseCode::new(4678)));
    assert_eq!(channel.close_reason(), Some("raisin"));
    server.await.unwrap();
}

/// Of `web_socket_channel` 2: "a server can communicate with a WebSocket client"
#[tokio::test(start_paused = true)]
async fn a_server_takes_over_after_a_handshake_by_hand() {
    let (near, mut far) = duplex(1 << 10);
    let server = async {
        let request = head(&mut far).await;
        let key =
            request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(key)
        );
        far.write_all(response.as_bytes()).await.unwrap();
        let mut channel = WebSocketAdapter::from_upgraded(far, Role::Server, Handshake::default());
        channel.send("hello!".into()).await.unwrap();
        assert_eq!(channel.next().await.unwrap().unwrap(), Message::from("ping"));
        let event = channel.close(4678, "raisin").await.unwrap();
        assert!(event.was_clean);
        assert_eq!(event.code.as_u16(), 4678);
    };
    let client = async {
        let (mut socket, _) =
            tokio_tungstenite::client_async("ws://localhost/", near).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Theirs::text("hello!"));
        socket.send(Theirs::text("ping")).await.unwrap();
        match socket.next().await.unwrap().unwrap() {
            Theirs::Close(Some(frame)) => {
                assert_eq!((u16::from(frame.code), &*frame.reason), (4678, "raisin"));
            }
            other => panic!("{other:?}"),
        }
        while socket.next().await.is_some() {}
    };
    tokio::join!(server, client);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_behind_the_handshake_comes_first() {
    let (near, mut far) = duplex(1 << 10);
    far.write_all(b"\x00\x03 up\x80\x04 now\x81\x04next").await.unwrap();
    // Cut inside a fragmented message.
    let read = BytesMut::from(&b"\x81\x02hi\x01\x05split"[..]);
    let options = Options::new();
    let mut channel = WebSocketAdapter::from_upgraded_with(
        near,
        Role::Client,
        Handshake::default(),
        &options,
        read,
    );
    for text in ["hi", "split up now", "next"] {
        assert_eq!(channel.next().await.unwrap().unwrap(), Message::from(text));
    }
}
