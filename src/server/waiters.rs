//! Tasks that wait for a peer: for room in its queue, for emptiness, or for its end.

use std::task::{Context, Waker};

/// What a task waits for. It is woken when that is so, and not when something else is: a hook that
/// waits runs in the task that would wake it, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// There is room in the queue, or there will be none any more.
    Room,
    /// Everything has been handed to the transport, or will not be.
    Drained,
    /// The connection is over.
    Ended,
}

/// Tasks that wait, in the order of their tickets.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    waiting: Vec<Waiter>,
    /// The last ticket that was given out.
    last: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    event: Event,
    waker: Waker,
}

/// What a future that waits is known by; it has to [`leave`](Waiters::leave) when it is dropped,
/// lest those who gave up are held as long as the peer lives.
#[derive(Debug, Default)]
pub(super) struct Ticket(u64);

impl Ticket {
    /// Whether it may stand among those who wait.
    pub(super) const fn is_used(&self) -> bool {
        self.0 > 0
    }
}

impl Waiters {
    /// Has the task of `cx` woken, in place of the one that waited with this ticket before.
    pub(super) fn wait(&mut self, event: Event, ticket: &mut Ticket, cx: &Context<'_>) {
        let at = self.position(ticket);
        if let Some(waiter) = at.and_then(|at| self.waiting.get_mut(at)) {
            waiter.waker.clone_from(cx.waker());
            return;
        }
        self.last += 1;
        ticket.0 = self.last;
        self.waiting.push(Waiter { ticket: self.last, event, waker: cx.waker().clone() });
    }

    /// Nobody waits with this ticket any more; the waker is to be dropped behind the lock.
    pub(super) fn leave(&mut self, ticket: &Ticket) -> Option<Waker> {
        let at = self.position(ticket)?;
        Some(self.waiting.remove(at).waker)
    }

    /// Those who wait for what has happened, to be woken behind the lock: who is woken may run at
    /// once.
    pub(super) fn take(&mut self, has_happened: impl Fn(Event) -> bool) -> Woken {
        if !self.waiting.iter().any(|waiter| has_happened(waiter.event)) {
            return Woken(Vec::new());
        }
        let all = std::mem::take(&mut self.waiting).into_iter();
        let (woken, waiting) = all.partition(|waiter| has_happened(waiter.event));
        self.waiting = waiting;
        Woken(woken)
    }

    fn position(&self, ticket: &Ticket) -> Option<usize> {
        self.waiting.binary_search_by_key(&ticket.0, |waiter| waiter.ticket).ok()
    }
}

/// Tasks that are to be woken.
#[derive(Debug)]
#[must_use = "they wait"]
pub(super) struct Woken(Vec<Waiter>);

impl Woken {
    pub(super) fn wake(self) {
        self.0.into_iter().for_each(|waiter| waiter.waker.wake());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_twice_is_held_once_and_who_leaves_not_at_all() {
        let mut waiters = Waiters::default();
        let cx = Context::from_waker(Waker::noop());
        let mut tickets: [Ticket; 3] = Default::default();
        for _ in 0..2 {
            for ticket in &mut tickets {
                waiters.wait(Event::Room, ticket, &cx);
            }
        }
        assert_eq!(waiters.waiting.len(), 3);
        assert!(waiters.leave(&tickets[1]).is_some() && waiters.leave(&tickets[1]).is_none());
        assert_eq!(waiters.take(|_| true).0.len(), 2);
        assert!(waiters.waiting.is_empty() && waiters.leave(&tickets[0]).is_none());
        waiters.wait(Event::Room, &mut tickets[0], &cx);
        assert!(waiters.leave(&tickets[0]).is_some(), "a new ticket, found again");
    }

    #[test]
    fn who_waits_for_something_else_goes_on_waiting() {
        let mut waiters = Waiters::default();
        let cx = Context::from_waker(Waker::noop());
        let mut tickets: [Ticket; 3] = Default::default();
        for (event, ticket) in [Event::Ended, Event::Room, Event::Drained].iter().zip(&mut tickets)
        {
            waiters.wait(*event, ticket, &cx);
        }
        assert_eq!(waiters.take(|event| event == Event::Room).0.len(), 1);
        assert!(waiters.leave(&tickets[1]).is_none());
        assert!(waiters.leave(&tickets[0]).is_some() && waiters.leave(&tickets[2]).is_some());
    }
}
