//! Real protocols inside a WebSocket.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional, duplex};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use ws_channel::{Error, Message, WebSocketAdapter, WebSocketChannel, status};

use crate::wire::pair;

#[tokio::test]
async fn a_websocket_runs_inside_a_websocket() {
    let (near, far) = pair();
    let (client, server) = tokio::join!(
        WebSocketAdapter::client(near.into_io(), "ws://inner.example.com/"),
        WebSocketAdapter::accept(far.into_io()),
    );
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let echo = tokio::spawn(async move {
        while let Some(message) = server.next().await {
            server.send(message?).await?;
        }
        Ok::<_, Error>(server)
    });
    for length in [0, 1, 125, 70_000, 1 << 20] {
        let message = Message::from(vec![7; length]);
        client.send(message.clone()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), message);
    }
    let inner = client.close(4000, "inner").await.unwrap();
    assert!(inner.was_clean);
    let server = echo.await.unwrap().unwrap();
    assert_eq!(server.close_code(), Some(4000u16.into()));
    // The inner connection shuts its transport down, which closes the outer one.
    for outer in [client.get_ref().get_ref(), server.get_ref().get_ref()] {
        assert_eq!(outer.close_code(), Some(status::NORMAL_CLOSURE));
        assert!(outer.close_event().unwrap().was_clean);
    }
}

#[tokio::test]
async fn tls_runs_inside_a_websocket() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let server = ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![cert.der().clone()], key).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();

    let (near, far) = pair();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    let (client, server) = tokio::join!(
        connector.connect(name, near.into_io()),
        TlsAcceptor::from(Arc::new(server)).accept(far.into_io()),
    );
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let sent: Vec<u8> = (0..1u32 << 18).flat_map(u32::to_le_bytes).collect();
    let expected = sent.clone();
    let received = tokio::spawn(async move {
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        server.shutdown().await.unwrap();
        received
    });
    client.write_all(&sent).await.unwrap();
    client.shutdown().await.unwrap();
    assert!(received.await.unwrap() == expected);
}

/// A client that writes to a listener's socket is carried by a WebSocket to a server, and back.
#[tokio::test]
async fn copy_bidirectional_makes_a_tunnel_of_a_websocket() {
    let (near, far) = pair();
    let (mut program, mut entry) = duplex(1 << 12);
    let (mut exit, mut service) = duplex(1 << 12);
    let entry =
        tokio::spawn(async move { copy_bidirectional(&mut entry, &mut near.into_io()).await });
    let exit = tokio::spawn(async move { copy_bidirectional(&mut far.into_io(), &mut exit).await });
    let service = tokio::spawn(async move {
        let mut request = vec![0; 300_000];
        service.read_exact(&mut request).await.unwrap();
        request.reverse();
        service.write_all(&request).await.unwrap();
        service.read(&mut request).await.unwrap()
    });
    let mut sent: Vec<u8> = (0..75_000u32).flat_map(u32::to_le_bytes).collect();
    let mut answer = vec![0; sent.len()];
    program.write_all(&sent).await.unwrap();
    program.read_exact(&mut answer).await.unwrap();
    sent.reverse();
    assert!(answer == sent);
    drop(program);
    assert_eq!(service.await.unwrap(), 0, "the service learns that the program has gone");
    assert_eq!(entry.await.unwrap().unwrap(), (300_000, 300_000));
    assert_eq!(exit.await.unwrap().unwrap(), (300_000, 300_000));
}
