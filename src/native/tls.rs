//! How `wss://` is encrypted, and whom it trusts.

use std::fmt;
use std::io;
#[cfg(feature = "rustls")]
use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_tungstenite::{Connector, MaybeTlsStream};

use crate::ConnectErrorKind;

/// The TLS configuration of a connector, for [`Connect::tls`](crate::Connect::tls).
///
/// Made from an `Arc<rustls::ClientConfig>`, a `native_tls::TlsConnector` or a
/// [`tokio_tungstenite::Connector`], each with its feature. Needed only for what the default does
/// not do: own root certificates, client certificates, another cryptography provider.
///
/// The default, with the feature `rustls`, is rustls on ring with the platform's verifier, whatever
/// the process has installed as its provider; with `native-tls` alone it is the system's library
/// as it is set up.
#[derive(Clone)]
pub struct Tls {
    connector: Connector,
}

impl Tls {
    /// The configuration to use for `wss://`, with nothing sent yet.
    pub(super) async fn or_default(chosen: Option<Self>) -> Result<Self, TlsError> {
        match chosen {
            Some(Self { connector: Connector::Plain }) => Err(TlsError::Plain),
            Some(tls) => Ok(tls),
            None => default_connector().await.map(Self::from),
        }
    }

    /// Does the TLS handshake with `host`, a name or an address without brackets.
    pub(super) async fn handshake(
        self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<MaybeTlsStream<TcpStream>, TlsError> {
        match self.connector {
            #[cfg(feature = "rustls")]
            Connector::Rustls(config) => {
                let name = rustls::pki_types::ServerName::try_from(host.to_owned())
                    .map_err(|_| TlsError::ServerName(host.to_owned()))?;
                let connector = tokio_rustls::TlsConnector::from(config);
                let tls = connector.connect(name, tcp).await.map_err(TlsError::from_rustls)?;
                Ok(MaybeTlsStream::Rustls(tls))
            }
            #[cfg(feature = "native-tls")]
            Connector::NativeTls(connector) => {
                let connector = tokio_native_tls::TlsConnector::from(connector);
                let tls = connector.connect(host, tcp).await.map_err(TlsError::from_native)?;
                Ok(MaybeTlsStream::NativeTls(tls))
            }
            _ => Err(TlsError::Unsupported),
        }
    }
}

impl From<Connector> for Tls {
    fn from(connector: Connector) -> Self {
        Self { connector }
    }
}

#[cfg(feature = "rustls")]
impl From<Arc<rustls::ClientConfig>> for Tls {
    fn from(config: Arc<rustls::ClientConfig>) -> Self {
        Connector::Rustls(config).into()
    }
}

#[cfg(feature = "rustls")]
impl From<rustls::ClientConfig> for Tls {
    fn from(config: rustls::ClientConfig) -> Self {
        Arc::new(config).into()
    }
}

#[cfg(feature = "native-tls")]
impl From<native_tls::TlsConnector> for Tls {
    fn from(connector: native_tls::TlsConnector) -> Self {
        Connector::NativeTls(connector).into()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.connector {
            Connector::Plain => "Plain",
            #[cfg(feature = "rustls")]
            Connector::Rustls(_) => "Rustls",
            #[cfg(feature = "native-tls")]
            Connector::NativeTls(_) => "NativeTls",
            _ => "..",
        };
        f.debug_tuple("Tls").field(&format_args!("{kind}")).finish()
    }
}

#[cfg(feature = "rustls")]
async fn default_connector() -> Result<Connector, TlsError> {
    static CONFIG: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();

    if let Some(config) = CONFIG.get() {
        return Ok(Connector::Rustls(Arc::clone(config)));
    }
    // The verifier reads the system's root certificates from disk.
    let config = tokio::task::spawn_blocking(verified_by_the_platform)
        .await
        .map_err(|error| TlsError::Setup(error.into()))?
        .map_err(|error| TlsError::Setup(io::Error::other(error)))?;
    Ok(Connector::Rustls(Arc::clone(CONFIG.get_or_init(|| Arc::new(config)))))
}

#[cfg(feature = "rustls")]
fn verified_by_the_platform() -> Result<rustls::ClientConfig, rustls::Error> {
    use rustls_platform_verifier::BuilderVerifierExt;

    // rustls panics when its features offer no provider, or two, and the process has chosen none.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}

#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
async fn default_connector() -> Result<Connector, TlsError> {
    // The system's library reads its root certificates from disk.
    tokio::task::spawn_blocking(native_tls::TlsConnector::new)
        .await
        .map_err(|error| TlsError::Setup(error.into()))?
        .map(Connector::NativeTls)
        .map_err(|error| TlsError::Setup(io::Error::other(error)))
}

/// Why there is no TLS connection, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(
    not(feature = "rustls"),
    expect(dead_code, reason = "what rustls tells apart stays one place for all features")
)]
pub(super) enum TlsError {
    #[error("the TLS configuration handed in is `Connector::Plain`, which has no `wss://`")]
    Plain,
    /// The dependency's feature was turned on by somebody else.
    #[error("the TLS configuration handed in needs the feature of ws_channel for its library")]
    Unsupported,
    #[error("TLS cannot be set up; are the system's root certificates installed?")]
    Setup(#[source] io::Error),
    #[error("`{0}` is not a name that a certificate can be for")]
    ServerName(String),
    #[error(
        "the server's certificate is from an issuer that this system does not trust; \
         is it self-signed, or your own? then hand in a TLS configuration that trusts its issuer \
         (`Connect::tls`)"
    )]
    Untrusted(#[source] io::Error),
    #[error(
        "the server's certificate is for another name than the URL's host; use a name that is in \
         the certificate, or get one for this host"
    )]
    WrongName(#[source] io::Error),
    #[error(
        "the server's certificate has expired or is not valid yet; is a new one due, or is this machine's clock wrong?"
    )]
    Expired(#[source] io::Error),
    #[error(
        "the server's certificate is that of an issuer, for signing others; is it self-signed? then \
         make it with `basicConstraints=critical,CA:FALSE`, and hand in a TLS configuration that \
         trusts it (`Connect::tls`)"
    )]
    Issuers(#[source] io::Error),
    #[error(
        "the server's certificate is not acceptable; is it self-signed, or was it made anew? then \
         hand in a TLS configuration that trusts its issuer (`Connect::tls`)"
    )]
    Certificate(#[source] io::Error),
    #[error("the server does not answer in TLS; is this a port for `ws://`?")]
    NotTls(#[source] io::Error),
    #[error(
        "the TLS handshake failed; does the port speak TLS, in a version and with a cipher suite \
         that both ends have?"
    )]
    Handshake(#[source] io::Error),
    /// The system's libraries do not tell why, but in words of their own.
    #[cfg(feature = "native-tls")]
    #[error(
        "the TLS handshake failed; does the port speak TLS, and is the certificate for the URL's \
         host? for a self-signed one, hand in a TLS configuration that trusts its issuer \
         (`Connect::tls`)"
    )]
    System(#[source] io::Error),
}

impl TlsError {
    #[cfg(feature = "rustls")]
    fn from_rustls(error: io::Error) -> Self {
        use rustls::CertificateError::{
            Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
            NotValidYetContext, Other, UnknownIssuer,
        };
        use rustls::Error::{InvalidCertificate, InvalidMessage};

        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match cause {
            Some(InvalidCertificate(UnknownIssuer)) => Self::Untrusted(error),
            Some(InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Self::WrongName(error)
            }
            Some(InvalidCertificate(
                Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
            )) => Self::Expired(error),
            // rustls has no name for it, and the verifier's own errors are not in its interface.
            Some(InvalidCertificate(Other(cause)))
                if cause.to_string().contains("CaUsedAsEndEntity") =>
            {
                Self::Issuers(error)
            }
            Some(InvalidCertificate(_)) => Self::Certificate(error),
            Some(InvalidMessage(_)) => Self::NotTls(error),
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::NotTls(error),
            _ => Self::Handshake(error),
        }
    }

    #[cfg(feature = "native-tls")]
    fn from_native(error: native_tls::Error) -> Self {
        Self::System(io::Error::other(error))
    }
}

impl From<TlsError> for ConnectErrorKind {
    fn from(error: TlsError) -> Self {
        Self::Tls(Box::new(error))
    }
}
