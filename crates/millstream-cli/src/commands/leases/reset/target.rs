use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use millstream_kinesis::now_ms;

use crate::duration::parse_duration;

/// From where an application shall read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The oldest records that the stream has.
    Horizon,
    /// What arrives from now on.
    Latest,
    /// What arrived at this time or later, in milliseconds since the epoch.
    Time(i64),
}

/// `horizon`, `latest`, a time such as `2026-11-26T07:00:00Z`, or how long ago, such as `2h`.
pub(crate) fn parse_target(text: &str) -> Result<Target, String> {
    match text {
        "horizon" => return Ok(Target::Horizon),
        "latest" => return Ok(Target::Latest),
        _ => {}
    }
    let now_ms = now_ms();
    let time_ms = match DateTime::from_str(text, Format::DateTimeWithOffset) {
        Ok(time) => time.to_millis().map_err(|error| error.to_string())?,
        Err(_) => {
            let ago = parse_duration(text).map_err(|_| {
                "expected horizon, latest, a time such as 2026-11-26T07:00:00Z, or how long ago, such as 2h".to_owned()
            })?;
            now_ms.saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX)).max(0)
        }
    };
    if time_ms > now_ms { Err("this time is still to come; say latest".to_owned()) } else { Ok(Target::Time(time_ms)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_place_is_a_word_a_time_or_how_long_ago() {
        assert_eq!(parse_target("horizon").unwrap(), Target::Horizon);
        assert_eq!(parse_target("latest").unwrap(), Target::Latest);
        assert_eq!(parse_target("1970-01-02T00:00:00Z").unwrap(), Target::Time(86_400_000));
        assert_eq!(parse_target("1970-01-02T01:00:00.5+01:00").unwrap(), Target::Time(86_400_500));
        let Target::Time(ms) = parse_target("2h").unwrap() else { panic!("no time") };
        assert!((now_ms() - ms - 7_200_000).abs() < 60_000);
        assert!(parse_target("9999-01-01T00:00:00Z").unwrap_err().contains("latest"));
        assert!(parse_target("yesterday").unwrap_err().contains("horizon"));
    }
}
