//! Connecting over loopback: what works, and what each failure tells a user.
#![cfg(all(feature = "rustls", not(target_family = "wasm")))]

use std::error::Error as _;
use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_test::{assert_pending, assert_ready_err, task};
use url::Url;
use ws_channel::{
    Connect, ConnectErrorKind, ConnectStep, Endpoint, Error, Message, PlatformChannel, Request,
    WebSocketChannel,
};

/// A server that does one thing with its first connection.
async fn serve<F>(handle: impl FnOnce(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    serve_at("127.0.0.1:0", handle).await
}

async fn serve_at<F>(
    address: &str,
    handle: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind(address).await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        handle(stream).await;
    });
    address
}

async fn echo<S>(stream: S)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut server = tokio_tungstenite::accept_async(stream).await.expect("an upgrade");
    while let Some(Ok(message)) = server.next().await {
        if !message.is_close() {
            server.send(message).await.expect("the client reads");
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a request"));
    }
    String::from_utf8(head).expect("ASCII")
}

/// A server that answers the request with these bytes and ends the connection.
async fn answer(response: impl Into<String>) -> SocketAddr {
    let response = response.into();
    serve(async move |mut stream: TcpStream| {
        read_head(&mut stream).await;
        stream.write_all(response.as_bytes()).await.expect("the client reads");
    })
    .await
}

async fn fails(attempt: Connect) -> Error {
    match attempt.await {
        Ok(channel) => panic!("connected: {channel:?}"),
        Err(error) => error,
    }
}

fn connect(url: impl Into<Request>) -> Connect {
    Connect::new(url)
}

/// The error as a user sees it who prints its causes too.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    assert!(format!("{error:?}").contains(&text), "what `main` prints is not `{text}`");
    println!("{text}");
    text
}

fn assert_says(error: &Error, parts: &[&str]) {
    let text = chain(error);
    for part in parts {
        assert!(text.contains(part), "`{text}` does not say `{part}`");
    }
}

fn kind(error: &Error) -> &ConnectErrorKind {
    match error {
        Error::Connect(error) => error.kind(),
        other => panic!("not an error of connecting: {other:?}"),
    }
}

async fn converse(mut channel: PlatformChannel) {
    channel.send("hello".into()).await.expect("sent");
    assert_eq!(channel.next().await.expect("an echo").expect("whole"), Message::from("hello"));
    let event = channel.close(4000, "done").await.expect("a legal code");
    assert!(event.was_clean);
}

/// A TLS server's configuration, and its certificate.
fn certified(
    change: impl FnOnce(&mut CertificateParams),
) -> (TlsAcceptor, CertificateDer<'static>) {
    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).expect("names");
    change(&mut params);
    let certificate = params.self_signed(&key).expect("a certificate").der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a configuration");
    (Arc::new(config).into(), certificate)
}

fn trusting(certificate: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

async fn serve_tls(acceptor: TlsAcceptor) -> SocketAddr {
    serve(async move |stream| {
        // A client that refuses the certificate ends the handshake.
        if let Ok(stream) = acceptor.accept(stream).await {
            echo(stream).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_url_is_enough() {
    let address = serve(echo).await;
    let channel = WebSocketChannel::connect(format!("ws://{address}/chat")).await.expect("open");
    assert_eq!(channel.url(), format!("ws://{address}/chat"));
    assert_eq!(channel.get_ref().peer_addr().expect("connected"), address);
    assert!(!channel.get_ref().is_secure());
    assert!(channel.get_ref().rustls().is_none());
    assert!(channel.get_ref().is_write_vectored());
    converse(channel).await;
}

#[tokio::test]
async fn an_ipv6_literal_is_connected_to() {
    let address = serve_at("[::1]:0", echo).await;
    converse(connect(format!("ws://{address}")).await.expect("open")).await;
}

#[tokio::test]
async fn a_name_is_resolved_and_its_addresses_are_tried() {
    let address = serve(echo).await;
    converse(connect(format!("ws://localhost:{}", address.port())).await.expect("open")).await;
}

#[tokio::test]
async fn whatever_names_a_url_can_be_connected_to() {
    fn attempt<E>(endpoint: E) -> impl Future<Output = Result<PlatformChannel, Error>> + Send
    where
        E: Endpoint<Channel = PlatformChannel, Connect = Connect>,
    {
        endpoint.connect().into_future()
    }

    let text = "ws://localhost:0/".to_owned();
    let url = Url::parse(&text).expect("a URL");
    let request = Request::new(&text);
    for outcome in [
        attempt(text.as_str()).await,
        attempt(&text).await,
        attempt(text.clone()).await,
        attempt(&url).await,
        attempt(url.clone()).await,
        attempt(&request).await,
        attempt(request.clone()).await,
    ] {
        assert!(matches!(kind(&outcome.expect_err("port 0")), ConnectErrorKind::InvalidRequest(_)));
    }
}

#[test]
fn connecting_outside_of_a_runtime_is_an_error() {
    let mut attempt = task::spawn(connect("ws://localhost/").into_future());
    let error = assert_ready_err!(attempt.poll());
    assert_says(&error, &["needs a tokio runtime"]);
}

#[tokio::test]
async fn headers_and_subprotocols_are_sent() {
    let address = serve(async |mut stream| {
        let head = read_head(&mut stream).await;
        assert!(head.starts_with("GET /?x=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.to_ascii_lowercase().contains("\r\nx-token: abc\r\n"), "{head}");
        assert!(head.contains("\r\nSec-WebSocket-Protocol: a, b\r\n"), "{head}");
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.expect("the client reads");
    })
    .await;
    let attempt = connect(format!("ws://{address}?x=1")).protocols(["a", "b"]);
    fails(attempt.header("X-Token", "abc")).await;
}

#[tokio::test]
async fn what_cannot_be_asked_for_fails_before_connecting() {
    for url in ["ftp://localhost/", "ws://localhost:0/", "ws://localhost/#part", "localhost:80"] {
        let error = fails(connect(url)).await;
        assert!(matches!(kind(&error), ConnectErrorKind::InvalidRequest(_)), "{error:?}");
        chain(&error);
    }
    let error = fails(connect("ws://localhost/").protocols(["two words"])).await;
    assert!(matches!(kind(&error), ConnectErrorKind::InvalidRequest(_)));
    chain(&error);
}

#[tokio::test]
async fn a_refused_port_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let error = fails(connect(format!("ws://{address}/chat"))).await;
    assert!(matches!(kind(&error), ConnectErrorKind::Tcp(_)));
    assert_says(&error, &[&format!("ws://{address}/chat"), &address.to_string(), "refused"]);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_named() {
    // Too long a label to be asked for, so that no name server is needed.
    let host = format!("{}.invalid", "a".repeat(64));
    let error = fails(connect(format!("ws://{host}/"))).await;
    assert!(matches!(kind(&error), ConnectErrorKind::Resolve(_)));
    assert_says(&error, &[&host]);
}

#[tokio::test]
async fn an_http_answer_is_kept_with_its_body() {
    for status in ["200 OK", "302 Found", "401 Unauthorized", "404 Not Found", "500 Oops"] {
        let response = format!("HTTP/1.1 {status}\r\nContent-Length: 7\r\nX-Why: z\r\n\r\nbecause");
        let address = answer(response).await;
        let error = fails(connect(format!("ws://{address}/chat"))).await;
        let ConnectErrorKind::Handshake(refused) = kind(&error) else { panic!("{error:?}") };
        assert_eq!(refused.status().expect("an answer").as_str(), &status[..3]);
        assert_eq!(refused.headers().expect("an answer")["x-why"], "z");
        assert_eq!(refused.body(), b"because");
        assert_says(&error, &[&status[..3], &format!("ws://{address}/chat")]);
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_or_is_not_http_says_so() {
    let address = answer("").await;
    assert_says(&fails(connect(format!("ws://{address}"))).await, &["closed the connection"]);
    let address = answer("220 mail.example ESMTP\r\n").await;
    assert_says(&fails(connect(format!("ws://{address}"))).await, &["not HTTP"]);
}

#[tokio::test]
async fn a_subprotocol_that_was_not_offered_is_an_error() {
    let address = serve(async |mut stream| {
        let head = read_head(&mut stream).await;
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = ws_channel::accept_key(key.expect("a key"));
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: c\r\n\r\n"
        );
        stream.write_all(response.as_bytes()).await.expect("the client reads");
    })
    .await;
    let error = fails(connect(format!("ws://{address}")).protocols(["a", "b"])).await;
    assert_says(&error, &["subprotocol `c`", "`a`, `b`", "offer it with `.protocols([…])`"]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_costs_the_timeout() {
    let address = serve(async |_stream| std::future::pending().await).await;
    let began = Instant::now();
    let error = fails(connect(format!("ws://{address}"))).await;
    assert!(error.is_timeout());
    assert_eq!(began.elapsed().as_secs(), 10);
    assert!(matches!(kind(&error), ConnectErrorKind::Timeout { step: ConnectStep::Upgrade, .. }));
    assert_says(&error, &["did not answer the opening handshake within 10s"]);

    let address = serve(async |_stream| std::future::pending().await).await;
    let began = Instant::now();
    let attempt = connect(format!("wss://{address}")).timeout(Duration::from_secs(3));
    let error = fails(attempt).await;
    assert!(error.is_timeout());
    assert_eq!(began.elapsed().as_secs(), 3);
    assert!(matches!(kind(&error), ConnectErrorKind::Timeout { step: ConnectStep::Tls, .. }));
    assert_says(&error, &["no TLS session came about within 3s", "does the port speak TLS"]);
}

#[tokio::test]
async fn a_dropped_attempt_frees_its_socket() {
    let (send, receive) = tokio::sync::oneshot::channel();
    let address = serve(async |mut stream: TcpStream| {
        read_head(&mut stream).await;
        send.send(()).expect("the test waits");
        assert_eq!(stream.read(&mut [0]).await.expect("an end of file"), 0);
    })
    .await;
    let mut attempt = task::spawn(connect(format!("ws://{address}")).into_future());
    let mut asked = task::spawn(receive);
    loop {
        assert_pending!(attempt.poll());
        if asked.poll().is_ready() {
            break;
        }
        tokio::task::yield_now().await;
    }
    drop(attempt);
}

#[tokio::test]
async fn tls_works_with_a_configuration_that_trusts_the_server() {
    for host in ["localhost", "127.0.0.1"] {
        let (acceptor, certificate) = certified(|_| {});
        let address = serve_tls(acceptor).await;
        let attempt = connect(format!("wss://{host}:{}", address.port()));
        let channel = attempt.tls(trusting(certificate)).await.expect("open");
        assert!(channel.get_ref().is_secure());
        assert!(channel.get_ref().is_write_vectored());
        let session = channel.get_ref().rustls().expect("rustls runs it");
        assert_eq!(session.peer_certificates().map(<[_]>::len), Some(1));
        converse(channel).await;
    }
}

#[tokio::test]
async fn an_untrusted_certificate_says_what_to_do() {
    let (acceptor, _) = certified(|_| {});
    let address = serve_tls(acceptor).await;
    let error = fails(connect(format!("wss://localhost:{}", address.port()))).await;
    assert!(matches!(kind(&error), ConnectErrorKind::Tls(_)));
    assert_says(&error, &["does not trust", "self-signed", "hand in a TLS configuration"]);
    assert!(error.to_string().contains("hand in"), "whoever prints no chain sees it, too");
}

#[tokio::test]
async fn a_self_signed_certificate_of_an_issuer_says_how_to_make_a_better_one() {
    // As `openssl req -x509` makes them; rustls takes them from nobody.
    let (acceptor, certificate) =
        certified(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let address = serve_tls(acceptor).await;
    let attempt = connect(format!("wss://localhost:{}", address.port()));
    let error = fails(attempt.tls(trusting(certificate))).await;
    assert_says(&error, &["self-signed", "CA:FALSE", "`Connect::tls`"]);
}

#[tokio::test]
async fn a_certificate_made_anew_says_to_trust_its_issuer() {
    // Of the same name as the one that is trusted, but with another key.
    let (acceptor, _) = certified(|_| {});
    let (_, certificate) = certified(|_| {});
    let address = serve_tls(acceptor).await;
    let attempt = connect(format!("wss://localhost:{}", address.port()));
    let error = fails(attempt.tls(trusting(certificate))).await;
    assert_says(&error, &["BadSignature", "self-signed", "trusts its issuer (`Connect::tls`)"]);
}

#[tokio::test]
async fn a_certificate_for_another_name_or_time_says_so() {
    let (acceptor, certificate) = certified(|params| {
        *params = CertificateParams::new(vec!["example.org".to_owned()]).expect("a name");
    });
    let address = serve_tls(acceptor).await;
    let attempt = connect(format!("wss://localhost:{}", address.port()));
    let error = fails(attempt.tls(trusting(certificate))).await;
    assert_says(
        &error,
        &["for another name", "use a name that is in the certificate", "example.org"],
    );

    let (acceptor, certificate) =
        certified(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let address = serve_tls(acceptor).await;
    let attempt = connect(format!("wss://localhost:{}", address.port()));
    let error = fails(attempt.tls(trusting(certificate))).await;
    assert_says(&error, &["has expired"]);
}

#[tokio::test]
async fn wss_on_a_plain_port_and_ws_on_a_tls_port_say_so() {
    let address = serve(async |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 1024]).await;
        let refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        stream.write_all(refusal).await.expect("the client reads");
    })
    .await;
    let error = fails(connect(format!("wss://{address}"))).await;
    assert_says(&error, &["does not answer in TLS", "`ws://`"]);

    let (acceptor, _) = certified(|_| {});
    let address = serve_tls(acceptor).await;
    let error = fails(connect(format!("ws://{address}"))).await;
    assert!(matches!(kind(&error), ConnectErrorKind::Handshake(_)));
    chain(&error);
}

#[tokio::test]
async fn a_plain_connector_is_refused_for_wss_before_connecting() {
    let attempt = connect("wss://localhost:1/").tls(tokio_tungstenite::Connector::Plain);
    assert_says(&fails(attempt).await, &["Connector::Plain"]);
}

#[tokio::test]
async fn tls_that_ends_without_close_notify_is_a_lost_connection() {
    let (acceptor, certificate) = certified(|_| {});
    let address = serve(async move |stream| {
        let stream = acceptor.accept(stream).await.expect("a client that trusts");
        let server = tokio_tungstenite::accept_async(stream).await.expect("an upgrade");
        drop(server);
    })
    .await;
    let attempt = connect(format!("wss://localhost:{}", address.port()));
    let mut channel = attempt.tls(trusting(certificate)).await.expect("open");
    assert!(matches!(channel.next().await, Some(Err(Error::ConnectionLost))));
    assert_eq!(channel.close_code(), Some(ws_channel::status::ABNORMAL_CLOSURE));
}

#[cfg(feature = "native-tls")]
#[tokio::test]
async fn the_systems_tls_library_works_and_names_what_it_does_not_trust() {
    let (acceptor, certificate) = certified(|_| {});
    let address = serve_tls(acceptor).await;
    let root = native_tls::Certificate::from_der(&certificate).expect("a certificate");
    let trusting = native_tls::TlsConnector::builder().add_root_certificate(root).build();
    let attempt = connect(format!("wss://localhost:{}", address.port()));
    let channel = attempt.tls(trusting.expect("a connector")).await.expect("open");
    assert!(channel.get_ref().is_secure());
    assert!(channel.get_ref().rustls().is_none());
    converse(channel).await;

    let (acceptor, _) = certified(|_| {});
    let address = serve_tls(acceptor).await;
    let platforms = native_tls::TlsConnector::new().expect("a connector");
    let attempt = connect(format!("wss://localhost:{}", address.port()));
    assert_says(
        &fails(attempt.tls(platforms)).await,
        &["TLS handshake failed", "self-signed", "`Connect::tls`"],
    );
}
