use std::time::Duration;

use crate::pace::bounded;

/// When records are put. Pure: times count from the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tempo {
    /// As they came, so many times as fast.
    AsCame(f64),
    /// So many a second.
    Rate(f64),
    /// As fast as the stream takes them.
    Fastest,
}

impl Tempo {
    /// When a record is due. `index`: how many came before it; `after_ms`: how long after the first one it arrived.
    pub(super) fn due(self, index: u64, after_ms: i64) -> Duration {
        let seconds = match self {
            Tempo::AsCame(speed) => after_ms.max(0) as f64 / 1_000.0 / speed,
            Tempo::Rate(per_second) => index as f64 / per_second,
            Tempo::Fastest => 0.0,
        };
        bounded(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_due_as_they_came_or_evenly() {
        let due = |tempo: Tempo| tempo.due(4, 6_000);
        assert_eq!(due(Tempo::AsCame(1.0)), Duration::from_secs(6));
        assert_eq!(due(Tempo::AsCame(10.0)), Duration::from_millis(600));
        assert_eq!(due(Tempo::Rate(8.0)), Duration::from_millis(500));
        assert_eq!(due(Tempo::Fastest), Duration::ZERO);
        assert_eq!(Tempo::AsCame(1.0).due(1, -5), Duration::ZERO, "a clock of the service that went back");
    }
}
