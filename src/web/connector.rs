//! How to connect, as far as a page has a say in it.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use wasm_bindgen::JsValue;

use super::channel::{BrowserChannel, Settings, sendable};
use super::connecting::{Connecting, Opening};
use super::inbox::{Limits, overflow};
use super::js;
use super::socket::{Socket, public};
use super::stream;
use crate::{CloseCode, ConnectError, ConnectErrorKind, DeferredChannel, Error, Request};

/// How long connecting may take unless set.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The channel that connecting gives on this platform: the page's own socket.
pub type PlatformChannel = BrowserChannel;

/// Asks the page for a socket of some kind.
type Open = fn(&str, &[String], Limits, Settings) -> Result<BrowserChannel, JsValue>;

/// An attempt to connect, to be awaited; what [`connect`](crate::connect) gives for a URL.
///
/// The page parses the URL: `ws`, `wss`, `http` for `ws`, `https` for `wss`, and where the browser
/// is recent also one relative to the page.
///
/// What a browser lets no page do has no method here: headers, TLS settings, keepalive. A
/// [`Request`] with headers, or with a user name in its URL, is refused when it is awaited.
///
/// # Logging in without headers
///
/// Cookies of the server's site go along by themselves. For a token there are three ways, which
/// work natively, too:
///
/// - as a subprotocol, beside the one that is meant: `.protocols(["chat", "token.a1b2"])`. The server
///   reads it and picks `chat`. A token of other characters than those of RFC 9110's `token` has to
///   be encoded first, as by base64url without padding.
/// - in the query, `wss://example.com/chat?ticket=a1b2`: a ticket that is good once and for moments,
///   since URLs are logged.
/// - in the first message, which the server waits for before it sends anything.
///
/// # Errors
///
/// [`Error::Connect`], with the URL and what to do about it. A browser does not tell why a server
/// was not reached, on purpose (WHATWG: it would let pages explore a network), so that is
/// [`ConnectErrorKind::Unknown`]. An attempt fails nowhere else.
///
/// # Cancellation safety
///
/// Dropping the attempt closes its socket.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use ws_channel::WebSocketChannel;
///
/// # async fn example() -> Result<(), ws_channel::Error> {
/// let channel = WebSocketChannel::connect("wss://example.com/chat")
///     .protocols(["chat.v2", "chat"])
///     .timeout(Duration::from_secs(5))
///     .await?;
/// # drop(channel);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is connected until the attempt is awaited"]
pub struct Connect {
    url: String,
    protocols: Vec<String>,
    /// What of the request no page can ask for.
    refused: Option<&'static str>,
    open: Open,
    timeout: Duration,
    limits: Limits,
    settings: Settings,
    /// An overflow code that may not be sent.
    invalid: Result<(), Error>,
}

impl Connect {
    /// An attempt to connect to this URL.
    pub fn new(url: impl Into<String>) -> Self {
        let options = crate::Options::new();
        Self {
            url: url.into(),
            protocols: Vec::new(),
            refused: None,
            open: Socket::open,
            timeout: TIMEOUT,
            limits: Limits::default(),
            settings: Settings {
                write_buffer_size: options.write_buffer_size,
                close_timeout: options.close_timeout,
            },
            invalid: Ok(()),
        }
    }

    /// Offers these subprotocols to the server, the most wanted first.
    ///
    /// The server picks one; [`protocol()`](crate::WebSocketChannel::protocol) tells which. If it
    /// picks none, browsers let the attempt fail.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how long connecting may take, with all that the browser does. Default: 10 s.
    #[doc(alias = "connectTimeout")]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the largest message that is received, in bytes, inclusive. Default: 16 MiB.
    ///
    /// A larger one ends the connection with the [`overflow_code`](Self::overflow_code).
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.limits.message = bytes;
        self
    }

    /// Sets how many bytes may wait to be sent before sending waits. Default: 128 KiB.
    ///
    /// One message that was accepted may exceed it.
    pub fn write_buffer_size(mut self, bytes: usize) -> Self {
        self.settings.write_buffer_size = bytes;
        self
    }

    /// Sets how many bytes of messages may wait to be received. Default: 16 MiB; each message
    /// counts 64 bytes more than it has.
    ///
    /// The browser goes on reading while the program does not, so that a peer that is too fast
    /// ends the connection with [`Error::ReceiveOverflow`]. One message may always wait. Over a
    /// `WebSocketStream` the peer is held back instead, long before.
    ///
    /// # Platforms
    ///
    /// Only in browsers; natively a peer is always held back.
    pub fn receive_buffer_size(mut self, bytes: usize) -> Self {
        self.limits.queue = bytes;
        self
    }

    /// Sets the close code for a message that is too big, and for too many that wait.
    /// Default: 4009.
    ///
    /// It stands in for 1009, which a page may not send: 1000, or 3000–4999. Another one is the
    /// attempt's [`Error::CloseFrame`].
    ///
    /// # Platforms
    ///
    /// Only in browsers; natively it is 1009.
    pub fn overflow_code<K>(mut self, code: K) -> Self
    where
        K: TryInto<CloseCode>,
        Error: From<K::Error>,
    {
        let code = code.try_into().map_err(Error::from).and_then(|code| {
            sendable(&overflow(code)?)?;
            Ok(code)
        });
        match code {
            Ok(code) => self.limits.overflow = code,
            Err(error) => self.invalid = Err(error),
        }
        self
    }

    /// Sets how long closing may take: what is queued, the Close frame, and the peer's answer
    /// together. Default: 5 s.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.settings.close_timeout = timeout;
        self
    }

    /// Connects by `WebSocketStream`, which holds back a peer that is too fast.
    ///
    /// An error where the browser has none; there is also
    /// [`prefer_web_socket_stream`](Self::prefer_web_socket_stream).
    ///
    /// Not the default: it costs several promises for each message, and code that a program
    /// without this call does not carry. And Chromium has a fault there (seen in 156): the page may
    /// crash when a connection fails while a message is being written.
    ///
    /// # Platforms
    ///
    /// Only in browsers, and of those only in Chromium's family.
    pub fn web_socket_stream(mut self) -> Self {
        self.open = stream::open;
        self
    }

    /// Connects by `WebSocketStream` where the browser has it, else by `WebSocket`.
    ///
    /// # Platforms
    ///
    /// Only in browsers.
    pub fn prefer_web_socket_stream(mut self) -> Self {
        self.open = if stream::is_supported() { stream::open } else { Socket::open };
        self
    }

    /// A channel at once, in [`ReadyState::Connecting`](crate::ReadyState::Connecting), that connects
    /// as it is used.
    ///
    /// For a page that has to hold, pass on or split its channel before there is a connection. It
    /// connects while it is polled; the timeout counts from the first time.
    pub fn deferred(self) -> DeferredChannel<Connecting> {
        DeferredChannel::new(public(&self.url), self.into_future())
    }

    /// The request's URL and subprotocols.
    pub(super) fn requested(request: Request) -> Self {
        let (url, protocols, refused) = match request.validate() {
            Err(error) => {
                let mut connect = Self::new(error.url());
                connect.invalid = Err(error.into());
                return connect;
            }
            Ok(request) => {
                let has_headers = !request.headers().is_empty() || request.credentials().is_some();
                let refused = has_headers.then_some(
                    "a page sends no headers; use a subprotocol, the query, or the first message",
                );
                (request.url().to_owned(), request.protocols().to_vec(), refused)
            }
        };
        let mut connect = Self::new(url).protocols(protocols);
        connect.refused = refused;
        connect
    }

    pub(super) fn start(self) -> Result<Opening, Error> {
        self.invalid?;
        let opened = match self.refused {
            Some(what) => Err(what.into()),
            None => (self.open)(&self.url, &self.protocols, self.limits, self.settings)
                .map_err(|thrown| reason(&self.url, &thrown)),
        };
        let channel = opened.map_err(|reason| {
            ConnectError::new(public(&self.url), ConnectErrorKind::Refused(reason))
        })?;
        Ok(Opening::new(channel, self.timeout))
    }
}

/// Why the page takes no socket to a URL. What it says may repeat that, password included.
fn reason(url: &str, thrown: &JsValue) -> Box<str> {
    if public(url).len() < url.len() {
        return "its reason is not shown, since that may name the password in the URL".into();
    }
    js::text(thrown).into()
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("url", &public(&self.url))
            .field("protocols", &self.protocols)
            .field("timeout", &self.timeout)
            .field("limits", &self.limits)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl IntoFuture for Connect {
    type Output = Result<PlatformChannel, Error>;
    type IntoFuture = Connecting;

    fn into_future(self) -> Connecting {
        Connecting::new(self)
    }
}
