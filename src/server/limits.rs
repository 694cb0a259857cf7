//! Who is let in.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::protocol::CloseFrame;
use crate::server::ServerOptions;
use crate::server::counters::RefusedFor;
use crate::server::hub::Hub;

/// Counts who is in, and lets nobody in once the server shuts down.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    /// A shutdown has begun, or the last one has left.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    inside: usize,
    addresses: HashMap<IpAddr, usize>,
    closing: Option<CloseFrame>,
    /// The shutdown is over, whoever is inside still.
    is_over: bool,
}

/// A place of one connection; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Permit {
    hub: Hub,
    address: Option<IpAddr>,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shuts; the first frame stays.
    pub(super) fn shut(&self, frame: CloseFrame) {
        self.lock().closing.get_or_insert(frame);
        self.changed.notify_waiters();
    }

    /// How peers are closed, once it is shut.
    pub(super) fn closing_frame(&self) -> Option<CloseFrame> {
        self.lock().closing.clone()
    }

    /// Waits until it is shut.
    pub(super) async fn closing(&self) {
        self.wait_for(|state| state.closing.is_some()).await;
    }

    /// Waits until nobody is inside.
    pub(super) async fn empty(&self) {
        self.wait_for(|state| state.inside == 0).await;
    }

    /// Notes that a shutdown is over.
    pub(super) fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_waiters();
    }

    /// Waits until a shutdown is over.
    pub(super) async fn over(&self) {
        self.wait_for(|state| state.is_over || (state.closing.is_some() && state.inside == 0))
            .await;
    }

    async fn wait_for(&self, is_so: impl Fn(&State) -> bool) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if is_so(&self.lock()) {
                return;
            }
            changed.await;
        }
    }
}

impl Permit {
    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    pub(super) fn take(hub: &Hub, address: Option<SocketAddr>) -> Result<Self, RefusedFor> {
        let options: &ServerOptions = hub.options();
        let mut state = hub.gate().lock();
        if state.closing.is_some() {
            return Err(RefusedFor::Shutdown);
        }
        if state.inside >= options.max_peers {
            return Err(RefusedFor::MaxPeers);
        }
        let limit = options.max_peers_per_address;
        let address = limit.and(address).map(|address| customer(address.ip()));
        if let (Some(address), Some(limit)) = (address, limit) {
            if state.addresses.get(&address).copied().unwrap_or_default() >= limit {
                return Err(RefusedFor::MaxPeersPerAddress);
            }
            *state.addresses.entry(address).or_default() += 1;
        }
        state.inside += 1;
        drop(state);
        Ok(Self { hub: hub.clone(), address })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let gate = self.hub.gate();
        let mut state = gate.lock();
        state.inside -= 1;
        if let Some(address) = self.address {
            if let Some(count) = state.addresses.get_mut(&address) {
                *count -= 1;
                if *count == 0 {
                    state.addresses.remove(&address);
                }
            }
        }
        let is_last = state.inside == 0;
        drop(state);
        if is_last {
            gate.changed.notify_waiters();
        }
    }
}

/// An IPv6 customer has at least a /64, and may take any address of it.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_customer_is_its_64_bits_and_a_mapped_address_is_ipv4() {
        let of = |text: &str| customer(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
    }
}
