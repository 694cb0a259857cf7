//! Every form of the calls that users write, to be compiled in each edition.
//!
//! `SinkExt` and `StreamExt` are imported, since everybody does: their `close` and `split` must
//! not be in the way.

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, duplex};
use tokio::net::TcpListener;
use ws_channel::{
    BoxWebSocketChannel, CloseEvent, Endpoint, Error, Handshake, LocalBoxWebSocketChannel, Message,
    PlatformChannel, Request, Role, WebSocketAdapter, WebSocketChannel, WebSocketSink, status,
};

type Channel = WebSocketAdapter<tokio::io::DuplexStream>;

/// Echoes on any stream until the client closes.
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(io: S) -> Result<(), Error> {
    let mut channel = WebSocketAdapter::accept(io).await?;
    while let Some(message) = channel.next().await {
        channel.send(message?).await?;
    }
    Ok(())
}

/// The URL of a server on this machine.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    });
    url
}

/// A stream with a server at its other end.
fn served() -> tokio::io::DuplexStream {
    let (near, far) = duplex(1 << 10);
    tokio::spawn(echo(far));
    near
}

/// A channel whose other end answers its close.
fn open() -> Channel {
    let (near, far) = duplex(1 << 10);
    tokio::spawn(async move {
        let mut far = WebSocketAdapter::from_upgraded(far, Role::Server, Handshake::default());
        while let Some(Ok(_)) = far.next().await {}
    });
    WebSocketAdapter::from_upgraded(near, Role::Client, Handshake::default())
}

fn assert_closed(event: &CloseEvent, code: u16, reason: &str) {
    assert!(event.was_clean);
    assert_eq!((event.code.as_u16(), event.reason.as_str()), (code, reason));
}

#[tokio::test]
async fn the_bare_trait_connects() -> Result<(), Error> {
    let url = serve().await;
    let mut channel = WebSocketChannel::connect(&url).await?;
    channel.send("hello".into()).await?;
    assert_eq!(channel.next().await.transpose()?, Some("hello".into()));
    assert_closed(&channel.close(status::NORMAL_CLOSURE, "done").await?, 1000, "done");

    let channel = WebSocketChannel::connect(url.as_str()).protocols(["chat"]).await?;
    assert_eq!(channel.protocol(), None);
    let channel = WebSocketChannel::connect(("ws://localhost/", served())).await?;
    assert_eq!(channel.url(), "ws://localhost/");
    Ok(())
}

#[tokio::test]
async fn the_platforms_channel_connects() -> Result<(), Error> {
    let mut channel = PlatformChannel::connect(serve().await).await?;
    assert_closed(&channel.close(4000, "x").await?, 4000, "x");
    Ok(())
}

#[tokio::test]
async fn the_plain_function_connects() -> Result<(), Error> {
    let url = serve().await;
    let mut channel = ws_channel::connect(url.clone()).await?;
    assert_closed(&channel.close(status::GOING_AWAY, "bye").await?, 1001, "bye");

    let mut channel = ws_channel::connect(Request::new(&url).header("x-test", "1")).await?;
    assert_closed(&channel.close(1000u16, String::new()).await?, 1000, "");
    Ok(())
}

#[tokio::test]
async fn a_stream_with_a_url_or_a_request_connects() -> Result<(), Error> {
    let url = "ws://localhost/chat";
    let mut channel = ws_channel::connect((url, served())).await?;
    assert_closed(&channel.close(status::GOING_AWAY, "bye").await?, 1001, "bye");
    let mut channel = ws_channel::connect((Request::new(url), served())).await?;
    assert_closed(&channel.close(4000, "x").await?, 4000, "x");
    let mut channel = Channel::connect((url.to_owned(), served())).await?;
    assert_closed(&channel.close(4000, "x").await?, 4000, "x");
    Ok(())
}

#[tokio::test]
async fn an_annotated_let_connects() -> Result<(), Error> {
    let url = serve().await;
    let channel: PlatformChannel = WebSocketChannel::connect(&url).await?;
    assert_eq!(channel.url(), url);
    let channel: Channel = WebSocketChannel::connect((url.as_str(), served())).await?;
    assert_eq!(channel.url(), url);
    Ok(())
}

async fn greet<C, E>(endpoint: E) -> Result<CloseEvent, Error>
where
    C: WebSocketChannel + Unpin,
    E: Endpoint<Channel = C>,
{
    let mut channel = C::connect(endpoint).await?;
    channel.send("hello".into()).await?;
    assert_eq!(channel.next().await.transpose()?, Some("hello".into()));
    channel.close(status::NORMAL_CLOSURE, "just looking").await
}

#[tokio::test]
async fn generic_code_connects() -> Result<(), Error> {
    assert_closed(&greet(serve().await).await?, 1000, "just looking");
    assert_closed(&greet(("ws://localhost/", served())).await?, 1000, "just looking");
    Ok(())
}

#[tokio::test]
async fn owned_channels_close() -> Result<(), Error> {
    assert_closed(&open().close(status::GOING_AWAY, "bye").await?, 1001, "bye");
    assert_closed(&open().close(4000, "x").await?, 4000, "x");
    Ok(())
}

#[tokio::test]
async fn borrowed_channels_close() -> Result<(), Error> {
    async fn close(channel: &mut Channel) -> Result<CloseEvent, Error> {
        channel.close(status::GOING_AWAY, "bye").await
    }
    async fn close_by_number(channel: &mut Channel) -> Result<CloseEvent, Error> {
        channel.close(4000, "x").await
    }
    assert_closed(&close(&mut open()).await?, 1001, "bye");
    assert_closed(&close_by_number(&mut open()).await?, 4000, "x");
    Ok(())
}

#[tokio::test]
async fn channels_of_any_type_close_and_split() -> Result<(), Error> {
    async fn close<C: WebSocketChannel + Unpin>(mut channel: C) -> Result<CloseEvent, Error> {
        channel.close(status::GOING_AWAY, "bye").await
    }
    async fn borrowed<C: WebSocketChannel + Unpin>(channel: &mut C) -> Result<CloseEvent, Error> {
        channel.close(4000, "x").await
    }
    async fn halves<C: WebSocketChannel>(channel: C) -> Result<CloseEvent, Error> {
        let (mut sink, _stream) = channel.split();
        sink.close(4000, "x").await
    }
    assert_closed(&close(open()).await?, 1001, "bye");
    assert_closed(&borrowed(&mut open()).await?, 4000, "x");
    assert_closed(&halves(open()).await?, 4000, "x");
    Ok(())
}

#[tokio::test]
async fn sinks_close() -> Result<(), Error> {
    async fn close(sink: &mut WebSocketSink<Channel>) -> Result<CloseEvent, Error> {
        sink.close(4000, "x").await
    }
    let (mut sink, mut stream) = open().split();
    sink.send(Message::from("last")).await?;
    let (event, rest) = tokio::join!(sink.close(status::GOING_AWAY, "bye"), stream.next());
    assert_closed(&event?, 1001, "bye");
    assert!(rest.is_none());
    let (mut sink, _stream) = open().split();
    assert_closed(&close(&mut sink).await?, 4000, "x");
    Ok(())
}

#[tokio::test]
async fn boxed_channels_close_and_split() -> Result<(), Error> {
    let mut boxed = BoxWebSocketChannel::new(open());
    assert_closed(&boxed.close(status::GOING_AWAY, "bye").await?, 1001, "bye");
    let mut boxed = LocalBoxWebSocketChannel::new(open());
    assert_closed(&boxed.close(4000, "x").await?, 4000, "x");
    let (mut sink, _stream) = BoxWebSocketChannel::new(open()).split();
    assert_closed(&sink.close(4000, "x").await?, 4000, "x");
    let (mut sink, _stream) = LocalBoxWebSocketChannel::new(open()).split();
    assert_closed(&sink.close(status::GOING_AWAY, "bye").await?, 1001, "bye");
    Ok(())
}

#[tokio::test]
async fn a_boxed_trait_object_is_a_channel() -> Result<(), Error> {
    async fn close<C: WebSocketChannel + Unpin>(mut channel: C) -> Result<CloseEvent, Error> {
        channel.close(4000, "x").await
    }
    let boxed: Box<dyn WebSocketChannel + Send + Unpin> = Box::new(open());
    assert_closed(&close(boxed).await?, 4000, "x");
    let mut boxed: Box<dyn WebSocketChannel + Unpin> = Box::new(open());
    boxed.send("through the box".into()).await?;
    assert_closed(&WebSocketChannel::close(&mut boxed, 4000, "x").await?, 4000, "x");
    Ok(())
}

#[tokio::test]
async fn without_a_status_it_is_the_close_of_sink_ext() -> Result<(), Error> {
    let mut channel = open();
    SinkExt::close(&mut channel).await?;
    assert_eq!(channel.close_code(), Some(status::NO_STATUS_RECEIVED));
    let (mut sink, _stream) = open().split();
    SinkExt::close(&mut sink).await?;
    assert_eq!(sink.close_code(), Some(status::NO_STATUS_RECEIVED));
    Ok(())
}
