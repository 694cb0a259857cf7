//! The server: prints each map, and answers it a second later, if its peer is still there.

use tokio::net::TcpListener;
use tokio::time::sleep;
use ws_channel::server::{BoxError, HookResult, Peer, hooks, serve};
use ws_channel::{Message, ReadyState};

use crate::{Map, SECOND, map};

pub(crate) async fn run(address: &str) -> Result<(), BoxError> {
    let hooks = hooks()
        .message(received)
        .error(async |peer, error| println!("[!] {}: {error:?}", from(&peer)))
        .close(async |peer, event| println!("[+] {}: {event}", from(&peer)));
    // Fails if the address is taken.
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);

    let serve = serve(listener, hooks);
    let hub = serve.hub().clone();
    let serving = tokio::spawn(serve.into_future());
    tokio::signal::ctrl_c().await?;
    hub.shutdown().await;
    Ok(serving.await??)
}

async fn received(peer: Peer, message: Message) -> HookResult {
    // What is no map of texts is an error of this hook, which ends the peer.
    let received: Map = serde_json::from_slice(message.as_bytes())?;
    println!("{} -- {received:?}", from(&peer));
    tokio::spawn(async move {
        sleep(SECOND).await;
        if let Err(error) = answer(&peer).await {
            println!("[!] {}: {error}", from(&peer));
        }
    });
    Ok(())
}

async fn answer(peer: &Peer) -> Result<(), BoxError> {
    if peer.ready_state() == ReadyState::Open {
        peer.send(serde_json::to_string(&map("server"))?).await?;
    }
    Ok(())
}

fn from(peer: &Peer) -> String {
    peer.remote_addr().map_or_else(|| peer.to_string(), |address| address.to_string())
}
