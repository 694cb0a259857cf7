//! What the public types are: which may move between threads, which stay where they are, how large
//! they are, and that the traits make objects.
#![cfg(all(feature = "connect", not(target_family = "wasm")))]

use std::error::Error as StdError;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::stream::FusedStream;
use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio_test::task;
use ws_channel::{
    Accept, AcceptError, Accepting, BoxWebSocketChannel, ClientHandshake, ClientHandshaking, Close,
    CloseCode, CloseEvent, CloseFrame, CloseSink, Connect, ConnectError, ConnectErrorKind,
    ConnectStep, Connecting, Endpoint, Error, Handshake, HandshakeError, HandshakeFault, Incoming,
    Initiator, InvalidCloseFrame, InvalidHeader, InvalidRequest, InvalidUpgrade,
    LocalBoxWebSocketChannel, Message, MessageRef, NotUtf8, Options, PlatformChannel,
    ProtocolError, Ready, ReadyState, Receiving, Rejecting, Request, Role, StreamChannel,
    Transport, TungsteniteChannel, Utf8Bytes, WebSocketAdapter, WebSocketChannel, WebSocketSink,
    WebSocketStream, connect,
};

fn sends<T: Send>() {}
fn shares<T: Sync>() {}
fn moves<T: Unpin>() {}
fn shows<T: Debug>() {}
fn outlives<T: 'static>() {}
fn is_error<T: StdError + Send + Sync + 'static>() {}
fn is_channel<C: WebSocketChannel + Unpin>() {}

macro_rules! everywhere {
    ($($type:ty),+ $(,)?) => {
        $({
            sends::<$type>();
            shares::<$type>();
            moves::<$type>();
            shows::<$type>();
        })+
    };
}

/// An io that stays on its thread.
#[derive(Debug)]
struct Local(PhantomData<Rc<()>>);

impl AsyncRead for Local {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Local {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Asks whether a type is `Send` without requiring it: an inherent constant wins over a trait's.
macro_rules! is_send {
    ($type:ty) => {{
        #[allow(dead_code, reason = "only one of the two is asked for")]
        trait Unless {
            const IS_SEND: bool = false;
        }
        impl<T: ?Sized> Unless for T {}
        struct Question<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code, reason = "only one of the two is asked for")]
        impl<T: ?Sized + Send> Question<T> {
            const IS_SEND: bool = true;
        }
        <Question<$type>>::IS_SEND
    }};
}

#[test]
fn values_and_errors_go_everywhere() {
    everywhere!(
        Message,
        MessageRef<'static>,
        Utf8Bytes,
        NotUtf8,
        CloseCode,
        CloseFrame,
        CloseEvent,
        Initiator,
        ReadyState,
        Role,
        Handshake,
        Options,
        Request,
        Error,
        ConnectError,
        ConnectErrorKind,
        ConnectStep,
        AcceptError,
        HandshakeError,
        HandshakeFault,
        InvalidCloseFrame,
        InvalidHeader,
        InvalidRequest,
        InvalidUpgrade,
        ProtocolError,
    );
    outlives::<Message>();
    outlives::<Error>();
    is_error::<Error>();
    is_error::<ConnectError>();
    is_error::<AcceptError>();
    is_error::<HandshakeError>();
    is_error::<InvalidCloseFrame>();
    is_error::<ProtocolError>();
    is_error::<NotUtf8>();
}

#[test]
fn channels_over_a_transport_go_where_the_transport_goes() {
    type Adapter = WebSocketAdapter<TcpStream>;
    everywhere!(
        Transport,
        PlatformChannel,
        Adapter,
        Connect,
        WebSocketSink<Adapter>,
        WebSocketStream<Adapter>,
        Close<'static, Adapter>,
        Ready<'static, Adapter>,
        CloseSink<'static, Adapter>,
        ClientHandshake<TcpStream>,
        ClientHandshaking<TcpStream>,
        Accept<TcpStream>,
        Accepting<TcpStream>,
        Receiving<TcpStream>,
        Incoming<TcpStream>,
        Rejecting<TcpStream>,
        TungsteniteChannel<TcpStream>,
    );
    sends::<Connecting>();
    moves::<Connecting>();
    shows::<Connecting>();
}

#[test]
fn channels_over_a_transport_that_stays_stay() {
    type Adapter = WebSocketAdapter<Local>;
    macro_rules! stay {
        ($($type:ty),+ $(,)?) => { $(
            assert!(!is_send!($type), stringify!($type));
            moves::<$type>();
            shows::<$type>();
        )+ };
    }
    stay!(
        Adapter,
        WebSocketSink<Adapter>,
        WebSocketStream<Adapter>,
        Close<'static, Adapter>,
        Ready<'static, Adapter>,
        CloseSink<'static, Adapter>,
        ClientHandshake<Local>,
        ClientHandshaking<Local>,
        Accept<Local>,
        Accepting<Local>,
        Receiving<Local>,
        Incoming<Local>,
        Rejecting<Local>,
        LocalBoxWebSocketChannel,
    );
    assert!(is_send!(WebSocketAdapter<TcpStream>), "the question can be answered with yes");
    let channel =
        WebSocketAdapter::from_upgraded(Local(PhantomData), Role::Client, Handshake::default());
    let _boxed = LocalBoxWebSocketChannel::new(channel);
}

#[test]
fn boxed_channels_move_between_threads_and_know_each_other_as_channels() {
    sends::<BoxWebSocketChannel>();
    moves::<BoxWebSocketChannel>();
    shows::<BoxWebSocketChannel>();
    is_channel::<BoxWebSocketChannel>();
    is_channel::<LocalBoxWebSocketChannel>();
    is_channel::<Box<dyn WebSocketChannel + Unpin>>();
    is_channel::<Box<dyn WebSocketChannel + Send + Unpin>>();
    is_channel::<Box<BoxWebSocketChannel>>();
    is_channel::<PlatformChannel>();
    is_channel::<TungsteniteChannel<DuplexStream>>();
}

#[test]
fn futures_are_send_exactly_when_the_channel_is() {
    fn is_send<T: Send>(_: &T) {}
    async fn receive(mut channel: PlatformChannel) {
        let _ = channel.recv_ref().await;
    }
    fn futures(channel: PlatformChannel) {
        is_send(&receive(channel));
    }
    fn handshakes(near: DuplexStream, far: DuplexStream) {
        is_send(&WebSocketAdapter::client(near, "ws://localhost/").into_future());
        is_send(&WebSocketAdapter::accept(far).into_future());
        is_send(&async { connect("ws://localhost/").await });
    }
    let _ = (futures, handshakes);
}

#[test]
fn the_contract_makes_objects() {
    fn channel(_: &mut dyn WebSocketChannel) {}
    fn stream_channel<T>(_: &mut dyn StreamChannel<T, Item = Result<T, Error>, Error = Error>) {}
    fn parts(
        _: &mut dyn Stream<Item = Result<Message, Error>>,
        _: &mut dyn Sink<Message, Error = Error>,
    ) {
    }
    let (near, far) = tokio::io::duplex(64);
    let mut near = WebSocketAdapter::from_upgraded(near, Role::Client, Handshake::default());
    let mut far = WebSocketAdapter::from_upgraded(far, Role::Server, Handshake::default());
    channel(&mut near);
    stream_channel(&mut near);
    parts(&mut near, &mut far);
}

#[test]
fn a_stream_says_when_it_has_ended() {
    fn is_fused<S: FusedStream>() {}
    is_fused::<PlatformChannel>();
}

/// A test's own endpoint gives its own channel.
#[test]
fn endpoints_are_open_to_others() {
    struct Fake;
    impl Endpoint for Fake {
        type Channel = BoxWebSocketChannel;
        type Connect = std::future::Ready<Result<BoxWebSocketChannel, Error>>;

        fn connect(self) -> Self::Connect {
            let (io, _) = tokio::io::duplex(64);
            let handshake = Handshake::new("fake://");
            let channel = WebSocketAdapter::from_upgraded(io, Role::Client, handshake);
            std::future::ready(Ok(BoxWebSocketChannel::new(channel)))
        }
    }
    let mut attempt = task::spawn(async { WebSocketChannel::connect(Fake).await });
    let channel = tokio_test::assert_ready_ok!(attempt.poll());
    assert_eq!(channel.url(), "fake://");
}

#[test]
fn what_is_passed_around_is_small() {
    assert!(size_of::<Error>() <= 32, "{}", size_of::<Error>());
    assert!(size_of::<Result<(), Error>>() <= 32, "{}", size_of::<Result<(), Error>>());
    assert!(size_of::<Message>() <= 40, "{}", size_of::<Message>());
    assert!(size_of::<Option<Result<Message, Error>>>() <= 48);
    assert_eq!(size_of::<CloseCode>(), 2);
    assert_eq!(size_of::<Handshake>(), size_of::<usize>());
}
