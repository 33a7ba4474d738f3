use std::time::Duration;

use crate::ShardId;

/// Beside the time of a read: for the timers, and for the records to get into the batch.
const MARGIN: Duration = Duration::from_millis(5);
/// The readers of a worker do not all read in the same instant.
const SPREAD_MS: u64 = 25;
/// A read may come so much of the smallest interval earlier: timers are late, now more, now less, and each read counts from the
/// last one.
const SLACK: u32 = 20;

/// Times the reads of a shard of which everything is read: one ends shortly before each batch is cut, so that a record waits
/// for its batch and hardly for its read. Knows no clock: it is told the times.
#[derive(Debug)]
pub(super) struct Rhythm {
    step: Duration,
    min_interval: Duration,
    stagger: Duration,
    /// How long reads take: the longest, slowly forgotten.
    took: Duration,
}

impl Rhythm {
    /// Batches are cut at the multiples of `cut_every` since the Unix epoch; reads are `min_interval` apart at least.
    pub(super) fn new(cut_every: Duration, min_interval: Duration, shard: &ShardId) -> Self {
        let cut_every = cut_every.max(Duration::from_millis(1));
        let reads = cut_every.as_micros() / min_interval.as_micros().max(1);
        let name = shard.as_str().bytes().fold(0_u64, |name, byte| name.wrapping_mul(31).wrapping_add(byte.into()));
        Rhythm {
            step: cut_every / u32::try_from(reads).unwrap_or(u32::MAX).max(1),
            min_interval,
            stagger: Duration::from_millis(name % SPREAD_MS),
            took: Duration::ZERO,
        }
    }

    /// From the start of a read that took `took` and ended at `ended_ms` (milliseconds since the Unix epoch) to that of the next
    /// one.
    pub(super) fn next(&mut self, ended_ms: i64, took: Duration) -> Duration {
        self.took = took.max(self.took * 15 / 16);
        let lead = (self.took + MARGIN + self.stagger).min(self.step / 2);
        let earliest = self.min_interval - self.min_interval / SLACK;
        let phase = (Duration::from_millis(ended_ms.unsigned_abs()) + earliest + lead).saturating_sub(took);
        let step = self.step.as_micros();
        let wait = (step - phase.as_micros() % step) % step;
        earliest + Duration::from_micros(u64::try_from(wait).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// When reads start and end, in milliseconds, where each takes `took` ms and starts `late` ms after its time.
    fn reads(cut_every: u64, min: u64, took: u64, late: u64, count: usize) -> Vec<(u64, u64)> {
        let of = Duration::from_millis;
        let mut rhythm = Rhythm::new(of(cut_every), of(min), &ShardId::from("\u{19}"));
        assert_eq!(rhythm.stagger, Duration::ZERO);
        let mut started = 1_000_000_007;
        let all = std::iter::repeat_with(|| {
            let delay = rhythm.next(started + i64::try_from(took).unwrap(), of(took));
            started += i64::try_from(delay.as_millis()).unwrap() + i64::try_from(late).unwrap();
            let start = u64::try_from(started).unwrap();
            (start, start + took)
        });
        all.take(count).collect()
    }

    /// The longest time from the end of the last read before a cut to the cut, and the shortest between two reads.
    fn check(cut_every: u64, min: u64, took: u64, late: u64) -> (u64, u64) {
        let reads = reads(cut_every, min, took, late, 200);
        let cuts = (reads[0].1 / cut_every + 1..=reads[199].1 / cut_every).map(|cut| cut * cut_every);
        let waited =
            cuts.map(|cut| cut - reads.iter().filter(|(_, end)| *end <= cut).map(|(_, end)| end).max().unwrap());
        let apart = reads.windows(2).map(|pair| pair[1].0 - pair[0].0);
        (waited.max().unwrap(), apart.min().unwrap())
    }

    #[test]
    fn a_read_ends_shortly_before_each_cut() {
        assert_eq!(check(1_000, 200, 3, 0), (5, 200));
        assert_eq!(check(10_000, 200, 40, 0), (5, 200));
        assert_eq!(check(500, 200, 3, 0), (5, 250), "two reads a batch, and not 200 ms apart");
        assert_eq!(check(300, 200, 3, 0), (5, 300));
        assert_eq!(check(1_000, 1_000, 3, 0), (5, 1_000));
    }

    #[test]
    fn late_timers_do_not_cost_a_read() {
        assert_eq!(check(1_000, 200, 3, 2), (3, 200));
    }

    #[test]
    fn batches_that_are_shorter_than_the_interval_are_met_in_turn() {
        let reads = reads(50, 200, 1, 0, 20);
        assert!(reads.windows(2).all(|pair| pair[1].0 - pair[0].0 == 200), "{reads:?}");
        assert!(reads.iter().all(|(_, end)| end % 50 == 45), "{reads:?}");
    }

    #[test]
    fn readers_are_spread() {
        let every = Duration::from_secs(1);
        let shards = (0..100).map(|number| ShardId::from(format!("shardId-{number:012}")));
        let mut delays: Vec<_> =
            shards.map(|shard| Rhythm::new(every, every / 5, &shard).next(0, Duration::ZERO)).collect();
        delays.sort();
        delays.dedup();
        assert!(delays.len() >= 20, "{delays:?}");
    }
}
