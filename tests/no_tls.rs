//! `wss://` in a build without TLS: `cargo test --no-default-features --features connect`.
#![cfg(all(feature = "connect", not(any(feature = "rustls", feature = "native-tls"))))]

use ws_channel::{ConnectErrorKind, Error};

#[tokio::test]
async fn wss_without_tls_names_the_feature_to_turn_on() {
    match ws_channel::connect("wss://127.0.0.1:1/").await {
        Err(Error::Connect(error)) => {
            assert!(matches!(error.kind(), ConnectErrorKind::NoTls));
            assert!(error.kind().to_string().contains("feature `rustls`"));
        }
        other => panic!("{other:?}"),
    }
}
