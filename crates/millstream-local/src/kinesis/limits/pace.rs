//! How fast a subscriber is sent records. Pure: the time is passed in.

use super::BYTES_OUT;

const NS_PER_MS: u64 = 1_000_000;

/// The pace of one subscription: a consumer with fan-out has the output of a shard for itself (`SubscribeToShard` in the
/// Kinesis API reference).
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// In nanoseconds, when what has been sent would have been sent at the limit.
    free_ns: u64,
}

impl Pace {
    /// Counts the bytes of an event.
    pub(crate) fn sent(&mut self, bytes: usize, now_ms: u64) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let taken_ns = bytes.saturating_mul(1_000_000_000) / u64::from(BYTES_OUT.tokens);
        self.free_ns = self.free_ns.max(now_ms.saturating_mul(NS_PER_MS)).saturating_add(taken_ns);
    }

    /// Until when nothing may be sent, in milliseconds; `None` if it may be sent now.
    pub(crate) fn rests_until(&self, now_ms: u64) -> Option<u64> {
        let free_ms = self.free_ns / NS_PER_MS;
        (free_ms > now_ms).then_some(free_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mebibytes_take_a_second_in_events_of_any_size() {
        for size in [100, 1000, 1024 * 1024] {
            let mut pace = Pace::default();
            let (mut now_ms, mut sent) = (5000, 0);
            while sent < 20 * 1024 * 1024 {
                pace.sent(size, now_ms);
                sent += size;
                now_ms = pace.rests_until(now_ms).unwrap_or(now_ms);
            }
            assert!((14_990..=15_010).contains(&now_ms), "{size}: {now_ms}");
        }
    }

    #[test]
    fn a_quiet_subscription_saves_up_nothing() {
        let mut pace = Pace::default();
        assert_eq!(pace.rests_until(0), None);
        pace.sent(1024 * 1024, 0);
        assert_eq!([pace.rests_until(0), pace.rests_until(499), pace.rests_until(500)], [Some(500), Some(500), None]);
        pace.sent(1024 * 1024, 60_000);
        assert_eq!(pace.rests_until(60_000), Some(60_500));
    }
}
