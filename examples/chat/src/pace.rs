//! How fast a connection may ask.

use std::time::Duration;

use tokio::time::Instant;

/// A bucket of permits that fills by itself: a burst at once, and then so many a second.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    burst: u32,
    /// When the bucket is, or was, full.
    full: Instant,
}

impl Pace {
    /// A full bucket of `burst` permits, one more of which comes `every` so often.
    pub fn new(burst: u32, every: Duration) -> Self {
        Self { every, burst, full: Instant::now() }
    }

    /// Takes a permit.
    ///
    /// # Errors
    ///
    /// How long to wait for one.
    pub fn take(&mut self) -> Result<(), Duration> {
        let now = Instant::now();
        let full = self.full.max(now) + self.every;
        let latest = now + self.every * self.burst;
        if full > latest {
            return Err(full - latest);
        }
        self.full = full;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_millis(200);

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_one_each_interval() {
        let mut pace = Pace::new(3, EVERY);
        for _ in 0..3 {
            assert_eq!(pace.take(), Ok(()));
        }
        assert_eq!(pace.take(), Err(EVERY));
        tokio::time::advance(EVERY / 2).await;
        assert_eq!(pace.take(), Err(EVERY / 2));
        tokio::time::advance(EVERY / 2).await;
        assert_eq!(pace.take(), Ok(()));
        assert_eq!(pace.take(), Err(EVERY));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_earns_one_burst_and_no_more() {
        let mut pace = Pace::new(3, EVERY);
        assert_eq!(pace.take(), Ok(()));
        tokio::time::advance(EVERY * 1000).await;
        for _ in 0..3 {
            assert_eq!(pace.take(), Ok(()));
        }
        assert!(pace.take().is_err());
    }
}
