use super::*;

/// A task of another thread may look between the driver's taking a message and its sleep.
#[test]
fn what_the_driver_has_taken_still_waits() {
    let outbox = Outbox::default();
    let cx = Context::from_waker(Waker::noop());
    let mut ticket = Ticket::default();
    for text in ["hello", ""] {
        assert!(matches!(outbox.push(Outgoing::One(text.into()), 100), Push::Queued));
        assert!(outbox.pop().is_some());
        assert_eq!(outbox.buffered_amount(), text.len());
        assert!(outbox.is_drained(&mut ticket, &cx).is_none());
        assert!(outbox.sleep(&cx, false, 0, 100));
        assert!(matches!(outbox.is_drained(&mut ticket, &cx), Some(Drained::Empty)));
    }
}
