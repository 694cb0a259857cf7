//! One peer from its opening to its end: the hooks, in their order, over an open channel.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::adapter::WebSocketAdapter;
use crate::protocol::{CloseEvent, CloseFrame, Initiator};
use crate::server::hooks::{Hook, HookResult, Hooks};
use crate::server::limits::Permit;
use crate::server::pump::{Pump, Signal};
use crate::server::trace;
use crate::server::{Peer, PeerError};
use crate::status;

/// Runs the hooks of a peer until it is over.
pub(super) async fn drive<H, S>(
    hooks: Arc<H>,
    channel: WebSocketAdapter<S>,
    peer: Peer,
    permit: Permit,
) where
    H: Hooks,
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    // Last, so that it goes last: who waits for the place finds everything gone.
    let _permit = permit;
    let registered = Registered::new(peer);
    let peer = &registered.0;
    let mut pump = Pump::new(channel, peer.clone());

    trace::opened();
    let mut failure = run(&mut pump, Hook::Open, || hooks.open(peer)).await;
    while failure.is_none() {
        failure = match pump.next().await {
            Signal::Message(message) => {
                run(&mut pump, Hook::Message, || hooks.message(peer, message)).await
            }
            Signal::Drained => run(&mut pump, Hook::Drain, || hooks.drain(peer)).await,
            Signal::Ended => break,
        };
    }
    if let Some(error) = failure {
        if let Ok(frame) = CloseFrame::new(status::INTERNAL_SERVER_ERROR, "") {
            peer.start_close(frame);
        }
        run(&mut pump, Hook::Error, || hooks.error(peer, error)).await;
        while !matches!(pump.next().await, Signal::Ended) {}
    } else if let Some(error) = pump.take_error() {
        let error = PeerError::Connection(error);
        trace::failed(&error);
        run(&mut pump, Hook::Error, || hooks.error(peer, error)).await;
    }
    let event = peer.close_event().unwrap_or_else(lost);
    peer.hub().counting().close(event.code);
    trace::closed(&event);
    pump.spare();
    run(&mut pump, Hook::Close, || hooks.close(peer, event)).await;
}

/// Runs a hook to its end, and the connection beside it. Returns how it failed.
async fn run<S, F>(pump: &mut Pump<S>, hook: Hook, call: impl FnOnce() -> F) -> Option<PeerError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    F: Future<Output = HookResult> + Send,
{
    // Pinned where it is made: a task has room for each place that a future is moved to.
    let outcome = beside(pump, pin!(guarded(call))).await;
    let error = match outcome? {
        Ok(Ok(())) => return None,
        Ok(Err(source)) => PeerError::Failed { hook, source },
        Err(payload) => PeerError::panicked(hook, &*payload),
    };
    pump.peer().hub().counting().hook_failed();
    trace::failed(&error);
    Some(error)
}

/// A hook whose panic is an error. Also what the call does before it returns its future may panic.
fn guarded<F: Future>(
    call: impl FnOnce() -> F,
) -> impl Future<Output = Result<F::Output, Box<dyn Any + Send>>> {
    AssertUnwindSafe(async { call().await }).catch_unwind()
}

/// Polls a hook, and the connection as long as it waits; `None` if it is to be cut off.
async fn beside<S, F: Future>(pump: &mut Pump<S>, mut hook: Pin<&mut F>) -> Option<F::Output>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    poll_fn(|cx| {
        pump.begin();
        if let Poll::Ready(output) = hook.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        pump.poll(cx);
        if pump.is_cut_off() { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// The end of a connection that ended without a Close frame.
pub(super) fn lost() -> CloseEvent {
    CloseEvent {
        code: status::ABNORMAL_CLOSURE,
        reason: "".into(),
        was_clean: false,
        initiator: Initiator::Local,
    }
}

/// A peer that the server knows. However its task ends, it leaves nothing behind.
struct Registered(Peer);

impl Registered {
    fn new(peer: Peer) -> Self {
        let hub = peer.hub();
        hub.counting().accept();
        hub.registry().add(&peer);
        if let Some(frame) = hub.gate().closing_frame() {
            // The shutdown began before it could see this peer.
            peer.start_close(frame);
        }
        Self(peer)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.0.outbox().end(lost());
        self.0.leave_topics();
        self.0.hub().registry().remove(self.0.id());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Handshake, Message, Role};
    use crate::server::{Acceptance, Accepted, PeerRequest, Server};

    /// Hooks of which one keeps so many bytes while it waits.
    struct Keeps<const BYTES: usize>;

    impl<const BYTES: usize> Hooks for Keeps<BYTES> {
        async fn message(&self, _peer: &Peer, message: Message) -> HookResult {
            let kept = [1_u8; BYTES];
            tokio::task::yield_now().await;
            assert_ne!(std::hint::black_box(&kept).len(), message.len());
            Ok(())
        }
    }

    /// The size of an idle peer's task.
    fn size<const BYTES: usize>() -> usize {
        let server = Server::new(Keeps::<BYTES>);
        let permit = Permit::take(server.hub(), None).unwrap();
        let (uri, headers) = (http::Uri::from_static("/"), http::HeaderMap::new());
        let request = PeerRequest::new(&uri, &headers, http::Extensions::new(), None);
        let accepted = Accepted::new(permit, request, Acceptance::new());
        let (io, _other) = tokio::io::duplex(1);
        let channel = WebSocketAdapter::from_upgraded(io, Role::Server, Handshake::default());
        size_of_val(&server.attach(channel, accepted))
    }

    #[test]
    fn a_peer_has_room_for_a_hook_once() {
        let (small, large) = (size::<100>(), size::<900>());
        assert!(large - small < 2 * 800, "{small} and {large} bytes");
        assert!(small < 1500, "{small} bytes");
    }
}
