//! Keepalive by a clock that is moved by hand.

use std::time::Duration;

use crate::platform::{self, Instant};
use crate::protocol::keepalive::{Keepalive, Verdict};

const INTERVAL: Duration = Duration::from_secs(20);
const TIMEOUT: Duration = Duration::from_secs(10);

fn start() -> (Keepalive, Instant) {
    let now = platform::now();
    (Keepalive::new(Some((INTERVAL, TIMEOUT)), now), now)
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_ping_is_due_after_the_interval_of_silence_and_not_before() {
    let (mut keepalive, start) = start();
    assert_eq!(keepalive.deadline(), Some(start + INTERVAL));
    let just_before = start + INTERVAL - Duration::from_millis(1);
    assert_eq!(keepalive.check(just_before), Verdict::Alive);
    assert_eq!(keepalive.check(start + INTERVAL), Verdict::Ping);
    assert_eq!(keepalive.deadline(), Some(start + INTERVAL + TIMEOUT));
}

#[test]
fn a_peer_is_dead_when_nothing_came_within_the_timeout_of_a_ping() {
    let (mut keepalive, start) = start();
    let asked = start + INTERVAL;
    assert_eq!(keepalive.check(asked), Verdict::Ping);
    assert_eq!(keepalive.check(asked + TIMEOUT - Duration::from_millis(1)), Verdict::Alive);
    assert_eq!(keepalive.check(asked + TIMEOUT), Verdict::Dead);
}

#[test]
fn any_byte_is_a_sign_of_life() {
    let (mut keepalive, start) = start();
    assert_eq!(keepalive.check(start + seconds(20)), Verdict::Ping);
    keepalive.heard(|| start + seconds(29));
    assert_eq!(keepalive.check(start + seconds(30)), Verdict::Alive);
    assert_eq!(keepalive.deadline(), Some(start + seconds(49)));
    assert_eq!(keepalive.check(start + seconds(49)), Verdict::Ping);
    assert_eq!(keepalive.latency(), None, "a byte is no pong");
}

#[test]
fn bytes_that_keep_coming_keep_the_ping_away() {
    let (mut keepalive, start) = start();
    for n in 1..100 {
        keepalive.heard(|| start + seconds(n * 19));
        keepalive.tick(start + seconds(n * 19));
        assert_eq!(keepalive.check(start + seconds(n * 19)), Verdict::Alive);
        assert_eq!(keepalive.deadline(), Some(start + seconds(n * 19 + 20)));
    }
}

#[test]
fn a_pong_measures_the_latency() {
    let (mut keepalive, start) = start();
    keepalive.ponged(start);
    assert_eq!(keepalive.latency(), None, "it was not asked for");
    keepalive.check(start + INTERVAL);
    let came = start + INTERVAL + Duration::from_millis(30);
    keepalive.heard(|| came);
    keepalive.ponged(came);
    assert_eq!(keepalive.latency(), Some(Duration::from_millis(30)));
}

/// Reads beyond the exact ones count as of the next tick: never as less silence than there was
/// between two ticks, and never as more.
#[test]
fn many_reads_count_at_the_latest_at_the_next_tick() {
    let (mut keepalive, start) = start();
    for _ in 0..1000 {
        keepalive.heard(|| start + seconds(1));
    }
    keepalive.tick(start + seconds(5));
    assert_eq!(keepalive.deadline(), Some(start + seconds(25)));
    keepalive.tick(start + seconds(10));
    assert_eq!(keepalive.deadline(), Some(start + seconds(25)), "nothing came since");
}

#[test]
fn time_in_which_nobody_read_does_not_count() {
    let (mut keepalive, start) = start();
    assert_eq!(keepalive.check(start + seconds(20)), Verdict::Ping);
    keepalive.excuse(start + seconds(100));
    assert_eq!(keepalive.check(start + seconds(101)), Verdict::Alive);
    assert_eq!(keepalive.check(start + seconds(120)), Verdict::Ping);
}

#[test]
fn turned_off_it_never_asks() {
    let now = platform::now();
    let mut keepalive = Keepalive::new(None, now);
    assert_eq!(keepalive.deadline(), None);
    assert_eq!(keepalive.timeout(), None);
    assert_eq!(keepalive.check(now + seconds(1_000_000)), Verdict::Alive);
}
