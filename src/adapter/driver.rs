//! What moves bytes between a connection and its transport, and keeps the deadlines.
//!
//! Every poll follows one order: understand what has been read; when that runs dry, write all
//! answers at once; then read; and only when reading is pending look at the clock. So many
//! messages go with one system call both ways, and silence is judged only when nothing was there
//! to read.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::adapter::options::{Keepalive as Periods, Options};
use crate::platform::{self, Instant, Timer};
use crate::protocol::connection::{Connection, Lifecycle, Received};
use crate::protocol::fault::Fault;
use crate::protocol::keepalive::{Keepalive, Verdict};
use crate::protocol::receiver::Item;
use crate::protocol::{CloseEvent, CloseFrame, Message, MessageRef, Role};
use crate::{Error, status};

/// How often a busy connection looks whether it still needs its buffers.
const TICK: Duration = Duration::from_millis(250);

/// How many messages, reads and writes between two ticks make a connection busy. Until then it
/// gives its buffers back at once: ten thousand connections that say a word now and then hold
/// none, and the allocator's pages are shared by all of them.
const BUSY: u32 = 64;

/// What an idle connection reads into: space on the stack, copied from when something comes.
const SCRATCH: usize = 4096;

/// How many times one poll reads before others have their turn.
const READS: usize = 64;

/// How many bytes of messages the sink side keeps while nobody receives; an empty one counts, too.
const KEPT: usize = 64 << 10;

/// How long a peer that broke the protocol is listened to, so that it reads why.
const LINGER: Duration = Duration::from_secs(1);

/// Messages that the sink side met while it looked for control frames.
#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<Message>,
    bytes: usize,
    /// The one that is lent.
    lent: Option<Message>,
}

/// Where the next message is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    Kept,
    Item(Item),
}

/// What a look at the bytes that were read gives.
#[derive(Debug)]
enum Understood {
    Item(Item),
    Dry,
    Over,
}

/// The transport, the connection over it, and its clock.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each of one poll function")]
pub(crate) struct Driver<S> {
    io: S,
    connection: Connection,
    keepalive: Keepalive,
    timer: Timer,
    /// When closing has to be over, once it has begun.
    close_by: Option<Instant>,
    close_timeout: Duration,
    /// Since when neither a write nor a flush has made progress.
    stalled: Option<Instant>,
    write_buffer_size: usize,
    kept: Option<Box<Kept>>,
    /// Messages, reads and writes since the last tick.
    activity: u32,
    /// Whether a tick is due that gives buffers back.
    busy: bool,
    /// Whether the transport was written to since it was flushed.
    unflushed: bool,
    /// Whether the stream side was polled since the last flush. That flush then looks for no
    /// control frames: who sends and receives in turns reads once a turn, and a program that only
    /// sends from now on answers a ping one flush later.
    received: bool,
    /// Whether all that was read has been understood.
    dry: bool,
}

impl<S> Driver<S> {
    pub(crate) fn new(io: S, role: Role, options: &Options, read_ahead: BytesMut) -> Self {
        let periods = options.keepalive.map(|Periods { interval, timeout }| (interval, timeout));
        Self {
            io,
            connection: Connection::new(role, options.max_message_size, read_ahead),
            keepalive: Keepalive::new(periods, platform::now()),
            timer: Timer::default(),
            close_by: None,
            close_timeout: options.close_timeout,
            stalled: None,
            write_buffer_size: options.write_buffer_size,
            kept: None,
            activity: 0,
            busy: false,
            unflushed: false,
            received: false,
            dry: false,
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn event(&self) -> Option<&CloseEvent> {
        self.connection.event()
    }

    /// Whether the stream has nothing more to yield.
    pub(crate) fn is_terminated(&self) -> bool {
        self.connection.event().is_some() && !self.connection.has_error() && self.kept.is_none()
    }

    pub(crate) fn latency(&self) -> Option<Duration> {
        self.keepalive.latency()
    }

    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    pub(crate) fn io_mut(&mut self) -> &mut S {
        &mut self.io
    }

    pub(crate) fn into_io(self) -> S {
        self.io
    }

    /// Accepts a message.
    #[inline]
    pub(crate) fn send(&mut self, message: Message) -> Result<(), Error> {
        self.activity = self.activity.wrapping_add(1);
        self.connection.send(message, platform::mask_key)
    }

    /// Begins the closing handshake.
    pub(crate) fn start_close(&mut self, frame: Option<&CloseFrame>) -> Result<(), Error> {
        self.connection.close(frame, platform::mask_key)?;
        if self.connection.lifecycle() == Lifecycle::Closing {
            // WHATWG: once closing has begun, no message is delivered any more.
            self.kept = None;
            self.limit_close(self.close_timeout);
        }
        Ok(())
    }

    /// Sets the one deadline for all of the end, unless it is set.
    fn limit_close(&mut self, timeout: Duration) {
        if self.close_by.is_none() {
            let by = platform::later(platform::now(), timeout);
            self.close_by = Some(by);
            self.wake_by(by);
        }
    }

    /// Makes the timer fire at `deadline` at the latest.
    fn wake_by(&mut self, deadline: Instant) {
        if self.timer.deadline().is_none_or(|present| deadline < present) {
            self.timer.arm(deadline);
        }
    }

    /// Counts a read or a write, and notices when there are many.
    #[inline]
    fn count(&mut self) {
        self.activity = self.activity.wrapping_add(1);
        if self.activity > BUSY && !self.busy {
            self.become_busy();
        }
    }

    #[cold]
    fn become_busy(&mut self) {
        self.busy = true;
        self.wake_by(platform::later(platform::now(), TICK));
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    // The stream side.

    /// The next message.
    #[inline]
    pub(crate) fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Message, Error>>> {
        self.received = true;
        if self.kept.is_some() {
            if let Some(message) = self.pop_kept() {
                return Poll::Ready(Some(Ok(message)));
            }
        }
        for _ in 0..READS {
            if !self.dry {
                if let Some(message) = self.connection.plain_message(platform::mask_key) {
                    self.dry = self.connection.is_drained();
                    self.activity = self.activity.wrapping_add(1);
                    return Poll::Ready(Some(Ok(message)));
                }
                match ready!(self.poll_understood(cx)) {
                    Understood::Dry => {}
                    Understood::Item(item) => {
                        let message = self.connection.take_message(item);
                        return Poll::Ready(Some(message.map_err(Error::from)));
                    }
                    Understood::Over => return Poll::Ready(self.connection.take_error().map(Err)),
                }
            }
            ready!(self.poll_dry(cx));
        }
        self.yield_now(cx)
    }

    /// Where the next message is, for `lend`.
    #[inline]
    pub(crate) fn poll_found(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Found, Error>>> {
        self.received = true;
        if self.kept.is_some() {
            if let Some(message) = self.pop_kept() {
                self.kept.get_or_insert_default().lent = Some(message);
                return Poll::Ready(Some(Ok(Found::Kept)));
            }
        }
        Poll::Ready(match ready!(self.poll_item(cx)) {
            Some(item) => Some(Ok(Found::Item(item))),
            None => self.connection.take_error().map(Err),
        })
    }

    /// The message that `poll_found` found.
    #[inline]
    pub(crate) fn lend(&self, found: Found) -> MessageRef<'_> {
        match found {
            Found::Item(item) => self.connection.message_ref(item),
            Found::Kept => match self.kept.as_ref().and_then(|kept| kept.lent.as_ref()) {
                Some(Message::Text(text)) => MessageRef::Text(text),
                Some(Message::Binary(bytes)) => MessageRef::Binary(bytes),
                None => MessageRef::Binary(&[]),
            },
        }
    }

    fn pop_kept(&mut self) -> Option<Message> {
        let kept = self.kept.as_mut()?;
        kept.lent = None;
        let Some(message) = kept.messages.pop_front() else {
            self.kept = None;
            return None;
        };
        kept.bytes -= size_of::<Message>() + message.len();
        Some(message)
    }

    /// The next message, where it stands; `None` when it is over.
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        for _ in 0..READS {
            if !self.dry {
                match ready!(self.poll_understood(cx)) {
                    Understood::Item(item) => return Poll::Ready(Some(item)),
                    Understood::Over => return Poll::Ready(None),
                    Understood::Dry => {}
                }
            }
            ready!(self.poll_dry(cx));
        }
        self.yield_now(cx)
    }

    /// Understands what has been read; goes the last steps when that was the end.
    #[inline]
    fn poll_understood(&mut self, cx: &mut Context<'_>) -> Poll<Understood> {
        loop {
            match self.connection.receive(platform::mask_key) {
                Received::Message(item) => return Poll::Ready(Understood::Item(item)),
                Received::Dry => {
                    self.dry = true;
                    self.note_pong();
                    return Poll::Ready(Understood::Dry);
                }
                Received::Backlog => self.write_backlog(cx),
                Received::Over => {
                    ready!(self.poll_leave(cx));
                    return Poll::Ready(Understood::Over);
                }
            }
        }
    }

    /// The input ran dry: writes what is queued, then reads.
    #[inline]
    fn poll_dry(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.write_answers(cx);
        ready!(self.poll_input(cx));
        self.dry = false;
        Poll::Ready(())
    }

    /// What a message costs is paid for by who asked for it; a flood of anything else is not.
    #[cold]
    fn yield_now<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        cx.waker().wake_by_ref();
        // Input that never ends holds up no deadline; whatever that changes, this is polled again.
        let _ = self.poll_clock(cx, false);
        Poll::Pending
    }

    /// Reads, or waits for the clock; ready when there is something to understand.
    #[inline]
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.poll_read(cx) {
            Poll::Ready(Ok(0)) => self.connection.end_of_input(),
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => self.connection.read_failed(error),
            Poll::Pending if self.connection.is_broken() => self.connection.end_of_input(),
            Poll::Pending => {
                if !self.busy {
                    // No tick is due that would do it.
                    self.connection.release_input();
                }
                return self.poll_clock(cx, platform::has_budget());
            }
        }
        Poll::Ready(())
    }

    /// Reads once, into the connection's buffer or, if it owns none, into the stack.
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let read = if self.busy || self.connection.has_space() {
            let mut space = self.connection.space();
            let offered = space.remaining_mut();
            let read = ready!(pin!(self.io.read_buf(&mut space)).poll(cx))?;
            drop(space);
            self.connection.filled(read, offered);
            read
        } else {
            let mut scratch = [MaybeUninit::uninit(); SCRATCH];
            let mut scratch = ReadBuf::uninit(&mut scratch);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut scratch))?;
            self.connection.feed(scratch.filled());
            scratch.filled().len()
        };
        if read != 0 {
            self.keepalive.heard(platform::now);
            self.count();
        }
        Poll::Ready(Ok(read))
    }

    /// Reads and drops; ready when input has ended.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..READS {
            let mut scratch = [MaybeUninit::uninit(); 4 * SCRATCH];
            let mut scratch = ReadBuf::uninit(&mut scratch);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut scratch)) {
                Ok(()) if !scratch.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Tries to write what is queued: the input ran dry.
    #[inline]
    fn write_answers(&mut self, cx: &mut Context<'_>) {
        if !self.connection.is_flushed() || self.unflushed {
            match self.poll_write(cx) {
                Poll::Ready(Ok(())) => self.spare_output(),
                Poll::Ready(Err(error)) => self.break_off(error, cx),
                Poll::Pending => {}
            }
        }
    }

    /// Notes that writing failed. The other half, which may wait for something to read, learns it
    /// by being polled.
    #[cold]
    fn break_off(&mut self, error: io::Error, cx: &Context<'_>) {
        self.connection.write_failed(error);
        cx.waker().wake_by_ref();
    }

    /// Gives the output buffer back when a burst is over: not in the midst of one, when the mark
    /// was reached and more is to come.
    #[inline]
    fn spare_output(&mut self) {
        if !self.busy {
            self.connection.release_output();
        }
    }

    /// Writes a pile of pongs; if the peer does not take them, it is a flood.
    fn write_backlog(&mut self, cx: &mut Context<'_>) {
        self.write_answers(cx);
        if self.connection.is_flooded() {
            self.connection.fail(Fault::PingFlood, platform::mask_key);
        }
    }

    // The sink side.

    /// Ready when another message may be accepted.
    #[inline]
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.connection.is_open() && self.connection.buffered() < self.write_buffer_size {
            return Poll::Ready(Ok(()));
        }
        loop {
            if !self.connection.is_open() {
                return Poll::Ready(Err(Error::closed(self.connection.known_event())));
            }
            let written = self.poll_write(cx);
            if let Poll::Ready(Err(error)) = written {
                return Poll::Ready(Err(self.write_failed(error, cx)));
            }
            if self.connection.buffered() < self.write_buffer_size.max(1) {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_control(cx));
        }
    }

    /// Ready when everything has been handed to the transport.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.poll_write(cx) {
                Poll::Ready(Ok(())) => break,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.write_failed(error, cx))),
                Poll::Pending => ready!(self.poll_control(cx)),
            }
            if self.connection.event().is_some() {
                // Over: there is nothing left to write, and nothing to wait for.
                break;
            }
        }
        if self.connection.has_dropped() {
            return Poll::Ready(Err(Error::closed(self.connection.known_event())));
        }
        self.spare_output();
        if !std::mem::take(&mut self.received) && self.connection.is_open() {
            // Nobody receives: pings wait for their pongs here.
            let _ = self.poll_control(cx);
            self.write_answers(cx);
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when it is over.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.connection.lifecycle() == Lifecycle::Open {
            // Without a frame there is nothing to refuse.
            let _ = self.start_close(None);
        }
        while ready!(self.poll_item(cx)).is_some() {}
        Poll::Ready(())
    }

    /// Tells the sink of a failed write; the stream still delivers what arrived.
    fn write_failed(&mut self, error: io::Error, cx: &Context<'_>) -> Error {
        let told = io::Error::new(error.kind(), error.to_string());
        self.break_off(error, cx);
        Error::Io(told)
    }

    /// Looks for control frames on behalf of the sink side, and keeps the messages it meets, up to
    /// a bound. Ready when the connection is in another state than before.
    fn poll_control(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut kept = false;
        let mut reads = 0;
        let state = loop {
            match self.poll_understood(cx) {
                Poll::Ready(Understood::Item(item)) => {
                    if let Ok(message) = self.connection.take_message(item) {
                        let keep = self.kept.get_or_insert_default();
                        keep.bytes += size_of::<Message>() + message.len();
                        keep.messages.push_back(message);
                        kept = true;
                    }
                }
                Poll::Ready(Understood::Over) => break Poll::Ready(()),
                Poll::Pending => break Poll::Pending,
                Poll::Ready(Understood::Dry) => {
                    if self.kept.as_ref().is_some_and(|kept| kept.bytes >= KEPT) {
                        // Whoever waits here is woken by the transport's writing side.
                        break self.poll_clock(cx, false);
                    }
                    if reads == READS {
                        cx.waker().wake_by_ref();
                        break self.poll_clock(cx, false);
                    }
                    reads += 1;
                    if self.poll_input(cx).is_pending() {
                        break Poll::Pending;
                    }
                    self.dry = false;
                }
            }
        };
        if kept || state.is_ready() {
            // The stream side may wait for what was found here.
            cx.waker().wake_by_ref();
        }
        state
    }

    /// Writes everything that is queued, and flushes the transport.
    #[inline]
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.connection.is_flushed() {
            let (first, second) = self.connection.unsent();
            let io = Pin::new(&mut self.io);
            let written = if second.is_empty() {
                io.poll_write(cx, first)
            } else if first.is_empty() {
                io.poll_write(cx, second)
            } else if io.is_write_vectored() {
                let slices = [io::IoSlice::new(first), io::IoSlice::new(second)];
                io.poll_write_vectored(cx, &slices)
            } else {
                io.poll_write(cx, first)
            };
            match written {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.connection.advance(written);
                    self.unflushed = true;
                    self.stalled = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.stall();
                    return Poll::Pending;
                }
            }
        }
        if self.unflushed {
            let Poll::Ready(flushed) = Pin::new(&mut self.io).poll_flush(cx) else {
                // A transport that buffers takes what the peer does not.
                self.stall();
                return Poll::Pending;
            };
            flushed?;
            self.unflushed = false;
            self.stalled = None;
            self.count();
        }
        Poll::Ready(Ok(()))
    }

    /// Notes that a write or a flush makes no progress.
    fn stall(&mut self) {
        if self.stalled.is_none() {
            if let Some(timeout) = self.keepalive.timeout() {
                let now = platform::now();
                self.stalled = Some(now);
                self.wake_by(platform::later(now, timeout));
            }
        }
    }

    // The end.

    /// Goes the last steps: writes what is queued, shuts down, lingers. Ready when it is over.
    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let step = match self.connection.lifecycle() {
                Lifecycle::Ended => {
                    self.timer.disarm();
                    return Poll::Ready(());
                }
                Lifecycle::Flushing { .. } if self.connection.is_broken() => Poll::Ready(Ok(())),
                Lifecycle::Flushing { .. } => self.poll_write(cx),
                Lifecycle::ShuttingDown { .. } => {
                    Pin::new(&mut self.io).poll_shutdown(cx).map(|_| Ok(()))
                }
                _ => self.poll_discard(cx).map(Ok),
            };
            self.limit_leave();
            match step {
                Poll::Ready(Ok(())) => self.connection.step(),
                Poll::Ready(Err(error)) => self.connection.write_failed(error),
                Poll::Pending => {
                    if self.connection.lifecycle() != Lifecycle::Lingering {
                        // A peer that is stuck writing does not come to read.
                        let _ = self.poll_discard(cx);
                    }
                    ready!(self.poll_clock(cx, false));
                }
            }
        }
    }

    fn limit_leave(&mut self) {
        if self.connection.lifecycle() != Lifecycle::Ended {
            let faulty = self.connection.known_event().is_some_and(|event| !event.was_clean);
            let timeout = self.close_timeout;
            self.limit_close(if faulty { timeout.min(LINGER) } else { timeout });
        }
    }

    // The clock.

    /// Waits for the next deadline; ready when one has changed the connection.
    ///
    /// `silent` tells that a read has just found nothing.
    #[inline]
    fn poll_clock(&mut self, cx: &mut Context<'_>, silent: bool) -> Poll<()> {
        if self.timer.is_quiet(cx) {
            return Poll::Pending;
        }
        self.poll_timer(cx, silent)
    }

    #[cold]
    fn poll_timer(&mut self, cx: &mut Context<'_>, silent: bool) -> Poll<()> {
        if self.timer.deadline().is_none() {
            self.rearm();
        }
        while self.timer.poll(cx).is_ready() {
            let before = (self.connection.lifecycle(), self.connection.is_broken());
            self.strike(platform::now(), silent);
            self.rearm();
            if self.connection.lifecycle() == before.0 {
                self.write_answers(cx);
            }
            if (self.connection.lifecycle(), self.connection.is_broken()) != before {
                // The connection has something to say, whether or not more bytes come.
                self.dry = false;
                if self.connection.lifecycle() == Lifecycle::Ended
                    && before.0 != Lifecycle::Lingering
                {
                    // Out of time: the transport ends here as far as it can without a wait. One
                    // that lingers has been shut down.
                    let _ = Pin::new(&mut self.io).poll_shutdown(cx);
                }
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    /// What is due at `now`.
    fn strike(&mut self, now: Instant, silent: bool) {
        self.keepalive.tick(now);
        if self.busy {
            if self.activity <= BUSY {
                self.busy = false;
                self.connection.release();
            }
            self.activity = 0;
        }
        if self.close_by.is_some_and(|by| now >= by) {
            self.connection.expire();
            return;
        }
        if self.connection.lifecycle() != Lifecycle::Open {
            return;
        }
        if let (Some(stalled), Some(after)) = (self.stalled, self.keepalive.timeout()) {
            if now >= platform::later(stalled, after) {
                let what = "the peer did not take what was written to it";
                let error = Error::Timeout { what, after };
                self.connection.give_up(status::INTERNAL_SERVER_ERROR, error, platform::mask_key);
                self.connection.abandon();
                return;
            }
        }
        if !silent {
            self.keepalive.excuse(now);
            return;
        }
        match self.keepalive.check(now) {
            Verdict::Alive => {}
            Verdict::Ping => self.connection.ping(platform::mask_key),
            Verdict::Dead => {
                let after = self.keepalive.timeout().unwrap_or_default();
                let error = Error::Timeout { what: "the peer did not answer a ping", after };
                self.connection.give_up(status::INTERNAL_SERVER_ERROR, error, platform::mask_key);
            }
        }
    }

    fn note_pong(&mut self) {
        if self.connection.take_pong() {
            self.keepalive.ponged(platform::now());
        }
    }

    /// Sets the timer to the next deadline there is.
    fn rearm(&mut self) {
        let now = platform::now();
        let tick = self.busy.then(|| platform::later(now, TICK));
        // Once closing has begun, its own deadline is the only one of the peer's.
        let open = self.connection.lifecycle() == Lifecycle::Open;
        let stalled = match (self.stalled, self.keepalive.timeout()) {
            (Some(since), Some(timeout)) if open => Some(platform::later(since, timeout)),
            _ => None,
        };
        let keepalive = if open { self.keepalive.deadline() } else { None };
        let deadline = [self.close_by, stalled, tick, keepalive].into_iter().flatten().min();
        match deadline {
            Some(deadline) => self.timer.arm(deadline),
            None => self.timer.disarm(),
        }
    }
}
