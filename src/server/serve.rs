//! A server on a bare listener.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use http::Extensions;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::adapter::WebSocketAdapter;
use crate::adapter::exchange::answer;
use crate::server::counters::RefusedFor;
use crate::server::limits::Permit;
use crate::server::server::Refused;
use crate::server::trace;
use crate::server::{Accepted, Hooks, Hub, Listener, PeerRequest, Server};
use crate::{AcceptError, Error};

/// How long accepting pauses after an error such as too many open files: others have to end first.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a client for whom there is no place may take to read so.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many clients may be told at a time that there is no place for them; more are just dropped.
const TOLD: usize = 64;

/// Serves WebSockets, and nothing else, on a listener.
///
/// `hooks` are [`Hooks`], or a [`Server`] with options. Awaited, it accepts clients until
/// [`Hub::shutdown`], and returns when that is over. A request that is not a valid upgrade gets its
/// proper answer (426 or the
/// [`fallback`](crate::server::ServerOptions::fallback), 405, 400), one that the hooks refuse theirs, and one beyond the limits 503 or
/// 429. A client that is slow to ask is dropped at the
/// [`timeout`](crate::server::ServerOptions::timeout), and counts under the limits until then.
///
/// Errors of the listener, such as too many open files, are survived: it pauses for 100 ms.
///
/// # Cancellation safety
///
/// Dropping it closes the listener; peers that are connected stay.
///
/// # Examples
///
/// ```no_run
/// use tokio::net::TcpListener;
/// use ws_channel::server::{hooks, serve};
///
/// #[tokio::main]
/// async fn main() -> std::io::Result<()> {
///     let listener = TcpListener::bind("127.0.0.1:9001").await?;
///     let serve = serve(listener, hooks().open(async |peer| println!("{peer} came")));
///     let hub = serve.hub().clone();
///     tokio::spawn(async move {
///         if tokio::signal::ctrl_c().await.is_ok() {
///             hub.shutdown().await;
///         }
///     });
///     serve.await
/// }
/// ```
#[doc(alias = "bind")]
pub fn serve<L, H>(listener: L, hooks: impl Into<Server<H>>) -> Serve<L, H>
where
    L: Listener,
    H: Hooks,
{
    Serve { listener, server: hooks.into() }
}

/// A server on a bare listener, to be awaited; made by [`serve`].
#[must_use = "a server does nothing until it is awaited"]
pub struct Serve<L, H> {
    listener: L,
    server: Server<H>,
}

impl<L: Listener, H: Hooks> Serve<L, H> {
    /// Its peers.
    pub fn hub(&self) -> &Hub {
        self.server.hub()
    }

    /// The listener.
    pub const fn get_ref(&self) -> &L {
        &self.listener
    }

    async fn run(mut self) {
        let hub = self.hub().clone();
        let mut closing = pin!(hub.gate().closing());
        let told = Arc::new(Semaphore::new(TOLD));
        loop {
            let accepted = match select(pin!(self.listener.accept()), closing.as_mut()).await {
                Either::Left((accepted, _)) => accepted,
                Either::Right(_) => break,
            };
            match accepted {
                Ok((io, address)) => match Permit::take(&hub, address) {
                    Ok(permit) => {
                        tokio::spawn(serve_one(self.server.clone(), permit, io, address));
                    }
                    Err(reason) => {
                        hub.counting().refuse(reason);
                        turn_away(&told, io, Refused::full(reason));
                    }
                },
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    trace::listener_failed(&error);
                    let pause = tokio::time::sleep(PAUSE);
                    if let Either::Right(_) = select(pin!(pause), closing.as_mut()).await {
                        break;
                    }
                }
            }
        }
        drop(self.listener);
        hub.gate().over().await;
    }
}

impl<L: Listener, H: Hooks> IntoFuture for Serve<L, H> {
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            self.run().await;
            Ok(())
        })
    }
}

impl<L: fmt::Debug, H> fmt::Debug for Serve<L, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("listener", &self.listener)
            .field("server", &self.server)
            .finish()
    }
}

/// Whether an error of `accept` is that of the one connection that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};

    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Tells a client that there is no place for it.
fn turn_away<S>(told: &Arc<Semaphore>, io: S, refused: Refused)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(told) = Arc::clone(told).try_acquire_owned() else { return };
    tokio::spawn(async move {
        let _told = told;
        // Gone already is as good.
        let _ = answer(io, &refused.response, PATIENCE).await;
    });
}

/// Lets a client in, and drives it to its end.
async fn serve_one<H, S>(server: Server<H>, permit: Permit, io: S, address: Option<SocketAddr>)
where
    H: Hooks,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // In a box, since the task keeps the room for all that it ever is, and a peer needs less.
    let opening = Box::pin(open_or_leave(&server, permit, io, address));
    if let Some((channel, accepted)) = opening.await {
        server.attach(channel, accepted).await;
    }
}

/// As `open`; what is not open when the shutdown begins is dropped.
async fn open_or_leave<H, S>(
    server: &Server<H>,
    permit: Permit,
    io: S,
    address: Option<SocketAddr>,
) -> Option<(WebSocketAdapter<S>, Accepted)>
where
    H: Hooks,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let hub = server.hub();
    let opening = pin!(open(server, permit, io, address));
    match select(opening, pin!(hub.gate().closing())).await {
        Either::Left((opened, _)) => opened,
        Either::Right(_) => {
            hub.counting().refuse(RefusedFor::Shutdown);
            None
        }
    }
}

/// Reads the request, decides about it, and answers; `None` if it was refused, and that counted.
async fn open<H, S>(
    server: &Server<H>,
    permit: Permit,
    io: S,
    address: Option<SocketAddr>,
) -> Option<(WebSocketAdapter<S>, Accepted)>
where
    H: Hooks,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let options = server.hub().options();
    let refuse = |reason| server.hub().counting().refuse(reason);
    // The headers are kept by the peer's request.
    let accept = WebSocketAdapter::accept(io)
        .options(options.channel.clone())
        .timeout(options.timeout)
        .fallback(options.fallback.clone())
        .discard_headers();
    let incoming = accept.request().await.map_err(|error| refuse(reason(&error))).ok()?;
    let fields = incoming.fields().clone();
    let request =
        PeerRequest::from_facts(incoming.target().into(), fields, Extensions::new(), address);
    let judged = timeout(options.timeout, server.judge(&request)).await;
    let late = |_| Err(Refused::full(RefusedFor::Timeout));
    match judged.unwrap_or_else(late) {
        Ok(acceptance) => {
            let mut incoming = incoming;
            for (name, value) in &acceptance.headers {
                incoming = incoming.header(name, value);
            }
            if let Some(protocol) = &acceptance.protocol {
                incoming = incoming.protocol(&**protocol);
            }
            let channel = incoming.accept().await;
            let channel = channel.map_err(|error| refuse(reason(&error))).ok()?;
            Some((channel, Accepted::new(permit, request, acceptance)))
        }
        Err(refused) => {
            refuse(refused.reason);
            // The place is given back when the client has its answer, or has had its time.
            let _ = incoming.reject(*refused.response).await;
            None
        }
    }
}

pub(super) fn reason(error: &Error) -> RefusedFor {
    match error {
        Error::Accept(error) => match &**error {
            AcceptError::Refused(fault) => RefusedFor::from(fault),
            AcceptError::Protocol { .. } | AcceptError::InvalidHeader(_) => RefusedFor::Failed,
            error if error.is_timeout() => RefusedFor::Timeout,
            _ => RefusedFor::Lost,
        },
        _ => RefusedFor::Lost,
    }
}
