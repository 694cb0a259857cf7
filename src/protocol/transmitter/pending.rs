//! Which control frames have not been written, on a connection that may never be quite flushed.

/// Counts bytes until a frame is out: those that are queued in front of it, and its own.
///
/// What is compressed on its way out, or waits behind a large frame, is counted as more than it
/// becomes, so that a frame may be out a little before it counts as such. In 32 bits, as each idle
/// connection has one: behind 4 GiB a frame counts as out too early.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Until the last ping is out.
    ping: u32,
    /// Pongs in the order they were accepted, in two groups: a group is done when its last one is
    /// out, and whatever comes meanwhile is of the other.
    pongs: [Pongs; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Pongs {
    /// Of how many bytes they are.
    bytes: u32,
    /// Until the last of them is out.
    until: u32,
}

impl Pending {
    /// A ping was accepted, the last of `queued` bytes.
    pub(super) fn push_ping(&mut self, queued: usize) {
        self.ping = narrow(queued);
    }

    /// A pong of so many bytes was accepted, the last of `queued` bytes.
    pub(super) fn push_pong(&mut self, bytes: usize, queued: usize) {
        let [first, second] = &mut self.pongs;
        let group = if first.bytes == 0 { first } else { second };
        *group = Pongs { bytes: group.bytes.saturating_add(narrow(bytes)), until: narrow(queued) };
    }

    /// So many bytes were written, or everything.
    pub(super) fn advance(&mut self, n: usize, all: bool) {
        if all {
            *self = Self::default();
            return;
        }
        let n = narrow(n);
        self.ping = self.ping.saturating_sub(n);
        for group in &mut self.pongs {
            group.until = group.until.saturating_sub(n);
        }
        while self.pongs[0].bytes != 0 && self.pongs[0].until == 0 {
            self.pongs = [self.pongs[1], Pongs::default()];
        }
    }

    /// Whether the last ping is unwritten.
    pub(super) fn has_ping(&self) -> bool {
        self.ping != 0
    }

    /// How many bytes of pongs are unwritten, at most.
    pub(super) fn pongs(&self) -> usize {
        self.pongs.iter().map(|group| group.bytes as usize).sum()
    }
}

fn narrow(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
