//! The platform with tokio: what only a native program can do.
//!
//! It connects over TCP and TLS with headers of its own choice, sees the server's answer when it is
//! no WebSocket, sends any legal close code, pings, and wraps an established tokio-tungstenite
//! stream. What it cannot do, and a page can, is to share the browser's cookies, proxies and
//! certificates.

#[cfg(feature = "connect")]
mod connector;
#[cfg(feature = "connect")]
mod dial;
#[cfg(feature = "connect")]
mod endpoint;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod tls;
#[cfg(all(feature = "connect", not(any(feature = "rustls", feature = "native-tls"))))]
#[path = "no_tls.rs"]
mod tls;
#[cfg(feature = "connect")]
mod transport;
mod tungstenite;

#[cfg(feature = "connect")]
pub use connector::{Connect, Connecting, PlatformChannel};
#[cfg(any(feature = "rustls", feature = "native-tls"))]
pub use tls::Tls;
#[cfg(feature = "connect")]
pub use transport::Transport;
pub use tungstenite::TungsteniteChannel;
