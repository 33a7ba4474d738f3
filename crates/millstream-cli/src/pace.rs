//! How many records a second are put.

use std::time::Duration;

/// Puts in a second, where the rate allows more than one record in each.
const STEPS: f64 = 10.0;

/// Records at an even rate. Pure: times count from the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    per_second: f64,
}

impl Pace {
    /// `per_second` is more than 0.
    pub(crate) fn new(per_second: f64) -> Self {
        Self { per_second }
    }

    /// The most records of one put.
    pub(crate) fn step(self) -> usize {
        (self.per_second / STEPS).max(1.0) as usize
    }

    /// When the next record is due, after so many.
    pub(crate) fn due(self, records: u64) -> Duration {
        bounded(records as f64 / self.per_second)
    }
}

/// A time that a clock can be put ahead by.
pub(crate) fn bounded(seconds: f64) -> Duration {
    const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);
    Duration::try_from_secs_f64(seconds).unwrap_or(FAR).min(FAR)
}

/// A number of records a second, or of times as fast: more than 0.
pub(crate) fn parse_positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("a number more than 0, such as 100 or 0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn records_are_due_at_an_even_rate() {
        let slow = Pace::new(0.5);
        assert_eq!((slow.step(), slow.due(0), slow.due(3)), (1, Duration::ZERO, Duration::from_secs(6)));
        assert!(
            Pace::new(1e-300).due(1) < Duration::from_secs(1_000_000_000),
            "an instant can't be later than its clock knows"
        );
        let fast = Pace::new(2_000.0);
        assert_eq!((fast.step(), fast.due(200)), (200, Duration::from_millis(100)));
    }

    #[test]
    fn a_rate_is_a_number_more_than_0() {
        assert_eq!(parse_positive("0.5").unwrap(), 0.5);
        for wrong in ["0", "-1", "NaN", "inf", "many", ""] {
            assert!(parse_positive(wrong).is_err(), "{wrong}");
        }
    }
}
