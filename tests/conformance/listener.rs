//! The servers of the suite on a port, for who connects by a URL.

#![allow(unreachable_pub, reason = "a module of several tests")]

use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;

use crate::server::serve;

/// Serves on a port of this machine, which it returns, until nobody receives the reports.
pub async fn listen(reports: UnboundedSender<String>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => {
                    tokio::spawn(serve(stream, reports.clone()));
                }
                () = reports.closed() => return,
            }
        }
    });
    port
}
