//! Where clients come from.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// Where the clients of [`serve`](crate::server::serve) come from: a `TcpListener`, or any other that this
/// is implemented for.
///
/// TLS is not the listener's: it would accept one client after the other. It is in an io that does
/// its handshake when it is first read, or in hyper's or axum's hands.
///
/// # Examples
///
/// ```
/// # #[cfg(unix)]
/// # mod example {
/// use std::io;
/// use std::net::SocketAddr;
///
/// use tokio::net::{UnixListener, UnixStream};
/// use ws_channel::server::Listener;
///
/// /// Clients on the same machine.
/// struct Local(UnixListener);
///
/// impl Listener for Local {
///     type Io = UnixStream;
///
///     async fn accept(&mut self) -> io::Result<(UnixStream, Option<SocketAddr>)> {
///         let (stream, _) = self.0.accept().await?;
///         Ok((stream, None))
///     }
/// }
/// # }
/// ```
pub trait Listener: Send + 'static {
    /// What a connection is carried by.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection, and where it comes from.
    ///
    /// An error does not end the server: it pauses and tries again.
    ///
    /// # Errors
    ///
    /// Those of the operating system, such as too many open files.
    fn accept(&mut self)
    -> impl Future<Output = io::Result<(Self::Io, Option<SocketAddr>)>> + Send;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Option<SocketAddr>)> {
        let (stream, address) = Self::accept(self).await?;
        // Without it a small message may wait for the answer to the one before. It fails only for a
        // client that has gone, as reading will tell.
        let _ = stream.set_nodelay(true);
        Ok((stream, Some(address)))
    }
}
