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

/// The form of a time in signatures, `20260102T030405Z`.
pub(crate) fn basic(ms: u64) -> String {
    let (year, month, day) = date(ms);
    let time = ms / 1000 % 86_400;
    format!("{year}{month:02}{day:02}T{:02}{:02}{:02}Z", time / 3600, time / 60 % 60, time % 60)
}

/// The form of a time in XML, `2026-01-02T03:04:05Z`.
pub(crate) fn iso(ms: u64) -> String {
    let (year, month, day) = date(ms);
    let time = ms / 1000 % 86_400;
    format!("{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60)
}

/// Reads [`basic`].
pub(crate) fn parse_basic(text: &str) -> Option<u64> {
    if text.len() != 16 || text.as_bytes()[8] != b'T' || !text.ends_with('Z') {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok())?
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970, counting years from March so that leap days come last.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1 - 719_468;
    Some((days * 86_400 + number(9, 11)? * 3600 + number(11, 13)? * 60 + number(13, 15)?) * 1000)
}

/// AWS's form of a time in messages, `Thu Jan 22 01:22:02 UTC 2015`.
pub(crate) fn words(ms: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let time = ms / 1000 % 86_400;
    let weekday = DAYS[usize::try_from(ms / 86_400_000 % 7).unwrap_or(0)];
    let (year, month, day) = date(ms);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{weekday} {} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year}", MONTHS[month - 1])
}

/// The year, the month from 1, and the day of a time.
fn date(ms: u64) -> (u64, usize, u64) {
    let mut day_of_year = ms / 86_400_000;
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
    (year, month + 1, day_of_year + 1)
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

    #[test]
    fn times_of_signatures_are_read_and_written() {
        for text in ["19700101T000000Z", "20150830T123600Z", "20240229T235959Z", "20260301T000000Z", "20261231T010203Z"]
        {
            assert_eq!(parse_basic(text).map(basic).as_deref(), Some(text));
        }
        assert_eq!(parse_basic("20150122T012202Z"), Some(1_421_889_722_000));
        assert_eq!(iso(1_421_889_722_000), "2015-01-22T01:22:02Z");
        for wrong in
            ["", "20150122T012202", "2015-01-22T01:22Z", "20151322T012202Z", "２０150830T12Z", "+0150122T012202Z"]
        {
            assert_eq!(parse_basic(wrong), None, "{wrong}");
        }
    }
}
