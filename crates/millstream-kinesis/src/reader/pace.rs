use std::time::Duration;

use tokio::time::Instant;

use super::PollOptions;
use crate::backoff;

/// After the first failure. A shard whose 10 MiB answer used up its budget refuses reads for 5 s.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Decides when the next read may start. Knows no clock: it is told the times.
#[derive(Debug)]
pub(super) struct Pace {
    min_interval: Duration,
    idle_interval: Duration,
    max_failures: u32,
    failures: u32,
    next: Instant,
}

impl Pace {
    pub(super) fn new(options: &PollOptions, now: Instant) -> Self {
        Pace {
            min_interval: options.min_interval,
            idle_interval: options.idle_interval.max(options.min_interval),
            max_failures: options.max_failures,
            failures: 0,
            next: now,
        }
    }

    /// Not before this time may the next call start.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// A read begins. It counts even if it is cancelled before its answer comes.
    pub(super) fn started(&mut self, now: Instant) {
        self.next = now + self.min_interval;
    }

    /// A read that began at `started` has succeeded; `behind`: there is more to read.
    pub(super) fn succeeded(&mut self, started: Instant, behind: bool) {
        self.failures = 0;
        self.next = started + if behind { self.min_interval } else { self.idle_interval };
    }

    /// A call has failed. Returns the wait before the next one, or none after too many failures in a row.
    pub(super) fn failed(&mut self, now: Instant) -> Option<Duration> {
        self.failures += 1;
        if self.failures >= self.max_failures {
            return None;
        }
        let delay = backoff::delay(self.failures, FIRST_BACKOFF, MAX_BACKOFF);
        let delay = delay.max(self.min_interval);
        self.next = now + delay;
        Some(delay)
    }
}
