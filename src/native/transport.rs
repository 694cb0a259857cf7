//! What carries a connection that this crate opened: TCP, with TLS or without.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_tungstenite::MaybeTlsStream;

/// The io under the channel that [`connect`](crate::connect) gives natively.
///
/// Opaque, so that other ways to reach a server can join TCP and TLS. It is read and written by
/// its channel; what is left to ask is where it leads, through
/// [`WebSocketAdapter::get_ref`](crate::WebSocketAdapter::get_ref):
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = ws_channel::connect("wss://example.com/chat").await?;
/// println!("connected to {}", channel.get_ref().peer_addr()?);
/// # Ok(())
/// # }
/// ```
pub struct Transport {
    stream: MaybeTlsStream<TcpStream>,
}

impl Transport {
    pub(super) fn new(stream: MaybeTlsStream<TcpStream>) -> Self {
        Self { stream }
    }

    /// The address of the server, or of the proxy in between.
    ///
    /// # Errors
    ///
    /// Those of the operating system, for a socket that is no longer connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().peer_addr()
    }

    /// The address at this end.
    ///
    /// # Errors
    ///
    /// Those of the operating system, for a socket that is no longer connected.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().local_addr()
    }

    /// Whether the connection is encrypted.
    pub fn is_secure(&self) -> bool {
        !matches!(self.stream, MaybeTlsStream::Plain(_))
    }

    /// The TLS session, if rustls runs it: the protocol version, the cipher suite, the server's
    /// certificates.
    #[cfg(feature = "rustls")]
    pub fn rustls(&self) -> Option<&rustls::ClientConnection> {
        match &self.stream {
            MaybeTlsStream::Rustls(tls) => Some(tls.get_ref().1),
            _ => None,
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("peer_addr", &self.peer_addr().ok())
            .field("local_addr", &self.local_addr().ok())
            .field("secure", &self.is_secure())
            .finish()
    }
}

impl AsyncRead for Transport {
    /// Reads; a TLS connection that ends without `close_notify` reads as an end of file.
    ///
    /// Whether the peer meant to end it is told by its Close frame, of which such an end has none:
    /// the connection is lost (1006) however the bytes ran out.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf).map(|read| match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            read => read,
        })
    }
}

// `MaybeTlsStream` writes the first slice of a vectored write only; TCP and rustls take them all.
impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            MaybeTlsStream::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            #[cfg(feature = "rustls")]
            MaybeTlsStream::Rustls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
            other => Pin::new(other).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            MaybeTlsStream::Plain(tcp) => tcp.is_write_vectored(),
            #[cfg(feature = "rustls")]
            MaybeTlsStream::Rustls(tls) => tls.is_write_vectored(),
            other => other.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
