//! permessage-deflate over a pipe: negotiated, whole, split and after an upgrade.

mod scripted;

use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use futures::{FutureExt, SinkExt, StreamExt};
use scripted::{Read, Scripted, frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use ws_channel::{
    ConnectErrorKind, Deflate, Error, Handshake, HandshakeFault, Message, Options, Role,
    SendOptions, WebSocketAdapter, WebSocketChannel, accept_key, status,
};

const RSV1: u8 = 0x40;
const FIN_TEXT: u8 = 0x81;

/// What a client and a server, with these options, come to.
async fn opened(
    client: Options,
    server: Options,
) -> (WebSocketAdapter<DuplexStream>, WebSocketAdapter<DuplexStream>) {
    // It takes little at a time: what is shown of a message is shown more than once.
    let (near, far) = tokio::io::duplex(61);
    let accept = WebSocketAdapter::accept(far).options(server).into_future();
    let client = WebSocketAdapter::client(near, "ws://h/").options(client).into_future();
    let (client, server) = futures::join!(client, accept);
    (client.unwrap(), server.unwrap())
}

/// Notes what is written.
struct Tap<S> {
    io: S,
    written: Vec<u8>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = std::task::ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.written.extend_from_slice(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

const OPEN: Deflate = Deflate::new().server_context_takeover().client_context_takeover();

#[tokio::test(start_paused = true)]
async fn both_ends_know_what_was_agreed_on() {
    let off = || Options::new().no_deflate();
    let with = |deflate| Options::new().deflate(deflate);
    let neither = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for (client, server, expected) in [
        (Options::new(), Options::new(), neither),
        (off(), Options::new(), ""),
        (Options::new(), off(), ""),
        (with(OPEN), with(OPEN), "permessage-deflate"),
        (Options::new(), with(OPEN), "permessage-deflate; client_no_context_takeover"),
        (
            with(OPEN.server_max_window_bits(9)),
            with(OPEN.client_max_window_bits(11)),
            "permessage-deflate; server_max_window_bits=9; client_max_window_bits=11",
        ),
    ] {
        let (client, server) = opened(client, server).await;
        assert_eq!((client.extensions(), server.extensions()), (expected, expected));
    }
}

/// What goes over the wire is smaller, and comes out the same; on halves, too.
#[tokio::test(start_paused = true)]
async fn compressed_messages_are_echoed() {
    for deflate in [Deflate::new(), OPEN] {
        for split in [false, true] {
            let options = Options::new().deflate(deflate);
            let (client, mut server) = opened(options.clone(), options).await;
            let echo = tokio::spawn(async move {
                while let Some(message) = server.next().await {
                    server.send(message.unwrap()).await.unwrap();
                }
                server.close_event().unwrap().code
            });
            let messages: Vec<Message> = (0..50)
                .map(|n| match n % 5 {
                    0 => Message::from("{\"a\": [1, 2, 3]}".repeat(n * 100)),
                    1 => Message::from(vec![1; n * 10_000]),
                    2 => Message::from(""),
                    _ => Message::from(n.to_string()),
                })
                .collect();
            if split {
                let (mut sink, mut stream) = client.split();
                let sending = async {
                    for message in &messages {
                        sink.send(message.clone()).await.unwrap();
                    }
                };
                let receiving = async {
                    for message in &messages {
                        assert!(stream.next().await.unwrap().unwrap() == *message);
                    }
                };
                futures::join!(sending, receiving);
                let closing = async { while stream.next().await.is_some() {} };
                let (event, ()) = futures::join!(sink.close(status::NORMAL_CLOSURE, ""), closing);
                assert!(event.unwrap().was_clean);
            } else {
                let mut client = client;
                for message in &messages {
                    client.send(message.clone()).await.unwrap();
                    assert!(client.next().await.unwrap().unwrap() == *message);
                }
                let event = client.close(status::NORMAL_CLOSURE, "").await.unwrap();
                assert!(event.was_clean);
            }
            assert_eq!(echo.await.unwrap(), status::NORMAL_CLOSURE);
        }
    }
}

/// The extension comes with the handshake that was done elsewhere.
#[tokio::test(start_paused = true)]
async fn an_upgraded_connection_compresses_as_its_handshake_says() {
    let offer = Deflate::new().offer();
    let answer = OPEN.answer([&offer]).unwrap();
    let handshake = || Handshake::new("/x").with_extensions(&answer).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let tap = Tap { io: near, written: Vec::new() };
    let mut client = WebSocketAdapter::from_upgraded(tap, Role::Client, handshake());
    let mut server = WebSocketAdapter::from_upgraded(far, Role::Server, handshake());
    assert_eq!(client.extensions(), answer);
    let text = "a text that repeats itself, ".repeat(100);
    client.send(text.as_str().into()).await.unwrap();
    assert_eq!(client.get_ref().written[0], FIN_TEXT | RSV1);
    assert!(client.get_ref().written.len() < text.len() / 10);
    assert_eq!(server.next().await.unwrap().unwrap(), text.as_str());

    // An end that would rather not compress still has to understand.
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut client = WebSocketAdapter::from_upgraded(near, Role::Client, handshake());
    let off = Options::new().no_deflate();
    let tap = Tap { io: far, written: Vec::new() };
    let mut server =
        WebSocketAdapter::from_upgraded_with(tap, Role::Server, handshake(), &off, BytesMut::new());
    client.send(text.as_str().into()).await.unwrap();
    let message = server.next().await.unwrap().unwrap();
    server.send(message).await.unwrap();
    assert_eq!(server.get_ref().written[0], FIN_TEXT);
    assert_eq!(client.next().await.unwrap().unwrap(), text.as_str());
}

#[tokio::test(start_paused = true)]
async fn each_message_may_be_sent_in_a_way_of_its_own() {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let handshake = Handshake::new("/").with_extensions("permessage-deflate").unwrap();
    let mut server = WebSocketAdapter::from_upgraded(near, Role::Server, handshake);
    let long = "x".repeat(1000);
    let mut sent = Vec::new();
    for (text, options) in [
        (long.as_str(), SendOptions::new()),
        ("short", SendOptions::new()),
        ("short", SendOptions::new().compress()),
        (long.as_str(), SendOptions::new().no_compress()),
    ] {
        poll_fn(|cx| server.poll_ready_unpin(cx)).await.unwrap();
        server.start_send_with(text.into(), options).unwrap();
        server.flush().await.unwrap();
        let mut read = [0; 2];
        far.read_exact(&mut read).await.unwrap();
        let length = if read[1] == 126 {
            usize::from(far.read_u16().await.unwrap())
        } else {
            usize::from(read[1])
        };
        let mut payload = vec![0; length];
        far.read_exact(&mut payload).await.unwrap();
        sent.push(read[0]);
    }
    assert_eq!(sent, [FIN_TEXT | RSV1, FIN_TEXT, FIN_TEXT | RSV1, FIN_TEXT]);
    let (mut sink, stream) = server.split();
    poll_fn(|cx| sink.poll_ready_unpin(cx)).await.unwrap();
    sink.start_send_with("short".into(), SendOptions::new().compress()).unwrap();
    sink.flush().await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), FIN_TEXT | RSV1);
    drop(stream);
    drop(sink);
}

/// The server's answer to a client's offer, and what the client makes of it.
async fn client_of(options: Options, answer: &str) -> Result<String, Error> {
    let (near, mut far) = tokio::io::duplex(1 << 12);
    let client = WebSocketAdapter::client(near, "ws://h/").options(options).into_future();
    let server = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(far.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap();
        let accept = accept_key(key.split("\r\n").next().unwrap());
        let mut lines = String::new();
        for line in answer.split('|').filter(|line| !line.is_empty()) {
            lines = format!("{lines}Sec-WebSocket-Extensions: {line}\r\n");
        }
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{lines}\r\n"
        );
        far.write_all(answer.as_bytes()).await.unwrap();
        request
    };
    let (client, request) = futures::join!(client, server);
    assert_eq!(request.matches("Sec-WebSocket-Extensions: permessage-deflate; ").count(), 1);
    client.map(|client| client.extensions().to_owned())
}

/// CH-15, CH-16, CD-04.
#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_the_rules_fails_the_handshake_and_is_named() {
    for (answer, named) in [
        ("permessage-deflate; foo", "`foo`"),
        ("permessage-deflate|permessage-deflate", "permessage-deflate stands more than once"),
        ("permessage-deflate; client_max_window_bits=7", "`client_max_window_bits`"),
        ("permessage-deflate; \"", "`permessage-deflate; \"`"),
    ] {
        let error = client_of(Options::new(), answer).await.unwrap_err();
        let Error::Connect(connect) = &error else { panic!("{error:?}") };
        let ConnectErrorKind::Handshake(handshake) = connect.kind() else { panic!("{error:?}") };
        assert!(matches!(handshake.fault(), HandshakeFault::Extensions(_)), "{error:?}");
        assert!(handshake.fault().to_string().contains(named), "{error:?}");
    }
    let error = client_of(Options::new(), "x-other").await.unwrap_err();
    assert!(format!("{error:?}").contains("uses the extension `x-other`"), "{error:?}");
    for (answer, expected) in [
        ("", ""),
        ("permessage-deflate", "permessage-deflate"),
        (
            "permessage-deflate;server_max_window_bits=\"10\"",
            "permessage-deflate; server_max_window_bits=10",
        ),
    ] {
        assert_eq!(client_of(Options::new(), answer).await.unwrap(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_compressed_message_is_lent() {
    let io = Scripted::new([Read::Bytes(
        [
            frame(FIN_TEXT | RSV1, b"\xf2\x48\xcd\xc9\xc9\x07\x00", false),
            frame(FIN_TEXT, b"plain", false),
            frame(FIN_TEXT | RSV1, b"\xf2\x00\x11\x00\x00", false),
        ]
        .concat(),
    )]);
    let handshake = Handshake::new("/").with_extensions("permessage-deflate").unwrap();
    let mut client = WebSocketAdapter::from_upgraded(io, Role::Client, handshake);
    for expected in ["Hello", "plain", "Hello"] {
        let lent = client.recv_ref().await.unwrap().unwrap();
        assert_eq!(lent.as_bytes(), expected.as_bytes());
    }
}

/// A send that is dropped has accepted its message whole, in the midst of compressing it, too.
#[tokio::test(start_paused = true)]
async fn an_interrupted_send_goes_on_where_it_was() {
    for extensions in ["permessage-deflate", "permessage-deflate; client_no_context_takeover"] {
        let handshake = || Handshake::new("/").with_extensions(extensions).unwrap();
        let (near, far) = tokio::io::duplex(1000);
        let options = Options::new().deflate(OPEN);
        let mut client = WebSocketAdapter::from_upgraded_with(
            near,
            Role::Client,
            handshake(),
            &options,
            BytesMut::new(),
        );
        let mut server = WebSocketAdapter::from_upgraded(far, Role::Server, handshake());
        let texts: Vec<Message> = (1..5_u32)
            .map(|n| {
                let mut state = n;
                let digits = (0..n * 50_000).map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    format!("{:x}", state >> 28)
                });
                Message::from(digits.collect::<String>())
            })
            .collect();
        let sending = async {
            for text in &texts {
                // As often as it takes until there is room, and then once more.
                while poll_fn(|cx| client.poll_ready_unpin(cx)).now_or_never().is_none() {
                    tokio::task::yield_now().await;
                }
                assert!(client.send(text.clone()).now_or_never().is_none(), "the pipe is small");
            }
            client.flush().await.unwrap();
        };
        let receiving = async {
            for text in &texts {
                let message = loop {
                    match server.next().now_or_never() {
                        Some(message) => break message.unwrap().unwrap(),
                        None => tokio::task::yield_now().await,
                    }
                };
                assert!(message == *text);
            }
        };
        futures::join!(sending, receiving);
    }
}
