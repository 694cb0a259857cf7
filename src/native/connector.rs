//! The attempt to connect: from a URL to an open channel.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_tungstenite::MaybeTlsStream;
use url::Host;

use super::dial;
use super::tls::Tls;
use super::transport::Transport;
use crate::adapter::options::option_setters;
use crate::protocol::ValidRequest;
use crate::{
    ConnectError, ConnectErrorKind, ConnectStep, DeferredChannel, Error, Options, Request,
    WebSocketAdapter,
};

/// How long connecting may take unless set.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The channel that connecting gives on this platform: the protocol over a [`Transport`].
pub type PlatformChannel = WebSocketAdapter<Transport>;

/// An attempt to connect, to be awaited; what [`connect`](crate::connect) gives for a URL.
///
/// Tries the host's addresses as RFC 8305 says, IPv6 and IPv4 in turn, a quarter of a second apart,
/// with `TCP_NODELAY` on, and for `wss://` speaks TLS. Needs a tokio runtime with I/O and time
/// enabled, as `#[tokio::main]` makes.
///
/// # Errors
///
/// [`Error::Connect`], with the URL, what went wrong, and what to do about it. An attempt fails
/// nowhere else.
///
/// # Panics
///
/// If the tokio runtime has I/O or time turned off.
///
/// # Cancellation safety
///
/// Dropping the attempt closes its sockets at once.
///
/// # Examples
///
/// Options stand before the `.await`. What wants a future, as `tokio::spawn` does, gets it by
/// `.into_future()`.
///
/// ```no_run
/// use std::time::Duration;
/// use ws_channel::WebSocketChannel;
///
/// # async fn example() -> Result<(), ws_channel::Error> {
/// let channel = WebSocketChannel::connect("wss://example.com/chat")
///     .protocols(["chat.v2", "chat"])
///     .header("Authorization", "Bearer a1b2")
///     .timeout(Duration::from_secs(5))
///     .await?;
/// # drop(channel);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is connected until the attempt is awaited"]
pub struct Connect {
    request: Request,
    tls: Option<Tls>,
    timeout: Duration,
    keep_headers: bool,
    options: Options,
}

impl Connect {
    /// An attempt to connect with this request.
    pub fn new(request: impl Into<Request>) -> Self {
        Self {
            request: request.into(),
            tls: None,
            timeout: TIMEOUT,
            keep_headers: true,
            options: Options::new(),
        }
    }

    /// Offers these subprotocols to the server, the most wanted first.
    ///
    /// The server picks one or none; [`protocol()`](crate::WebSocketChannel::protocol) tells which.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.request = self.request.protocols(protocols);
        self
    }

    /// Adds a header to the request.
    ///
    /// Those that the handshake writes itself (`Connection`, `Upgrade`, `Sec-WebSocket-*`) may not
    /// be set.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.request = self.request.header(name, value);
        self
    }

    /// Sets the TLS configuration for `wss://`: whom to trust, who to be.
    ///
    /// Takes an `Arc<rustls::ClientConfig>`, a `native_tls::TlsConnector` or a
    /// `tokio_tungstenite::Connector`. Default: what the platform trusts.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    #[doc(alias = "customClient")]
    pub fn tls(mut self, configuration: impl Into<Tls>) -> Self {
        self.tls = Some(configuration.into());
        self
    }

    /// Sets how long connecting may take: name resolution, TCP, TLS and the opening handshake
    /// together. Default: 10 s.
    #[doc(alias = "connectTimeout")]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Lets go of the response's headers after the handshake.
    ///
    /// [`Handshake::headers`](crate::Handshake::headers) is then empty, and an idle connection
    /// holds that much less.
    pub fn discard_headers(mut self) -> Self {
        self.keep_headers = false;
        self
    }

    /// Sets all limits and deadlines of the channel at once; those set before are replaced.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    option_setters!();

    fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    /// A channel at once, in [`ReadyState::Connecting`](crate::ReadyState::Connecting), that connects
    /// as it is used.
    ///
    /// For a program that has to hold, pass on or split its channel before there is a connection. It
    /// connects while it is polled; the timeout counts from the first time.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use futures::SinkExt;
    /// use ws_channel::{WebSocketChannel, connect};
    ///
    /// # async fn example() -> Result<(), ws_channel::Error> {
    /// let mut channel = connect("wss://example.com/chat").deferred();
    /// channel.ready().await?;
    /// channel.send("hello".into()).await?;
    /// # Ok(()) }
    /// ```
    pub fn deferred(self) -> DeferredChannel<Connecting> {
        DeferredChannel::new(self.request.url().to_owned(), self.into_future())
    }

    async fn run(self) -> Result<PlatformChannel, Error> {
        let request = self.request.validate()?;
        let url: Box<str> = request.url().into();
        let failed = |kind| Error::from(ConnectError::new(url.clone(), kind));
        if Handle::try_current().is_err() {
            return Err(failed(ConnectErrorKind::Other(
                "connecting needs a tokio runtime; await it inside of one".into(),
            )));
        }
        let mut step = ConnectStep::Resolve;
        let attempt = async {
            let transport = reach(&request, self.tls, &mut step).await.map_err(failed)?;
            step = ConnectStep::Upgrade;
            let mut opening = WebSocketAdapter::client(transport, request).without_timeout();
            if !self.keep_headers {
                opening = opening.discard_headers();
            }
            opening.options(self.options).await
        };
        match timeout(self.timeout, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(failed(ConnectErrorKind::Timeout { step, after: self.timeout })),
        }
    }
}

/// The transport to the request's host, ready for the opening handshake; `step` says how far it is.
async fn reach(
    request: &ValidRequest,
    tls: Option<Tls>,
    step: &mut ConnectStep,
) -> Result<Transport, ConnectErrorKind> {
    // What is wrong with the configuration is found before anybody is called.
    let tls = if request.is_secure() { Some(Tls::or_default(tls).await?) } else { None };
    let host = match request.host() {
        // Without the brackets that stand around it in a URL.
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    };
    let addresses =
        dial::resolve(&host, request.port()).await.map_err(ConnectErrorKind::Resolve)?;
    *step = ConnectStep::Tcp;
    let tcp =
        dial::connect(addresses).await.map_err(|error| ConnectErrorKind::Tcp(error.into()))?;
    *step = ConnectStep::Tls;
    Ok(Transport::new(match tls {
        Some(tls) => tls.handshake(&host, tcp).await?,
        None => MaybeTlsStream::Plain(tcp),
    }))
}

impl IntoFuture for Connect {
    type Output = Result<PlatformChannel, Error>;
    type IntoFuture = Connecting;

    fn into_future(self) -> Connecting {
        Connecting { attempt: Box::pin(self.run()) }
    }
}

/// An attempt to connect that is under way: the future of [`Connect`].
///
/// # Cancellation safety
///
/// Dropping it closes its sockets at once.
#[must_use = "futures do nothing unless polled"]
pub struct Connecting {
    attempt: Pin<Box<dyn Future<Output = Result<PlatformChannel, Error>> + Send>>,
}

impl Future for Connecting {
    type Output = Result<PlatformChannel, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.attempt.as_mut().poll(cx)
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").finish_non_exhaustive()
    }
}
