use std::time::Duration;

/// How long to wait after the `failures`-th failure in a row: `first`, doubled each time, at most `max`.
pub(crate) fn delay(failures: u32, first: Duration, max: Duration) -> Duration {
    let factor = 2u32.saturating_pow(failures.saturating_sub(1));
    first.saturating_mul(factor).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_cap_and_never_overflows() {
        let delays = [1, 2, 3, 4, 5, u32::MAX]
            .map(|failures| delay(failures, Duration::from_millis(250), Duration::from_secs(3)).as_millis());
        assert_eq!(delays, [250, 500, 1_000, 2_000, 3_000, 3_000]);
    }
}
