//! The opening handshake over a byte stream: both roles, their deadlines, and how they end.

use std::error::Error as _;
use std::future::IntoFuture;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_test::{assert_pending, assert_ready, task};
use ws_channel::{
    AcceptError, Accepting, ClientHandshaking, ConnectErrorKind, ConnectStep, Error,
    HandshakeFault, Incoming, InvalidUpgrade, Message, Receiving, Rejecting, Request,
    WebSocketAdapter, WebSocketChannel, accept_key,
};

const URL: &str = "ws://example.com/chat?room=1";
const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Reads up to and with the empty line.
async fn head(io: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn rest(io: &mut DuplexStream) -> String {
    let mut rest = String::new();
    io.read_to_string(&mut rest).await.unwrap();
    rest
}

fn switch(request: &str) -> String {
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(key)
    )
}

/// A client against a server that reads the request, writes this, and goes.
async fn client_against(answer: &str) -> Error {
    let (near, mut far) = duplex(64);
    let server = async {
        head(&mut far).await;
        // The client may have gone.
        let _ = far.write_all(answer.as_bytes()).await;
        drop(far);
    };
    let (outcome, ()) = tokio::join!(WebSocketAdapter::client(near, URL).into_future(), server);
    outcome.unwrap_err()
}

/// A server against a client that writes this, and reads to the end.
async fn server_against(request: &str) -> (Error, String) {
    let (mut near, far) = duplex(1 << 20);
    near.write_all(request.as_bytes()).await.unwrap();
    let accept = WebSocketAdapter::accept(far).allowed_origins(["https://example.com"]);
    let (outcome, answer) = tokio::join!(accept.into_future(), async {
        let answer = rest(&mut near).await;
        drop(near);
        answer
    });
    (outcome.unwrap_err(), answer)
}

fn accept_error(error: &Error) -> &AcceptError {
    match error {
        Error::Accept(error) => error,
        other => panic!("{other:?}"),
    }
}

fn connect_kind(error: &Error) -> &ConnectErrorKind {
    match error {
        Error::Connect(error) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn client_and_server_agree_and_talk() {
    for size in [1, 7, 4096] {
        let (near, far) = duplex(size);
        let client = WebSocketAdapter::client(near, URL)
            .protocols(["one", "two", "three"])
            .header("X-Token", "abc");
        let server =
            WebSocketAdapter::accept(far).protocols(["three", "two", "x"]).header("x-id", "7");
        let (client, server) =
            tokio::try_join!(client.into_future(), server.into_future()).unwrap();
        let (mut client, mut server) = (client, server);

        assert_eq!((client.url(), server.url()), (URL, "/chat?room=1"));
        assert_eq!((client.protocol(), server.protocol()), (Some("two"), Some("two")));
        assert_eq!(client.extensions(), server.extensions());
        assert_eq!(client.handshake().header("X-Id").unwrap(), "7");
        assert_eq!(server.handshake().headers()["x-token"], "abc");

        let (sent, received) = tokio::join!(client.send("hello".into()), server.next());
        sent.unwrap();
        assert_eq!(received.unwrap().unwrap(), Message::from("hello"));
    }
}

#[tokio::test]
async fn an_endpoint_is_a_request_and_an_io() {
    let (near, far) = duplex(1024);
    let client = ws_channel::connect((Request::new(URL).protocols(["a"]), near));
    let server = WebSocketAdapter::accept(far);
    let (client, server) = tokio::try_join!(client.into_future(), server.into_future()).unwrap();
    assert_eq!((client.protocol(), server.protocol()), (None, None));
}

#[tokio::test]
async fn frames_in_the_segment_of_the_handshake_are_kept() {
    let (mut near, far) = duplex(1024);
    let first = [REQUEST.as_bytes(), b"\r\n\x81\x82\0\0\0\0hi"].concat();
    near.write_all(&first).await.unwrap();
    let mut server = WebSocketAdapter::accept(far).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), Message::from("hi"));

    let (near, mut far) = duplex(1024);
    let answer = async {
        let request = head(&mut far).await;
        far.write_all(&[switch(&request).as_bytes(), b"\x81\x02hi"].concat()).await.unwrap();
    };
    let (client, ()) = tokio::join!(WebSocketAdapter::client(near, URL).into_future(), answer);
    assert_eq!(client.unwrap().next().await.unwrap().unwrap(), Message::from("hi"));
}

#[tokio::test]
async fn discarded_headers_are_gone() {
    let (near, far) = duplex(1024);
    let client = WebSocketAdapter::client(near, URL).discard_headers();
    let server = WebSocketAdapter::accept(far).discard_headers();
    let (client, server) = tokio::try_join!(client.into_future(), server.into_future()).unwrap();
    assert!(client.handshake().headers().is_empty() && server.handshake().headers().is_empty());
    assert_eq!(server.url(), "/chat?room=1");
}

#[tokio::test]
async fn an_invalid_request_fails_before_anything_is_sent() {
    for request in [
        Request::new("ws://user:secret@h:0/"),
        Request::new("http//h"),
        Request::new(URL).header("x", "a\r\nb: c"),
        Request::new(URL).header("Sec-WebSocket-Key", "x"),
        Request::new(URL).protocols(["a\r\nb"]),
        Request::new(URL).protocols(["a b"]),
    ] {
        let (near, mut far) = duplex(64);
        let error = WebSocketAdapter::client(near, request).await.unwrap_err();
        assert!(matches!(connect_kind(&error), ConnectErrorKind::InvalidRequest(_)));
        assert!(!format!("{error} {error:?}").contains("secret"));
        assert_eq!(rest(&mut far).await, "");
    }
}

#[tokio::test]
async fn what_a_plain_web_server_answers_is_told() {
    let error = client_against("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    let Error::Connect(connect) = &error else { panic!("{error:?}") };
    assert_eq!(
        connect.to_string(),
        format!(
            "connecting to {URL} failed: the server answered 200 OK instead of \
             101 Switching Protocols; is this path a WebSocket endpoint?"
        )
    );
    assert!(connect.source().is_none());
    assert_eq!(connect.status(), Some(StatusCode::OK));
    assert_eq!(connect.headers().unwrap()["content-length"], "5");
    assert_eq!(connect.body(), b"hello");
}

#[tokio::test]
async fn a_redirect_is_not_followed_but_named() {
    let error = client_against("HTTP/1.1 302 Found\r\nLocation: https://h/login\r\n\r\n").await;
    assert!(connect_kind(&error).to_string().ends_with("it points to https://h/login"));
}

#[tokio::test]
async fn a_body_is_kept_up_to_8_kib() {
    for framing in ["Content-Length: 100000", "X: y"] {
        let answer = format!("HTTP/1.1 500 x\r\n{framing}\r\n\r\n{}", "a".repeat(100_000));
        let Error::Connect(error) = client_against(&answer).await else { panic!() };
        assert_eq!(error.body().len(), 8192);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_not_waited_for_long() {
    let (near, mut far) = duplex(1024);
    let started = Instant::now();
    let (error, ()) = tokio::join!(WebSocketAdapter::client(near, URL).into_future(), async {
        head(&mut far).await;
        far.write_all(b"HTTP/1.1 403 No\r\n\r\nbecause").await.unwrap();
    });
    let Err(Error::Connect(error)) = error else { panic!() };
    assert_eq!((error.status(), error.body()), (Some(StatusCode::FORBIDDEN), &b"because"[..]));
    assert!(!error.is_timeout());
    assert_eq!(started.elapsed(), Duration::from_secs(1));
}

#[tokio::test]
async fn an_end_inside_the_answer_is_an_error() {
    for answer in ["", "H", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs"] {
        let error = client_against(answer).await;
        let ConnectErrorKind::Handshake(error) = connect_kind(&error) else { panic!("{error:?}") };
        assert_eq!(error.fault(), &HandshakeFault::EndOfStream);
        assert!(error.status().is_none() && error.headers().is_none() && error.body().is_empty());
    }
}

#[tokio::test]
async fn an_endless_answer_is_refused_at_the_limit() {
    let error = client_against(&format!("HTTP/1.1 101 x\r\nX: {}", "a".repeat(1 << 20))).await;
    assert!(connect_kind(&error).to_string().contains("larger than 65536 bytes"));
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_is_read_is_told() {
    let (near, mut far) = duplex(64);
    far.write_all(b"HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    drop(far);
    let error = WebSocketAdapter::client(near, URL).await.unwrap_err();
    let Error::Connect(error) = error else { panic!("{error:?}") };
    assert_eq!(error.status(), Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_after_ten_seconds() {
    let (near, _far) = duplex(1024);
    let started = Instant::now();
    let error = WebSocketAdapter::client(near, URL).await.unwrap_err();
    assert!(error.is_timeout());
    assert!(matches!(
        connect_kind(&error),
        ConnectErrorKind::Timeout { step: ConnectStep::Upgrade, after } if after.as_secs() == 10
    ));
    assert_eq!(started.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_does_not_move_the_deadline() {
    let (near, mut far) = duplex(1024);
    let started = Instant::now();
    let client = WebSocketAdapter::client(near, URL).timeout(Duration::from_secs(3)).into_future();
    let slow = async {
        head(&mut far).await;
        for byte in "HTTP/1.1 101 x\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa".bytes() {
            tokio::time::advance(Duration::from_millis(300)).await;
            if far.write_u8(byte).await.is_err() {
                return;
            }
        }
    };
    let (outcome, ()) = tokio::join!(client, slow);
    assert!(outcome.unwrap_err().is_timeout());
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_silent_or_slow_client_is_given_up() {
    for start in ["", "GET / HTTP/1.1\r\nHost: h\r\n"] {
        let (mut near, far) = duplex(1024);
        near.write_all(start.as_bytes()).await.unwrap();
        let started = Instant::now();
        let error = WebSocketAdapter::accept(far).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(started.elapsed(), Duration::from_secs(10));
        assert_eq!(rest(&mut near).await, "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_take_the_answer_is_given_up() {
    let (mut near, far) = duplex(8);
    let accept = WebSocketAdapter::accept(far).timeout(Duration::from_secs(2)).into_future();
    let write = async {
        near.write_all(REQUEST.as_bytes()).await.unwrap();
        near.write_all(b"\r\n").await.unwrap();
    };
    let (outcome, ()) = tokio::join!(accept, write);
    assert!(outcome.unwrap_err().is_timeout());
}

#[tokio::test]
async fn each_fault_of_a_request_gets_its_http_answer() {
    let with = |line: &str| format!("{REQUEST}{line}\r\n\r\n");
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 426),
        (REQUEST.replace("GET", "POST") + "\r\n", 405),
        (REQUEST.replace("13", "12") + "\r\n", 426),
        (REQUEST.replace("Host", "Hose") + "\r\n", 400),
        (REQUEST.replace("HTTP/1.1", "HTTP/1.0") + "\r\n", 400),
        (REQUEST.replace("dGhl", "dG") + "\r\n", 400),
        (with("X : y"), 400),
        (with("X: a\0"), 400),
        (with("X: a\rb"), 400),
        (with("Origin: https://evil.example"), 403),
        (with("Origin: null"), 403),
        (with(&"a: b\r\n".repeat(2000)), 431),
        (with(&format!("X: {}", "a".repeat(100_000))), 431),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)), 414),
        ("\x16\x03\x01\x02".to_owned(), 400),
    ] {
        let (error, answer) = server_against(&request).await;
        let error = accept_error(&error);
        assert_eq!(error.status().unwrap().as_u16(), status, "{error:?}");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("\r\nConnection: close"), "{head}");
        let AcceptError::Refused(fault) = error else { panic!("{error:?}") };
        assert_eq!(body, format!("{fault}\n"));
    }
}

#[tokio::test]
async fn an_allowed_origin_or_none_is_accepted() {
    for origin in ["", "Origin: HTTPS://example.com\r\n"] {
        let (mut near, far) = duplex(1024);
        near.write_all(format!("{REQUEST}{origin}\r\n").as_bytes()).await.unwrap();
        let accept = WebSocketAdapter::accept(far).allowed_origins(["https://Example.com"]);
        accept.await.unwrap();
        assert!(head(&mut near).await.starts_with("HTTP/1.1 101 "));
    }
}

#[tokio::test]
async fn over_tcp_a_refused_client_gets_its_answer_though_it_sent_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let (outcome, answer) = tokio::join!(WebSocketAdapter::accept(server).into_future(), async {
        client.write_all(format!("GET /{}", "a".repeat(500_000)).as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        drop(client);
        answer
    });
    assert!(matches!(accept_error(&outcome.unwrap_err()), AcceptError::Refused(_)));
    assert!(answer.starts_with("HTTP/1.1 414 "), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_that_stays_is_left_after_a_second() {
    let (mut near, far) = duplex(1024);
    near.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let started = Instant::now();
    let error = WebSocketAdapter::accept(far).await.unwrap_err();
    assert!(matches!(accept_error(&error), AcceptError::Refused(InvalidUpgrade::NotUpgrade)));
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    assert!(rest(&mut near).await.starts_with("HTTP/1.1 426 "));
}

#[tokio::test]
async fn an_end_inside_the_request_is_an_error() {
    for start in ["", "GET / HT"] {
        let (mut near, far) = duplex(1024);
        near.write_all(start.as_bytes()).await.unwrap();
        drop(near);
        let error = WebSocketAdapter::accept(far).await.unwrap_err();
        assert!(matches!(accept_error(&error), AcceptError::EndOfStream));
    }
}

async fn incoming(lines: &str) -> (DuplexStream, Incoming<DuplexStream>) {
    let (mut near, far) = duplex(4096);
    near.write_all(format!("{REQUEST}{lines}\r\n").as_bytes()).await.unwrap();
    let accept = WebSocketAdapter::accept(far).protocols(["a"]).header("x-first", "1");
    (near, accept.request().await.unwrap())
}

const OFFER: &str = "Sec-WebSocket-Protocol: a, b\r\nOrigin: https://h\r\n";

#[tokio::test]
async fn a_request_can_be_looked_at_and_accepted() {
    let (mut near, request) = incoming(OFFER).await;
    assert_eq!(request.target(), "/chat");
    assert_eq!(request.origin(), Some("https://h"));
    assert_eq!(request.offered_protocols(), ["a", "b"]);
    assert_eq!(request.headers()["host"], "example.com");
    let channel = request.protocol("b").header("x-second", "2").accept().await.unwrap();
    assert_eq!(channel.protocol(), Some("b"));
    assert_eq!(channel.url(), "/chat");
    assert_eq!(channel.handshake().header("origin").unwrap(), "https://h");
    let answer = head(&mut near).await;
    for line in ["Sec-WebSocket-Protocol: b", "x-first: 1", "x-second: 2"] {
        assert!(answer.contains(&format!("\r\n{line}\r\n")), "{answer}");
    }
}

#[tokio::test]
async fn a_subprotocol_that_was_not_offered_is_not_accepted() {
    let (mut near, request) = incoming(OFFER).await;
    let accepting = request.protocol("c").accept();
    let (outcome, answer) = tokio::join!(accepting, async {
        let answer = rest(&mut near).await;
        drop(near);
        answer
    });
    let error = outcome.unwrap_err();
    assert!(matches!(accept_error(&error), AcceptError::Protocol { .. }));
    assert_eq!(
        error.to_string(),
        r#"the subprotocol "c" was chosen, but ["a", "b"] were offered; choose one of these, or none"#
    );
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
}

#[tokio::test]
async fn a_response_header_that_may_not_be_sent_is_an_error() {
    for (name, value) in [("x", "a\r\nb: c"), ("a b", "c"), ("Upgrade", "h2c")] {
        let (mut near, request) = incoming("").await;
        let accepting = request.header(name, value).accept();
        let (outcome, answer) = tokio::join!(accepting, async {
            let answer = rest(&mut near).await;
            drop(near);
            answer
        });
        let error = outcome.unwrap_err();
        assert!(matches!(accept_error(&error), AcceptError::InvalidHeader(_)));
        assert!(error.source().is_some());
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    }
}

#[tokio::test]
async fn a_request_can_be_rejected_with_any_answer() {
    let (mut near, request) = incoming("").await;
    let response = http::Response::builder()
        .status(401)
        .header("WWW-Authenticate", "Bearer")
        .header("Content-Length", "999")
        .body("log in")
        .unwrap();
    let (outcome, answer) = tokio::join!(request.reject(response), async {
        let answer = rest(&mut near).await;
        drop(near);
        answer
    });
    outcome.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
    assert!(answer.contains("\r\nwww-authenticate: Bearer\r\n"));
    assert!(answer.contains("\r\nContent-Length: 6\r\n"));
    assert!(answer.ends_with("\r\n\r\nlog in"));
}

#[tokio::test]
async fn a_rejection_is_final() {
    let (mut near, request) = incoming("").await;
    let response = http::Response::builder().status(101).body("").unwrap();
    let (outcome, answer) = tokio::join!(request.reject(response), async {
        let answer = rest(&mut near).await;
        drop(near);
        answer
    });
    assert!(matches!(accept_error(&outcome.unwrap_err()), AcceptError::Status(_)));
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
}

#[tokio::test]
async fn a_dropped_attempt_frees_its_transport() {
    let (near, mut far) = duplex(16);
    let mut connecting = task::spawn(WebSocketAdapter::client(near, URL).into_future());
    assert_pending!(connecting.poll());
    drop(connecting);
    assert!("GET /chat?room=1".starts_with(&rest(&mut far).await));

    let (mut near, far) = duplex(16);
    let mut accepting = task::spawn(WebSocketAdapter::accept(far).into_future());
    assert_pending!(accepting.poll());
    drop(accepting);
    assert_eq!(rest(&mut near).await, "");

    let (mut near, request) = incoming("").await;
    drop(request);
    assert_eq!(rest(&mut near).await, "");
}

#[test]
fn without_a_runtime_the_handshake_works_and_a_refusal_does_not_linger() {
    let (near, far) = duplex(4096);
    let mut client = task::spawn(WebSocketAdapter::client(near, URL).into_future());
    let mut server = task::spawn(WebSocketAdapter::accept(far).into_future());
    assert_pending!(client.poll());
    assert_ready!(server.poll()).unwrap();
    assert_ready!(client.poll()).unwrap();

    let (mut near, far) = duplex(4096);
    futures::executor::block_on(near.write_all(b"GET / HTTP/1.1\r\n\r\n")).unwrap();
    let mut server = task::spawn(WebSocketAdapter::accept(far).into_future());
    assert_ready!(server.poll()).unwrap_err();
}

#[test]
fn futures_are_send_and_unpin() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<ClientHandshaking<DuplexStream>>();
    check::<Accepting<DuplexStream>>();
    check::<Receiving<DuplexStream>>();
    check::<Rejecting<DuplexStream>>();
    check::<Incoming<DuplexStream>>();
    check::<Request>();
    check::<ws_channel::Handshake>();
    check::<ws_channel::ConnectError>();
    check::<AcceptError>();
}
