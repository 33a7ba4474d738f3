use std::time::Duration;

use tokio::time::Instant;

use super::PollOptions;
use super::rhythm::Rhythm;
use crate::{ShardId, backoff};

/// After the first failure. A shard whose 10 MiB answer used up its budget refuses reads for 5 s.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Decides when the next read may start. Knows no clock: it is told the times.
#[derive(Debug)]
pub(super) struct Pace {
    min_interval: Duration,
    idle_interval: Duration,
    rhythm: Option<Rhythm>,
    max_failures: u32,
    failures: u32,
    next: Instant,
}

impl Pace {
    pub(super) fn new(options: &PollOptions, shard: &ShardId, now: Instant) -> Self {
        let idle_interval = options.idle_interval.max(options.min_interval);
        Pace {
            min_interval: options.min_interval,
            idle_interval,
            rhythm: options.cut_every.map(|cut_every| Rhythm::new(cut_every, idle_interval, shard)),
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

    /// A read that began at `started` has succeeded `now`, which the clock on the wall calls `now_ms`; `behind`: there is more to
    /// read.
    pub(super) fn succeeded(&mut self, started: Instant, now: Instant, now_ms: i64, behind: bool) {
        self.failures = 0;
        let interval = match &mut self.rhythm {
            _ if behind => self.min_interval,
            Some(rhythm) => rhythm.next(now_ms, now - started),
            None => self.idle_interval,
        };
        self.next = started + interval;
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
