//! Batch times: the grid on which batches are cut. Pure; the only reading of a clock is [`now_ms`].

use std::fmt;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time of a batch in milliseconds since the epoch; a multiple of the batch interval.
///
/// Displays as Spark's `Time` does: `1357008430000 ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchTime(u64);

impl BatchTime {
    /// The batch time `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }
}

impl fmt::Display for BatchTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// The distance of two batch times, at least a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval(NonZeroU64);

impl Interval {
    /// `None` for less than a millisecond (a finer part is cut off) and for more milliseconds than a `u64` holds.
    pub(crate) fn new(interval: Duration) -> Option<Self> {
        NonZeroU64::new(u64::try_from(interval.as_millis()).ok()?).map(Self)
    }

    pub(crate) fn millis(self) -> u64 {
        self.0.get()
    }

    /// The first batch time after `now_ms`, never `now_ms` itself (Spark's `RecurringTimer.getStartTime`).
    pub(crate) fn first_after(self, now_ms: u64) -> BatchTime {
        BatchTime((now_ms / self.0).saturating_add(1).saturating_mul(self.millis()))
    }

    /// The batch time that follows `time`.
    pub(crate) fn next(self, time: BatchTime) -> BatchTime {
        BatchTime(time.0.saturating_add(self.millis()))
    }
}

/// The system clock, in milliseconds since the epoch.
pub fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_batch_time_is_the_next_multiple_and_never_now() {
        let second = Interval::new(Duration::from_secs(1)).unwrap();
        let table = [(0, 1000), (1, 1000), (999, 1000), (1000, 2000), (1001, 2000)];
        for (now, first) in table {
            assert_eq!(second.first_after(now), BatchTime(first), "at {now}");
        }
        let odd = Interval::new(Duration::from_millis(700)).unwrap();
        assert_eq!(odd.first_after(1000), BatchTime(1400));
        assert_eq!(odd.next(BatchTime(1400)), BatchTime(2100));
    }

    #[test]
    fn an_interval_has_at_least_a_millisecond() {
        assert_eq!(Interval::new(Duration::ZERO), None);
        assert_eq!(Interval::new(Duration::from_micros(999)), None);
        assert_eq!(Interval::new(Duration::MAX), None);
        assert_eq!(Interval::new(Duration::from_micros(1999)).map(Interval::millis), Some(1));
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        let second = Interval::new(Duration::from_secs(1)).unwrap();
        assert_eq!(second.first_after(u64::MAX), BatchTime(u64::MAX));
        assert_eq!(second.next(BatchTime(u64::MAX)), BatchTime(u64::MAX));
    }
}
