use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long calls of one kind took, until somebody takes it to report it. Any thread may add, one takes.
#[derive(Debug, Default)]
pub struct CallTimes(Mutex<Times>);

/// Some calls of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// How many there were.
    pub calls: u64,
    /// How many of them failed.
    pub failures: u64,
    /// How long all took, in milliseconds.
    pub sum_ms: f64,
    /// How long the shortest took; 0 without a call.
    pub shortest_ms: f64,
    /// How long the longest took; 0 without a call.
    pub longest_ms: f64,
}

impl CallTimes {
    /// A call has ended.
    pub fn add(&self, took: Duration, has_failed: bool) {
        let ms = took.as_secs_f64() * 1000.0;
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.shortest_ms = if times.calls == 0 { ms } else { times.shortest_ms.min(ms) };
        times.longest_ms = times.longest_ms.max(ms);
        times.calls += 1;
        times.failures += u64::from(has_failed);
        times.sum_ms += ms;
    }

    /// The calls that have ended since this was asked last.
    pub fn take(&self) -> Times {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_once_with_the_shortest_and_the_longest() {
        let times = CallTimes::default();
        assert_eq!(times.take(), Times::default());
        for (ms, has_failed) in [(4, false), (2, true), (6, false)] {
            times.add(Duration::from_millis(ms), has_failed);
        }
        let expected = Times { calls: 3, failures: 1, sum_ms: 12.0, shortest_ms: 2.0, longest_ms: 6.0 };
        assert_eq!(times.take(), expected);
        times.add(Duration::from_millis(3), false);
        let expected = Times { calls: 1, failures: 0, sum_ms: 3.0, shortest_ms: 3.0, longest_ms: 3.0 };
        assert_eq!(times.take(), expected);
    }
}
