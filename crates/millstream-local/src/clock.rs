//! The time, in milliseconds since the epoch.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

/// The clock of the service: that of the machine, and whatever a test has put it ahead.
///
/// Records expire, iterators and tokens age, and stream states change by this clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicU64>,
    advanced: Arc<Notify>,
}

impl Clock {
    /// Puts the clock ahead, so that a test need not wait for a retention period to pass.
    pub fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.advanced.notify_waiters();
    }

    /// Waits until a time comes, or the clock is put ahead to it.
    pub(crate) async fn until(&self, ms: u64) {
        loop {
            let mut advanced = pin!(self.advanced.notified());
            advanced.as_mut().enable();
            let left = Duration::from_millis(ms.saturating_sub(self.now_ms()));
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = advanced => {}
            }
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(machine.as_millis()).unwrap_or(u64::MAX).saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }
}

/// AWS's form of a time in JSON: seconds with a fraction.
pub(crate) fn seconds(ms: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch stay far below 2^53")]
    let ms = ms as f64;
    ms / 1000.0
}

/// AWS's form of a time in messages, `Thu Jan 22 01:22:02 UTC 2015`.
pub(crate) fn words(ms: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (mut day_of_year, time) = (ms / 86_400_000, ms / 1000 % 86_400);
    let weekday = DAYS[usize::try_from(day_of_year % 7).unwrap_or(0)];
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while day_of_year >= 365 + u64::from(leap(year)) {
        day_of_year -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day_of_year >= lengths[month] {
        day_of_year -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{weekday} {} {:02} {hour:02}:{minute:02}:{second:02} UTC {year}", MONTHS[month], day_of_year + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_messages_have_the_form_of_aws() {
        assert_eq!(words(1_421_889_722_000), "Thu Jan 22 01:22:02 UTC 2015");
        assert_eq!(words(1_709_251_199_999), "Thu Feb 29 23:59:59 UTC 2024");
        assert_eq!(words(0), "Thu Jan 01 00:00:00 UTC 1970");
    }
}
