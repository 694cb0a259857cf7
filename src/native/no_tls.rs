//! In place of `tls.rs` where no feature with TLS is on: `wss://` fails before connecting.
#![allow(clippy::unused_async, reason = "the shape of tls.rs")]

use tokio::net::TcpStream;
use tokio_tungstenite::MaybeTlsStream;

use crate::ConnectErrorKind;

/// A TLS configuration, of which there is none.
#[derive(Debug)]
pub(super) enum Tls {}

impl Tls {
    pub(super) async fn or_default(chosen: Option<Self>) -> Result<Self, ConnectErrorKind> {
        chosen.ok_or(ConnectErrorKind::NoTls)
    }

    pub(super) async fn handshake(
        self,
        _host: &str,
        _tcp: TcpStream,
    ) -> Result<MaybeTlsStream<TcpStream>, ConnectErrorKind> {
        match self {}
    }
}
