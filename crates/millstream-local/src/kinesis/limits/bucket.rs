//! A token bucket. Pure: the time is passed in.

/// Tokens that come back at a steady rate, up to what the bucket holds.
///
/// A bucket begins full. What is larger than the bucket can be taken from a full one, and is owed then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// In parts of a token: as many to a token as the rate has milliseconds, so that every millisecond gives whole parts.
    parts: i64,
    /// It was overdrawn and is closed until it is full again.
    closed: bool,
    at_ms: u64,
}

/// How much a bucket holds, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) tokens: u32,
    /// In which an empty bucket fills.
    pub(super) per_ms: u32,
}

impl Rate {
    pub(super) const fn per_second(tokens: u32) -> Self {
        Self { tokens, per_ms: 1000 }
    }

    pub(super) const fn per_day(tokens: u32) -> Self {
        Self { tokens, per_ms: 24 * 3_600_000 }
    }

    /// The parts of so many tokens.
    fn parts(self, tokens: usize) -> i64 {
        i64::try_from(tokens).unwrap_or(i64::MAX).saturating_mul(i64::from(self.per_ms))
    }

    /// The parts of a full bucket.
    fn full(self) -> i64 {
        i64::from(self.tokens) * i64::from(self.per_ms)
    }
}

impl Bucket {
    pub(super) fn new(rate: Rate, now_ms: u64) -> Self {
        Self { parts: rate.full(), closed: false, at_ms: now_ms }
    }

    /// Takes tokens if they are there.
    pub(super) fn take(&mut self, rate: Rate, tokens: usize, now_ms: u64) -> bool {
        let there = self.has(rate, tokens, now_ms);
        if there {
            self.parts = self.parts.saturating_sub(rate.parts(tokens));
        }
        there
    }

    /// Whether [`Bucket::take`] would.
    pub(super) fn has(&mut self, rate: Rate, tokens: usize, now_ms: u64) -> bool {
        self.fill(rate, now_ms);
        self.parts >= rate.parts(tokens).min(rate.full())
    }

    /// Whether there is any token to take, and no debt of an earlier [`Bucket::charge`].
    pub(super) fn is_open(&mut self, rate: Rate, now_ms: u64) -> bool {
        self.fill(rate, now_ms);
        !self.closed && self.parts > 0
    }

    /// Takes tokens that have been used already. If there are not as many, the bucket is closed until it is full.
    pub(super) fn charge(&mut self, rate: Rate, tokens: usize, now_ms: u64) {
        self.fill(rate, now_ms);
        self.parts = self.parts.saturating_sub(rate.parts(tokens));
        self.closed |= self.parts < 0;
    }

    /// Whether it is as good as a new one.
    pub(super) fn is_full(&mut self, rate: Rate, now_ms: u64) -> bool {
        self.fill(rate, now_ms);
        self.parts >= rate.full()
    }

    fn fill(&mut self, rate: Rate, now_ms: u64) {
        let passed_ms = i64::try_from(now_ms.saturating_sub(self.at_ms)).unwrap_or(i64::MAX);
        let gained = passed_ms.saturating_mul(i64::from(rate.tokens));
        self.parts = self.parts.saturating_add(gained).min(rate.full());
        self.at_ms = self.at_ms.max(now_ms);
        self.closed &= self.parts < rate.full();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: Rate = Rate::per_second(5);

    #[test]
    fn tokens_come_back_at_the_rate_and_no_more_than_fit() {
        let mut bucket = Bucket::new(FIVE, 1000);
        let mut taken = |now_ms| (0..20).filter(|_| bucket.take(FIVE, 1, now_ms)).count();
        assert_eq!([taken(1000), taken(1000), taken(1199), taken(1200), taken(1900)], [5, 0, 0, 1, 3]);
        assert_eq!(taken(1_000_000), 5);
        // A clock that goes back gives nothing.
        assert_eq!([taken(900_000), taken(1_000_200)], [0, 1]);
    }

    #[test]
    fn what_is_larger_than_the_bucket_is_taken_from_a_full_one_and_owed() {
        let rate = Rate::per_second(1000);
        let mut bucket = Bucket::new(rate, 0);
        assert!(bucket.take(rate, 1, 0));
        assert!(!bucket.take(rate, 3000, 0));
        assert!(bucket.take(rate, 3000, 1));
        assert!(!bucket.take(rate, 1, 2000));
        assert!(bucket.take(rate, 1, 2002));
    }

    #[test]
    fn an_overdrawn_bucket_is_closed_for_as_long_as_the_charge_takes() {
        let rate = Rate::per_second(2_000_000);
        let mut bucket = Bucket::new(rate, 0);
        bucket.charge(rate, 2_000_000, 0);
        assert!(!bucket.is_open(rate, 0));
        assert!(bucket.is_open(rate, 1));
        bucket.charge(rate, 10_000_000, 1000);
        // In steps: nothing is lost to rounding.
        assert!((1000..6000).all(|now_ms| !bucket.is_open(rate, now_ms)));
        assert!(bucket.is_open(rate, 6000));
        assert!(bucket.is_full(rate, 6000));
    }
}
