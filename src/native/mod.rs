//! The platform with tokio: TCP, TLS, and the wrapper of tokio-tungstenite's stream.

#[cfg(feature = "connect")]
mod dial;
#[cfg(feature = "connect")]
mod tls;
#[cfg(feature = "connect")]
mod transport;
mod tungstenite;

#[cfg(any(feature = "rustls", feature = "native-tls"))]
pub use tls::Tls;
#[cfg(feature = "connect")]
pub use transport::Transport;
pub use tungstenite::TungsteniteChannel;
