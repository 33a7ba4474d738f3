use std::fmt;
use std::str::FromStr;

const MILLIONTHS: f64 = 1e6;

/// How much of a shard is processed, in KiB a second (the KCL's `throughputKBps`), kept in millionths as the KCL rounds it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Throughput(u64);

/// A text that is not a throughput.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a throughput: expected a number of KiB a second that is not negative")]
pub struct InvalidThroughput(String);

impl Throughput {
    /// So many bytes in so many milliseconds; nothing in no time.
    pub fn measured(bytes: u64, window_ms: u64) -> Self {
        let millionths = u128::from(bytes) * 1_000_000_000;
        let window = u128::from(window_ms) * 1024;
        let rounded = (millionths + window / 2).checked_div(window).unwrap_or(0);
        Throughput(u64::try_from(rounded).unwrap_or(u64::MAX))
    }

    /// The moving average after one more measurement (KCL `ExponentialMovingAverage`, alpha 0.5).
    pub(crate) fn followed_by(self, measured: Throughput) -> Self {
        Throughput(self.0.midpoint(measured.0))
    }

    /// KiB a second.
    pub fn kbps(self) -> f64 {
        self.0 as f64 / MILLIONTHS
    }
}

/// As DynamoDB takes a number: `0.000046`.
impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl FromStr for Throughput {
    type Err = InvalidThroughput;

    /// Java's `4.6E-5` too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kbps = text.parse::<f64>().ok().filter(|kbps| kbps.is_finite() && *kbps >= 0.0);
        let kbps = kbps.ok_or_else(|| InvalidThroughput(text.to_owned()))?;
        Ok(Throughput((kbps * MILLIONTHS).round() as u64))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_measured_averaged_and_written_as_the_kcl_does() {
        let first = Throughput::measured(10 * 1024, 5_000);
        assert_eq!(first.to_string(), "2.000000");
        assert_eq!(first.followed_by(Throughput::default()).to_string(), "1.000000");
        assert_eq!(Throughput::measured(1, 21_000).to_string(), "0.000047");
        assert_eq!(Throughput::measured(u64::MAX, 0), Throughput::default());
    }

    #[test]
    fn javas_numbers_are_read() {
        for (text, expected) in [("4.6E-5", "0.000046"), ("0.0", "0.000000"), ("2048", "2048.000000")] {
            assert_eq!(text.parse::<Throughput>().unwrap().to_string(), expected);
        }
        for text in ["", "NaN", "-1", "inf"] {
            assert!(text.parse::<Throughput>().is_err(), "{text}");
        }
    }
}
