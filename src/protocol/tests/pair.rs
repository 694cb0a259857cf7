//! Two ends, and bytes carried between them by hand.

use super::*;

/// A client and a server.
pub(super) struct Pair {
    pub(super) client: End,
    pub(super) server: End,
}

impl Pair {
    pub(super) fn new(limit: usize) -> Self {
        let end = |role| End::with_limit(role, limit);
        Self { client: end(Role::Client), server: end(Role::Server) }
    }

    /// The end of this role.
    pub(super) fn end(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// The end of the other role.
    pub(super) fn other(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.server,
            Role::Server => &mut self.client,
        }
    }

    /// Carries bytes in turn, at most `step` at a time, until neither end has any.
    pub(super) fn carry(&mut self, step: usize) {
        loop {
            let there = carry(&mut self.client, &mut self.server, step);
            let back = carry(&mut self.server, &mut self.client, step);
            if !there && !back {
                return;
            }
        }
    }
}

fn carry(from: &mut End, to: &mut End, step: usize) -> bool {
    if from.connection.is_flushed() {
        return false;
    }
    for _ in 0..3 {
        // As before writes that have to wait.
        from.connection.unsent();
    }
    let (first, second) = from.connection.unsent();
    let bytes: Vec<u8> = first.iter().chain(second).copied().take(step).collect();
    from.connection.advance(bytes.len());
    to.read(&bytes);
    true
}
