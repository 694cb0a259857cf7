//! What moves messages between a peer's queue and its channel.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::Error;
use crate::adapter::WebSocketAdapter;
use crate::channel::WebSocketChannel;
use crate::protocol::{Message, ReadyState};
use crate::server::Peer;
use crate::server::counters::Tally;
use crate::server::outbox::{Closing, Orders};
use crate::server::outgoing::Outgoing;
use crate::server::session::lost;

/// A peer's channel at work.
///
/// All of it is polled by the one task that drives the peer. What other tasks want comes through
/// the outbox, which wakes that task only when it sleeps.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct Pump<S> {
    /// `None` once it is over.
    channel: Option<WebSocketAdapter<S>>,
    peer: Peer,
    /// The next message out, which the channel had no room for.
    next_out: Option<Outgoing>,
    /// The next message in, which waits for the hooks.
    next_in: Option<Message>,
    error: Option<Error>,
    /// What was begun by this end: messages that still come are dropped.
    closing: bool,
    /// The transport did not take everything at once.
    stuck: bool,
    /// It was stuck, and everything has been taken since.
    drained: bool,
    cut_off: bool,
    orders: Orders,
    tally: Tally,
}

/// What the hooks are told.
#[derive(Debug)]
pub(super) enum Signal {
    Message(Message),
    Drained,
    Ended,
}

impl<S> Pump<S> {
    pub(super) fn new(channel: WebSocketAdapter<S>, peer: Peer) -> Self {
        Self {
            channel: Some(channel),
            peer,
            next_out: None,
            next_in: None,
            error: None,
            closing: false,
            stuck: false,
            drained: false,
            cut_off: false,
            orders: Orders::default(),
            tally: Tally::default(),
        }
    }

    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What broke the connection.
    pub(super) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Whether hooks are to be dropped.
    pub(super) fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Lets the last hook run, though the others were cut off; the shutdown bounds its time.
    pub(super) fn spare(&mut self) {
        self.cut_off = false;
        self.peer.outbox().forget_abort();
    }

    /// The task runs: what is sent from now on wakes nobody.
    pub(super) fn begin(&mut self) {
        let Orders { close, terminate, abort } = self.peer.outbox().start();
        if close.is_some() {
            self.orders.close = close;
        }
        self.orders.terminate |= terminate;
        self.cut_off |= abort;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Pump<S> {
    /// Waits for what the hooks are to be told next.
    pub(super) async fn next(&mut self) -> Signal {
        poll_fn(|cx| {
            self.begin();
            // A message that waits since before a close was ordered is not delivered.
            self.obey();
            if self.next_in.is_none() && self.channel.is_some() {
                self.poll(cx);
            }
            if let Some(message) = self.next_in.take() {
                return Poll::Ready(Signal::Message(message));
            }
            if self.channel.is_none() {
                return Poll::Ready(Signal::Ended);
            }
            if std::mem::take(&mut self.drained) {
                return Poll::Ready(Signal::Drained);
            }
            Poll::Pending
        })
        .await
    }

    /// Moves everything that can be moved, and has the task woken when there is more.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        loop {
            let mut blocked = true;
            let mut buffered = 0;
            self.obey();
            if let Some(mut channel) = self.channel.take() {
                blocked = self.poll_send(&mut channel, cx);
                let over = self.poll_receive(&mut channel, cx);
                if over.is_pending() {
                    self.poll_flush(&mut channel, cx);
                    buffered = channel.buffered_amount();
                    self.note_drained(buffered);
                }
                if channel.ready_state() != ReadyState::Open {
                    self.peer.outbox().set_closing();
                    self.next_out = None;
                }
                if let Some(event) = channel.close_event() {
                    // A hook may wait for it, and the message behind for the hook.
                    self.peer.leave_topics();
                    self.peer.outbox().end(event.clone());
                }
                self.channel = Some(channel);
                if let Poll::Ready(error) = over {
                    self.end(error);
                }
            }
            buffered += self.next_out.as_ref().map_or(0, Outgoing::len);
            let limit = self.peer.hub().options().queue_size;
            let outbox = self.peer.outbox();
            if outbox.sleep(cx, blocked || self.next_out.is_some(), buffered, limit) {
                self.peer.hub().counting().settle(&mut self.tally);
                return;
            }
            self.begin();
        }
    }

    /// It is over.
    fn end(&mut self, error: Option<Error>) {
        let Some(channel) = self.channel.take() else { return };
        let event = channel.close_event().cloned().unwrap_or_else(lost);
        drop(channel);
        self.error = error;
        self.next_out = None;
        if self.closing {
            self.next_in = None;
        }
        self.peer.hub().counting().settle(&mut self.tally);
        self.peer.leave_topics();
        self.peer.outbox().end(event);
    }

    /// Does what other tasks ordered.
    fn obey(&mut self) {
        if std::mem::take(&mut self.orders.terminate) {
            self.closing = true;
            self.end(None);
        }
        let (Some(Closing { frame, queue }), Some(channel)) =
            (self.orders.close.take(), &mut self.channel)
        else {
            return;
        };
        // The channel takes it all: closing has one deadline, over what was queued as well.
        let queue = self.next_out.take().into_iter().chain(queue);
        for message in queue {
            send(channel, message, &mut self.tally);
        }
        if Pin::new(&mut *channel).start_close(Some(frame)).is_err() {
            // A code that a server may not send, from a policy.
            let _ = Pin::new(channel).start_close(None);
        }
        self.closing = true;
        self.next_in = None;
    }

    /// Hands over what is queued; whether the channel has no room for the rest.
    fn poll_send(&mut self, channel: &mut WebSocketAdapter<S>, cx: &mut Context<'_>) -> bool {
        loop {
            if self.next_out.is_none() {
                self.next_out = self.peer.outbox().pop();
            }
            if self.next_out.is_none() {
                return false;
            }
            match Pin::new(&mut *channel).poll_ready(cx) {
                Poll::Pending => {
                    self.stuck = true;
                    return true;
                }
                // The stream tells why.
                Poll::Ready(Err(_)) => {
                    self.next_out = None;
                    return true;
                }
                Poll::Ready(Ok(())) => {
                    if let Some(message) = self.next_out.take() {
                        send(channel, message, &mut self.tally);
                    }
                }
            }
        }
    }

    /// Takes the next message, if the hooks have taken the last. Ready when it is over, with what
    /// broke it.
    fn poll_receive(
        &mut self,
        channel: &mut WebSocketAdapter<S>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Error>> {
        while self.closing || self.next_in.is_none() {
            match Pin::new(&mut *channel).poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => {
                    self.tally.received(message.len());
                    if !self.closing {
                        self.next_in = Some(message);
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(error)),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }

    /// Writes what the channel holds.
    fn poll_flush(&mut self, channel: &mut WebSocketAdapter<S>, cx: &mut Context<'_>) {
        let mut channel = Pin::new(channel);
        let mut flushed = Poll::Ready(Ok(()));
        if channel.buffered_amount() > 0 {
            flushed = channel.as_mut().poll_flush(cx);
            self.stuck |= flushed.is_pending();
        }
        if self.next_in.is_some() && flushed.is_ready() {
            // Nobody receives as long as the hooks are busy. Then a flush looks for pings and a
            // Close frame, and has this task woken for more; the first one after a message that
            // was received does not, since who receives does it.
            for _ in 0..2 {
                let _ = channel.as_mut().poll_flush(cx);
            }
        }
    }

    fn note_drained(&mut self, buffered: usize) {
        if self.stuck && buffered == 0 && self.next_out.is_none() {
            self.stuck = false;
            self.drained = !self.closing;
        }
    }
}

/// Hands one message over. One that a closing channel refuses is lost, as all behind it are.
fn send<S: AsyncRead + AsyncWrite + Unpin>(
    channel: &mut WebSocketAdapter<S>,
    message: Outgoing,
    tally: &mut Tally,
) {
    let bytes = message.len();
    let sent = match message {
        Outgoing::One(message) => Pin::new(channel).start_send(message),
        Outgoing::Shared(prepared) => channel.start_send_prepared(&prepared),
    };
    if sent.is_ok() {
        tally.sent(bytes);
    }
}
