//! The ids that were used.

/// How many stretches of used ids are told apart.
const STRETCHES: usize = 1024;

/// The peer's ids that were used and are not to be used again.
///
/// The peer gives out 1, 3, 5 and so on, so that what was used is one stretch with few gaps. There may
/// be 1,024 stretches; then the lowest gap counts as used, too: memory does not grow with ids.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// First and last of each stretch, ascending, apart from each other. Counted 0, 1, 2.
    stretches: Vec<(u64, u64)>,
}

impl Used {
    pub(super) fn contains(&self, id: u64) -> bool {
        let n = id / 2;
        let after = self.stretches.partition_point(|&(first, _)| first <= n);
        after
            .checked_sub(1)
            .and_then(|at| self.stretches.get(at))
            .is_some_and(|&(_, last)| n <= last)
    }

    pub(super) fn insert(&mut self, id: u64) {
        if self.contains(id) {
            return;
        }
        let n = id / 2;
        let at = self.stretches.partition_point(|&(first, _)| first <= n);
        self.stretches.insert(at, (n, n));
        self.merge(at);
        if let Some(before) = at.checked_sub(1) {
            self.merge(before);
        }
        if self.stretches.len() > STRETCHES {
            let (first, _) = self.stretches.remove(0);
            if let Some(lowest) = self.stretches.first_mut() {
                lowest.0 = first;
            }
        }
    }

    /// Joins the stretch at `at` with the next, if they touch.
    fn merge(&mut self, at: usize) {
        let pair = (self.stretches.get(at), self.stretches.get(at + 1));
        let (Some(&(first, last)), Some(&(next, end))) = pair else { return };
        if last.checked_add(1) == Some(next) {
            self.stretches.remove(at);
            if let Some(stretch) = self.stretches.get_mut(at) {
                *stretch = (first, end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_that_follow_each_other_take_one_stretch() {
        let mut used = Used::default();
        for id in [5, 1, 7, 3, 9, 3] {
            used.insert(id);
        }
        assert_eq!(used.stretches, [(0, 4)]);
        assert!(used.contains(1) && used.contains(9) && !used.contains(11));
    }

    #[test]
    fn what_was_inserted_is_contained_and_nothing_else() {
        let mut used = Used::default();
        let mut model = BTreeSet::new();
        let mut seed = 1_u64;
        for _ in 0..2000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let id = (seed >> 40) % 700 * 2 + 1;
            assert_eq!(used.contains(id), model.contains(&id), "{id}");
            used.insert(id);
            model.insert(id);
        }
        let counted = used.stretches.iter().map(|(first, last)| last - first + 1).sum::<u64>();
        assert_eq!(counted, model.len() as u64);
    }

    #[test]
    fn memory_is_bounded_and_forgets_gaps_first() {
        let mut used = Used::default();
        for n in 0..100_000 {
            used.insert(4 * n + 1);
        }
        assert_eq!(used.stretches.len(), STRETCHES);
        assert!(used.contains(3), "an old gap counts as used");
        assert!(!used.contains(4 * 99_999 - 1), "a new one does not");
        used.insert(u64::MAX);
        assert!(used.contains(u64::MAX) && !used.contains(u64::MAX - 2));
    }
}
