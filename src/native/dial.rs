//! From a host and a port to a TCP connection, the happy-eyeballs way (RFC 8305).

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an attempt has the field for itself (RFC 8305 §5, "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);

/// How many failed addresses an error names.
const NAMED: usize = 4;

/// The addresses of `host`, in the order to try them.
pub(super) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no addresses"));
    }
    Ok(interleave(addresses))
}

/// Connects to the first of `addresses` that answers.
///
/// Dropping the future closes every socket it has opened.
pub(super) async fn connect(addresses: Vec<SocketAddr>) -> Result<TcpStream, DialError> {
    race(addresses, |address| async move {
        let stream = TcpStream::connect(address).await?;
        // A channel batches by itself; Nagle's algorithm would hold back the end of each message.
        stream.set_nodelay(true)?;
        Ok(stream)
    })
    .await
}

/// Alternates between the address families, beginning with the one the resolver prefers.
///
/// RFC 8305 §4: the resolver has sorted by RFC 6724 already, which puts IPv6 first where this
/// machine can use it.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let count = addresses.len();
    let (mut preferred, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let mut order = Vec::with_capacity(count);
    while order.len() < count {
        order.extend(preferred.pop_front());
        order.extend(other.pop_front());
    }
    order
}

/// The first success of `dial` over `addresses`, each started when the one before it has failed or
/// has had its head start. Losers are dropped.
async fn race<T, F>(
    addresses: Vec<SocketAddr>,
    dial: impl Fn(SocketAddr) -> F,
) -> Result<T, DialError>
where
    F: Future<Output = io::Result<T>>,
{
    let mut failures = Vec::new();
    let mut attempts = FuturesUnordered::new();
    let mut waiting = addresses.into_iter();
    loop {
        if let Some(address) = waiting.next() {
            let attempt = dial(address);
            attempts.push(async move { (address, attempt.await) });
        }
        let ended = if waiting.len() == 0 {
            attempts.next().await
        } else {
            match timeout(HEAD_START, attempts.next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        };
        match ended {
            Some((_, Ok(connected))) => return Ok(connected),
            Some((address, Err(error))) => failures.push((address, error)),
            None => return Err(DialError { failures }),
        }
    }
}

/// None of a host's addresses took a connection.
#[derive(Debug)]
pub(super) struct DialError {
    failures: Vec<(SocketAddr, io::Error)>,
}

impl DialError {
    /// The kind all attempts failed with, or that they differ.
    fn kind(&self) -> io::ErrorKind {
        let mut kinds = self.failures.iter().map(|(_, error)| error.kind());
        let first = kinds.next().unwrap_or(io::ErrorKind::NotFound);
        if kinds.all(|kind| kind == first) { first } else { io::ErrorKind::Other }
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (address, error)) in self.failures.iter().take(NAMED).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{address}: {error}")?;
        }
        match self.failures.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, ", and {more} more addresses"),
        }
    }
}

impl std::error::Error for DialError {}

impl From<DialError> for io::Error {
    fn from(error: DialError) -> Self {
        Self::new(error.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::pending;

    use tokio::time::{Instant, sleep};

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().copied().map(address).collect()
    }

    fn refused() -> io::Error {
        io::ErrorKind::ConnectionRefused.into()
    }

    #[test]
    fn families_alternate_beginning_with_the_resolvers_choice() {
        let resolved = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1", "127.0.0.2:1"]);
        let order = addresses(&["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"]);
        assert_eq!(interleave(resolved), order);

        let resolved = addresses(&["127.0.0.1:1", "[::1]:1", "[::2]:1"]);
        assert_eq!(interleave(resolved.clone()), resolved);
        assert_eq!(interleave(Vec::new()), Vec::new());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_delays_the_next_by_its_head_start() {
        let began = Instant::now();
        let winner = race(addresses(&["[::1]:1", "127.0.0.1:1"]), |address| async move {
            if address.is_ipv6() { pending().await } else { Ok(address) }
        });
        assert_eq!(winner.await.expect("the second one"), address("127.0.0.1:1"));
        assert_eq!(began.elapsed(), HEAD_START);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_starts_the_next_address_at_once() {
        let began = Instant::now();
        let winner = race(addresses(&["[::1]:1", "127.0.0.1:1"]), |address| async move {
            if address.is_ipv6() { Err(refused()) } else { Ok(address) }
        });
        assert_eq!(winner.await.expect("the second one"), address("127.0.0.1:1"));
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_address_may_still_win() {
        let began = Instant::now();
        let winner = race(addresses(&["[::1]:1", "127.0.0.1:1"]), |address| async move {
            let delay = if address.is_ipv6() { 300 } else { 200 };
            sleep(Duration::from_millis(delay)).await;
            Ok(address)
        });
        assert_eq!(winner.await.expect("the first one"), address("[::1]:1"));
        assert_eq!(began.elapsed(), Duration::from_millis(300));
    }

    #[tokio::test(start_paused = true)]
    async fn losers_are_dropped_with_the_race() {
        struct Socket<'a>(SocketAddr, &'a RefCell<Vec<SocketAddr>>);
        impl Drop for Socket<'_> {
            fn drop(&mut self) {
                self.1.borrow_mut().push(self.0);
            }
        }

        let closed = RefCell::new(Vec::new());
        let winner = race(addresses(&["[::1]:1", "127.0.0.1:1"]), |address| {
            let socket = Socket(address, &closed);
            async move { if address.is_ipv6() { pending().await } else { Ok(socket) } }
        })
        .await
        .expect("the second one");
        assert_eq!(*closed.borrow(), addresses(&["[::1]:1"]));
        drop(winner);
    }

    #[tokio::test]
    async fn an_error_names_every_address_up_to_a_bound() {
        let few = addresses(&["[::1]:9", "127.0.0.1:9"]);
        let error = race(few, |_| async { Err::<(), _>(refused()) }).await.expect_err("refused");
        assert_eq!(
            error.to_string(),
            "[::1]:9: connection refused, 127.0.0.1:9: connection refused"
        );
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionRefused);

        let many = (1..=9).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        let error = race(many, |_| async { Err::<(), _>(refused()) }).await.expect_err("refused");
        assert!(error.to_string().ends_with(", and 5 more addresses"), "{error}");
    }
}
