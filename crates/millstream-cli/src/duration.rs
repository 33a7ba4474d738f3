//! Times on the command line.

use std::time::Duration;

/// Such as 500ms, 2s, 10m, 3h, 1d.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number = digits.parse::<f64>().ok().and_then(|number| match &text[digits.len()..] {
        "ms" => Duration::try_from_secs_f64(number / 1000.0).ok(),
        "s" => Duration::try_from_secs_f64(number).ok(),
        "m" => Duration::try_from_secs_f64(number * 60.0).ok(),
        "h" => Duration::try_from_secs_f64(number * 3600.0).ok(),
        "d" => Duration::try_from_secs_f64(number * 86_400.0).ok(),
        _ => None,
    });
    number.ok_or_else(|| "a time is a number and its unit: 500ms, 2s, 10m, 3h, 1d".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(parse_duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(parse_duration("1.5s").unwrap(), Duration::from_millis(1500));
        assert_eq!(parse_duration("2m").unwrap(), Duration::from_secs(120));
        assert_eq!(parse_duration("3h").unwrap(), Duration::from_secs(3 * 3600));
        assert_eq!(parse_duration("1d").unwrap(), Duration::from_secs(86_400));
        for wrong in ["", "5", "s", "-1s", "5w", "1 s", "NaNs", "infs"] {
            assert!(parse_duration(wrong).unwrap_err().contains("500ms"), "{wrong}");
        }
    }
}
