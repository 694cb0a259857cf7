//! What a client has of a room, without a gap and nothing twice.

use std::collections::BTreeMap;

use crate::protocol::Said;

/// What a client has of a room: puts what arrives into its order.
///
/// Messages are numbered without a gap in each room. One that is not the next waits until the
/// history before it has come.
#[derive(Debug, Default)]
pub struct Follower {
    /// The last message that was shown; `None` before the first page.
    last: Option<i64>,
    early: BTreeMap<i64, Said>,
    /// A page has been asked for.
    asked: bool,
}

/// What has become known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The messages that come next, in their order.
    pub show: Vec<Said>,
    /// After which message a page is to be asked for.
    pub ask_after: Option<i64>,
}

impl Follower {
    /// The last message that was shown.
    pub fn last(&self) -> Option<i64> {
        self.last
    }

    /// A connection was made, on which nothing has been asked for but a page after the last
    /// message.
    pub fn reconnected(&mut self) {
        self.asked = true;
        self.early.clear();
    }

    /// A message came by itself.
    pub fn message(&mut self, said: Said) -> Step {
        match self.last {
            Some(last) if said.seq <= last => Step::default(),
            _ => {
                self.early.insert(said.seq, said);
                self.go_on(Vec::new())
            }
        }
    }

    /// A page came: the latest, or the one `after` a message; with `more` if it was not the last.
    pub fn page(&mut self, after: Option<i64>, messages: Vec<Said>, more: bool) -> Step {
        self.asked = false;
        let last = self.last.unwrap_or(0);
        let show: Vec<_> = messages.into_iter().filter(|said| said.seq > last).collect();
        self.last = Some(show.last().map_or(last, |said| said.seq));
        let mut step = self.go_on(show);
        // The latest page has older ones before it, which nobody waits for.
        if more && after.is_some() && step.ask_after.is_none() {
            self.asked = true;
            step.ask_after = self.last;
        }
        step
    }

    fn go_on(&mut self, mut show: Vec<Said>) -> Step {
        let Some(mut last) = self.last else { return Step { show, ask_after: None } };
        while let Some(said) = self.early.remove(&(last + 1)) {
            last += 1;
            show.push(said);
        }
        self.early = self.early.split_off(&(last + 1));
        self.last = Some(last);
        let ask_after = (!self.early.is_empty() && !self.asked).then_some(last);
        self.asked |= ask_after.is_some();
        Step { show, ask_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seq: i64) -> Said {
        Said { seq, id: seq.to_string(), nick: "Ann".into(), text: "hi".into(), at: 0 }
    }

    fn page(range: std::ops::RangeInclusive<i64>) -> Vec<Said> {
        range.map(said).collect()
    }

    fn shown(step: &Step) -> Vec<i64> {
        step.show.iter().map(|said| said.seq).collect()
    }

    #[test]
    fn what_comes_before_the_first_page_waits_for_it() {
        let mut follower = Follower::default();
        follower.reconnected();
        assert_eq!(follower.message(said(8)), Step::default());
        let step = follower.page(None, page(5..=7), true);
        assert_eq!((shown(&step), step.ask_after), (vec![5, 6, 7, 8], None));
    }

    #[test]
    fn what_is_in_both_is_shown_once() {
        let mut follower = Follower::default();
        follower.reconnected();
        follower.message(said(3));
        assert_eq!(shown(&follower.page(None, page(1..=3), false)), [1, 2, 3]);
        assert_eq!(follower.message(said(2)), Step::default());
        assert_eq!(shown(&follower.message(said(4))), [4]);
    }

    #[test]
    fn a_gap_is_asked_for_once_and_filled() {
        let mut follower = Follower::default();
        follower.reconnected();
        follower.page(None, page(1..=2), false);
        assert_eq!(follower.message(said(5)).ask_after, Some(2));
        assert_eq!(follower.message(said(6)), Step::default());
        let step = follower.page(Some(2), page(3..=5), false);
        assert_eq!((shown(&step), step.ask_after), (vec![3, 4, 5, 6], None));
    }

    #[test]
    fn after_a_long_absence_page_follows_page() {
        let mut follower = Follower::default();
        follower.reconnected();
        follower.page(None, page(1..=2), false);
        follower.reconnected();
        let step = follower.page(Some(2), page(3..=52), true);
        assert_eq!((shown(&step).len(), step.ask_after), (50, Some(52)));
        assert_eq!(follower.message(said(54)), Step::default());
        let step = follower.page(Some(52), page(53..=53), false);
        assert_eq!((shown(&step), step.ask_after), (vec![53, 54], None));
    }
}
