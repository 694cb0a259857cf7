//! Hooks on each way in: a bare listener, hyper, axum. In memory.

#![allow(dead_code, unused_macros, unreachable_pub, reason = "a module of several tests")]

pub mod one;

use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use ws_channel::server::{Hooks, Hub, Listener, Server, ServerOptions, serve};
use ws_channel::{ClientHandshake, Error, Message, WebSocketAdapter};

use one::One;

pub type Client = WebSocketAdapter<DuplexStream>;

/// Where every client comes from.
pub const ADDRESS: ([u8; 4], u16) = ([192, 0, 2, 7], 7000);

/// A way in.
pub trait Mounted {
    /// A connection to a server that the hooks are mounted on, at every path.
    fn dial<H: Hooks>(server: &Server<H>) -> DuplexStream;
}

pub struct OnListener;

impl Mounted for OnListener {
    fn dial<H: Hooks>(server: &Server<H>) -> DuplexStream {
        let (near, far) = duplex(1 << 16);
        tokio::spawn(serve(One(Some(far)), server.clone()).into_future());
        near
    }
}

impl Listener for One {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Option<SocketAddr>)> {
        Ok((self.next().await, Some(ADDRESS.into())))
    }
}

#[cfg(feature = "hyper")]
pub struct OnHyper;

#[cfg(feature = "hyper")]
impl Mounted for OnHyper {
    fn dial<H: Hooks>(server: &Server<H>) -> DuplexStream {
        let (near, far) = duplex(1 << 16);
        let service = server.service(Some(ADDRESS.into()));
        let io = hyper_util::rt::TokioIo::new(far);
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(io, service);
        tokio::spawn(connection.with_upgrades());
        near
    }
}

#[cfg(feature = "axum")]
pub struct OnAxum;

#[cfg(feature = "axum")]
impl Mounted for OnAxum {
    /// In a nested router, and for all other paths as the router's fallback.
    fn dial<H: Hooks>(server: &Server<H>) -> DuplexStream {
        use axum::extract::ConnectInfo;
        use axum::{Extension, Router, routing::any};

        let (near, far) = duplex(1 << 16);
        let rooms = Router::new().route("/chat", any(server.clone()));
        let app = Router::new().nest("/rooms", rooms).fallback(server.clone());
        let app = app.layer(Extension(ConnectInfo(SocketAddr::from(ADDRESS))));
        tokio::spawn(axum::serve(One(Some(far)), app).into_future());
        near
    }
}

/// A server with a way in.
pub struct On<M, H> {
    pub server: Server<H>,
    pub hub: Hub,
    way: PhantomData<M>,
}

impl<M: Mounted, H: Hooks> On<M, H> {
    pub fn new(server: impl Into<Server<H>>) -> Self {
        let server = server.into();
        Self { hub: server.hub().clone(), server, way: PhantomData }
    }

    pub fn with_options(hooks: H, options: ServerOptions) -> Self {
        Self::new(Server::with_options(hooks, options))
    }

    pub fn dial(&self) -> DuplexStream {
        M::dial(&self.server)
    }

    /// An opening handshake for this path.
    pub fn client(&self, path: &str) -> ClientHandshake<DuplexStream> {
        WebSocketAdapter::client(self.dial(), format!("ws://localhost{path}"))
    }

    pub async fn connect(&self, path: &str) -> Client {
        self.client(path).await.expect("the server accepts")
    }

    /// Sends a request; head and body of its answer, which has to announce one. The server has then
    /// had time to see that the client has gone.
    pub async fn ask(&self, request: &str) -> (String, String) {
        let mut io = self.dial();
        io.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(io.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let is_head = request.starts_with("HEAD ");
        let length = if is_head { "0" } else { length.expect("a length") };
        let mut body = vec![0; length.parse().unwrap()];
        io.read_exact(&mut body).await.unwrap();
        drop(io);
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        (head, String::from_utf8(body).unwrap())
    }
}

pub async fn next(client: &mut Client) -> Message {
    use futures::StreamExt;

    client.next().await.expect("a message").expect("no error")
}

/// The answer with which an attempt was refused.
pub fn refused(outcome: Result<Client, Error>) -> ws_channel::ConnectError {
    match outcome {
        Err(Error::Connect(error)) => *error,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("it opened"),
    }
}

/// Makes a test of each rule on each way in.
///
/// With a table, the rules stand beside the names of the tests that they translate, each once, and
/// the number of those is checked.
macro_rules! on_each_server {
    ($count:literal translated: $($name:literal => $rule:ident,)*) => {
        const _: [&str; $count] = [$($name),*];
        on_each_server! { $($rule)* }
    };
    ($($rule:ident)*) => {
        on_each_server!(@ on_listener OnListener $($rule)*);
        #[cfg(feature = "hyper")]
        on_each_server!(@ on_hyper OnHyper $($rule)*);
        #[cfg(feature = "axum")]
        on_each_server!(@ on_axum OnAxum $($rule)*);
    };
    (@ $module:ident $way:ident $($rule:ident)*) => {
        mod $module {
            $(#[tokio::test(start_paused = true)]
            async fn $rule() {
                super::$rule::<crate::mounted::$way>().await;
            })*
        }
    };
}
