//! Bytes that wait to be written: a buffer that goes round, so that none of them is ever moved to
//! make room.

/// By how much the buffer grows at most, beyond what is needed.
const STEP: usize = 64 << 10;

/// Bytes that wait to be written, in one or two runs: `buffer[written..end]`, or
/// `buffer[written..turn]` and then `buffer[..end]`.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Initialised throughout, so that payloads are masked on the way into it; it is cleared once,
    /// when it grows.
    buffer: Vec<u8>,
    written: usize,
    end: usize,
    /// Where the first of two runs ends; 0 if there is one run.
    turn: usize,
}

impl Queue {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.turn + self.end - self.written
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for `n` bytes behind those that wait; the first `used` of them wait from now on. The
    /// others stand there as they are when room for no more than them is asked for next.
    #[inline]
    pub(super) fn push(&mut self, n: usize, used: usize) -> &mut [u8] {
        let limit = if self.turn == 0 { self.buffer.len() } else { self.written };
        if limit - self.end < n {
            self.grow(n);
        }
        let room = &mut self.buffer[self.end..][..n];
        self.end += used;
        room
    }

    /// Makes room for `n` bytes: at the front, if they fit into what has been written, else by a
    /// larger buffer.
    #[cold]
    fn grow(&mut self, n: usize) {
        if self.turn == 0 && self.written >= n {
            self.turn = self.end;
            self.end = 0;
            return;
        }
        let length = (self.len() + n).max(self.buffer.len() + self.buffer.len().min(STEP));
        if self.written == 0 && self.turn == 0 {
            self.buffer.resize(length, 0);
            return;
        }
        let (first, second) = self.runs();
        let mut buffer = Vec::with_capacity(length);
        buffer.extend_from_slice(first);
        buffer.extend_from_slice(second);
        self.end = buffer.len();
        self.written = 0;
        self.turn = 0;
        buffer.resize(length, 0);
        self.buffer = buffer;
    }

    /// What waits, if it is in one run.
    #[inline]
    pub(super) fn one_run(&self) -> Option<&[u8]> {
        if self.turn == 0 { self.buffer.get(self.written..self.end) } else { None }
    }

    /// What waits; the second run is empty if there is one.
    #[inline]
    pub(super) fn runs(&self) -> (&[u8], &[u8]) {
        if self.turn == 0 {
            (&self.buffer[self.written..self.end], &[])
        } else {
            (&self.buffer[self.written..self.turn], &self.buffer[..self.end])
        }
    }

    /// Drops all bytes if they are not more than `n`, and tells whether they were.
    #[inline]
    pub(super) fn finish(&mut self, n: usize) -> bool {
        let all = n >= self.len();
        if all {
            self.written = 0;
            self.end = 0;
            self.turn = 0;
        }
        all
    }

    /// Drops the first `n` bytes, or as many as there are, and tells how many that were.
    #[inline]
    pub(super) fn advance(&mut self, n: usize) -> usize {
        let length = self.len();
        if self.finish(n) {
            return length;
        }
        self.written += n;
        if self.turn != 0 && self.written >= self.turn {
            self.written -= self.turn;
            self.turn = 0;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What waits, as one run.
    fn all(queue: &Queue) -> Vec<u8> {
        let (first, second) = queue.runs();
        [first, second].concat()
    }

    #[test]
    fn bytes_come_out_as_they_went_in_however_much_is_taken_at_a_time() {
        for (piece, taken) in [(10, 10), (10, 7), (7, 10), (100, 99), (3, 1), (33, 32)] {
            let mut queue = Queue::default();
            let (mut next, mut expected) = (0_u8, 0_u8);
            for _ in 0..500 {
                for place in &mut queue.push(piece + 8, piece)[..piece] {
                    *place = next;
                    next = next.wrapping_add(1);
                }
                let waiting = all(&queue);
                assert_eq!(waiting.len(), queue.len());
                for byte in &waiting {
                    assert_eq!(*byte, expected, "{piece} {taken}");
                    expected = expected.wrapping_add(1);
                }
                let went = queue.advance(taken);
                assert_eq!(went, taken.min(waiting.len()));
                expected = waiting.get(went).copied().unwrap_or(next);
            }
        }
    }

    #[test]
    fn a_queue_that_is_drained_as_fast_as_it_is_filled_does_not_grow() {
        let mut queue = Queue::default();
        queue.push(1000, 1000);
        for _ in 0..100 {
            queue.advance(100);
            queue.push(100, 100);
        }
        assert_eq!(queue.len(), 1000);
        assert!(queue.buffer.len() <= 2200, "{}", queue.buffer.len());
    }

    #[test]
    fn an_empty_queue_begins_at_the_front_again() {
        let mut queue = Queue::default();
        for _ in 0..10 {
            queue.push(8, 8);
            assert_eq!(queue.advance(usize::MAX), 8);
            assert!(queue.is_empty());
        }
        assert_eq!(queue.buffer.len(), 8);
    }
}
