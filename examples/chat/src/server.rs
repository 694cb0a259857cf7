//! The server, from its start to its end.

use std::future::{Future, IntoFuture};
use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinError;
use tokio::time::timeout;
use ws_channel::Options;
use ws_channel::server::{Hub, Server, ServerOptions, SlowPeer};
use ws_channel::status;

use crate::hooks::Chat;
use crate::log::Log;
use crate::protocol::PROTOCOL;
use crate::web::router;
use crate::writer::Writer;

/// The longest message of a client in bytes: a text of the most characters, each of which JSON
/// may spell as two escapes of six bytes, and what stands around it.
const MESSAGE_SIZE: usize = 32 << 10;

/// How long the HTTP connections that are left may take to end.
const HTTP_GRACE: Duration = Duration::from_secs(2);

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many people were told.
    pub told: usize,
    /// How many did not answer in time, and were cut off.
    pub cut_off: usize,
}

/// Serves the chat until `stop`, and then ends it so that nothing is lost.
///
/// What was taken is logged, or refused so that it is sent again; only then is everybody closed,
/// with 1001.
///
/// # Errors
///
/// That of the listener.
pub async fn serve(
    listener: TcpListener,
    log: Log,
    stop: impl Future<Output = ()>,
) -> io::Result<Summary> {
    if let Err(error) = log.migrate().await {
        eprintln!("messages are refused until the database can be reached: {error}");
    }
    let hub = Hub::new(options());
    let (writer, logging) = Writer::new(log.clone(), hub.clone());
    let logging = tokio::spawn(logging);
    let server = Server::with_hub(Chat::new(log.clone(), writer.clone()), hub.clone());
    let http = axum::serve(listener, router(server)).with_graceful_shutdown(hub.shutting_down());
    let mut http = tokio::spawn(http.into_future());

    tokio::select! {
        () = stop => {}
        // It goes on until it is told otherwise, unless it broke.
        ended = &mut http => return Err(broken(ended)),
    }
    writer.close();
    let _ = logging.await;
    let ended = hub.shutdown().await;
    let _ = timeout(HTTP_GRACE, http).await;
    log.close().await;
    Ok(Summary { told: ended.closed, cut_off: ended.cut_off })
}

fn options() -> ServerOptions {
    let slow = SlowPeer::close(status::TRY_AGAIN_LATER);
    ServerOptions::new()
        .protocols([PROTOCOL])
        .channel(Options::new().max_message_size(MESSAGE_SIZE))
        .max_peers(10_000)
        // Closed, it comes back and asks for what it missed; waiting would hold up the others.
        .slow_sends(slow.clone())
        .slow_publishes(slow)
}

fn broken(ended: Result<io::Result<()>, JoinError>) -> io::Error {
    match ended {
        Ok(Ok(())) => io::Error::other("the HTTP server ended by itself"),
        Ok(Err(error)) => error,
        Err(error) => io::Error::other(error),
    }
}
