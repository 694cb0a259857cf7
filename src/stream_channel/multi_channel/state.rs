//! What virtual channels share.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Sink;

use super::super::waiting::Waiting;
use super::Frame;
use super::used::Used;

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) buffer: usize,
    pub(super) pending: usize,
}

pub(super) struct State<C, T>
where
    C: Sink<Frame<T>>,
{
    pub(super) inner: Pin<Box<C>>,
    pub(super) phase: Phase,
    pub(super) limits: Limits,
    /// By the id of what they receive: odd if the peer opened it, even if this end did.
    pub(super) channels: BTreeMap<u64, Channel<T, C::Error>>,
    /// The odd ids that are over.
    pub(super) used: Used,
    /// The id of what the next channel sends that this end opens.
    next: u64,
    /// How many channels this end has that have not ended.
    pub(super) live: usize,
    /// How many channels nobody attached to.
    pub(super) pending: usize,
    /// What goes out next, with the channel that it is of.
    pub(super) outbox: VecDeque<(u64, Frame<T>)>,
    /// Whether an end was handed to the channel below and is to be flushed by whoever comes.
    pub(super) unflushed: bool,
    /// Channels that have much to read and may only be due to run.
    pub(super) behind: Vec<u64>,
    /// Whom to wake, and what to drop, when the lock is no longer held.
    pub(super) woken: Vec<(Arc<Waiting>, Half)>,
    pub(super) dropped: Vec<VecDeque<Result<T, C::Error>>>,
}

/// What the channel below is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// The last virtual channel was closed: so is this one.
    Closing,
    /// Its sink has failed; what it still receives is read.
    Failed,
    /// It has ended, or is closed.
    Over,
}

/// Which tasks of a virtual channel.
#[derive(Debug, Clone, Copy)]
pub(super) enum Half {
    Stream,
    Sink,
    Both,
}

/// A virtual channel.
pub(super) struct Channel<T, E> {
    /// The id of what it sends.
    pub(super) output: u64,
    /// Who has it; nobody yet, if the peer opened it.
    pub(super) waiting: Option<Arc<Waiting>>,
    /// What was received and not yet read.
    pub(super) queue: VecDeque<Result<T, E>>,
    /// Whether it is in `behind`, and how often others then still let its reader run.
    pub(super) behind: bool,
    pub(super) patience: usize,
    pub(super) end: End,
    /// How many of its frames are in the outbox: a message, and its end.
    pub(super) outgoing: usize,
    /// What the channel below said to a message that another task handed to it.
    pub(super) refused: Option<E>,
    /// A message that was accepted was thrown away, of which the sender is yet to be told.
    pub(super) lost: bool,
}

/// Whether a virtual channel is over, and so what its stream yields after what it has received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Open,
    /// First that its reader was too slow.
    Overflow,
    Ended,
}

impl<T, E> Channel<T, E> {
    pub(super) fn new(output: u64, waiting: Option<Arc<Waiting>>) -> Self {
        Self {
            output,
            waiting,
            queue: VecDeque::new(),
            behind: false,
            patience: 0,
            end: End::Open,
            outgoing: 0,
            refused: None,
            lost: false,
        }
    }

    /// Has its tasks woken.
    pub(super) fn wake(&self, half: Half, woken: &mut Vec<(Arc<Waiting>, Half)>) {
        if let Some(waiting) = &self.waiting {
            woken.push((Arc::clone(waiting), half));
        }
    }
}

impl<C: Sink<Frame<T>>, T> State<C, T> {
    pub(super) fn new(inner: C, limits: Limits) -> Self {
        Self {
            inner: Box::pin(inner),
            phase: Phase::Open,
            limits,
            channels: BTreeMap::new(),
            used: Used::default(),
            next: 1,
            live: 0,
            pending: 0,
            outbox: VecDeque::new(),
            unflushed: false,
            behind: Vec::new(),
            woken: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// The default channel.
    pub(super) fn main(&mut self, waiting: Arc<Waiting>) {
        self.insert(0, 0, waiting);
    }

    /// Opens a channel: the ids of what it receives and of what it sends.
    pub(super) fn open(&mut self, waiting: Arc<Waiting>) -> (u64, u64) {
        let output = self.next;
        self.next += 2;
        self.insert(output + 1, output, waiting);
        (output + 1, output)
    }

    /// Attaches to a channel that the peer opened: the id of what it sends.
    pub(super) fn attach(&mut self, id: u64, waiting: Arc<Waiting>) -> Option<u64> {
        let output = id.checked_add(1)?;
        if id % 2 == 0 || self.used.contains(id) {
            return None;
        }
        let Some(channel) = self.channels.get_mut(&id) else {
            self.insert(id, output, waiting);
            return Some(output);
        };
        if channel.waiting.is_some() {
            return None;
        }
        channel.waiting = Some(waiting);
        self.pending -= 1;
        match (channel.end, self.phase) {
            (End::Open, Phase::Open | Phase::Failed) => self.live += 1,
            (End::Open, Phase::Closing | Phase::Over) => channel.end = End::Ended,
            (End::Overflow | End::Ended, _) => {}
        }
        Some(output)
    }

    fn insert(&mut self, input: u64, output: u64, waiting: Arc<Waiting>) {
        let mut channel = Channel::new(output, Some(waiting));
        if matches!(self.phase, Phase::Open | Phase::Failed) {
            self.live += 1;
        } else {
            channel.end = End::Ended;
        }
        self.channels.insert(input, channel);
    }

    /// Ends a channel and tells the peer; what it has received can be read.
    pub(super) fn end(&mut self, input: u64, end: End) {
        let Some(channel) = self.channels.get_mut(&input) else { return };
        if channel.end != End::Open {
            return;
        }
        channel.end = end;
        if matches!(self.phase, Phase::Open | Phase::Closing) {
            channel.outgoing += 1;
            self.outbox.push_back((input, Frame::Close { id: channel.output }));
        }
        if channel.waiting.is_some() {
            channel.wake(Half::Both, &mut self.woken);
            self.live -= 1;
            if self.live == 0 && self.phase == Phase::Open {
                self.phase = Phase::Closing;
            }
        }
    }

    /// This end closes a channel: nothing more is read.
    pub(super) fn close(&mut self, input: u64) {
        self.end(input, End::Ended);
        if let Some(channel) = self.channels.get_mut(&input) {
            channel.end = End::Ended;
            if !channel.queue.is_empty() {
                self.dropped.push(std::mem::take(&mut channel.queue));
            }
        }
    }

    /// Nobody has the channel any more.
    pub(super) fn drop_channel(&mut self, input: u64, cx: &mut Context<'_>) {
        self.close(input);
        self.forget(input);
        self.drive(cx);
    }

    /// Sends what goes out, and closes the channel below if it is to be closed, as far as that needs no
    /// waiting. The rest is done by whoever is next.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if self.outbox.is_empty() && !self.unflushed && self.phase != Phase::Closing {
            return;
        }
        if let Poll::Ready(Ok(())) = self.poll_out(None, cx) {
            // A channel that fails says so to whoever uses it next.
            let _ = match self.phase {
                Phase::Closing => self.poll_inner_close(cx),
                Phase::Open => self.poll_inner_flush(cx),
                Phase::Failed | Phase::Over => return,
            };
        }
    }

    /// Removes a channel that is over.
    pub(super) fn forget(&mut self, input: u64) {
        if let Some(channel) = self.channels.remove(&input) {
            self.dropped.push(channel.queue);
            if channel.waiting.is_none() {
                self.pending -= 1;
            }
            if input % 2 == 1 {
                self.used.insert(input);
            }
        }
    }

    /// The channel below is over: so are those over it.
    pub(super) fn end_all(&mut self) {
        self.phase = Phase::Over;
        self.live = 0;
        self.discard_outbox();
        for channel in self.channels.values_mut() {
            if channel.end == End::Open {
                channel.end = End::Ended;
            }
        }
    }

    /// What was to go out cannot.
    pub(super) fn discard_outbox(&mut self) {
        for (input, frame) in self.outbox.drain(..) {
            if let Frame::Message { message, .. } = frame {
                self.dropped.push([Ok(message)].into());
                if let Some(sender) = self.channels.get_mut(&input) {
                    sender.lost = true;
                }
            }
        }
        for channel in self.channels.values_mut() {
            channel.outgoing = 0;
            channel.wake(Half::Both, &mut self.woken);
        }
    }
}
