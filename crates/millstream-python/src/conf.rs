//! Settings as Spark writes them.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A program's settings by their keys.
pub(crate) struct Conf(HashMap<String, String>);

impl Conf {
    pub(crate) fn new(settings: HashMap<String, String>) -> Self {
        Self(settings)
    }

    /// The value as it is.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The URL of an endpoint.
    pub(crate) fn endpoint(&self, key: &str) -> Result<Option<String>, String> {
        let is_url = |text: &String| text.starts_with("http://") || text.starts_with("https://");
        match self.0.get(key) {
            Some(text) if !is_url(text) => Err(format!("{key}={text} is not a URL such as http://127.0.0.1:4566")),
            endpoint => Ok(endpoint.cloned()),
        }
    }

    /// A time above 0, such as `500ms`, `10s`, `2m` or `1h`; milliseconds where no unit is given.
    pub(crate) fn duration(&self, key: &str) -> Result<Option<Duration>, String> {
        let Some(text) = self.0.get(key) else { return Ok(None) };
        let trimmed = text.trim();
        let digits = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits);
        let unit_ms = match unit.trim() {
            "" | "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => 0,
        };
        let millis = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ms)).filter(|&ms| ms > 0);
        let millis = millis.ok_or_else(|| format!("{key}={text} is not a time above 0; write 500ms, 10s, 2m or 1h"))?;
        Ok(Some(Duration::from_millis(millis)))
    }

    /// `true` or `false`, with Spark's words for what is neither.
    pub(crate) fn boolean(&self, key: &str) -> Result<Option<bool>, String> {
        let Some(text) = self.0.get(key) else { return Ok(None) };
        let parsed = text.trim().to_lowercase().parse();
        parsed.map(Some).map_err(|_| format!("{key} should be boolean, but was {text}"))
    }

    /// A whole number within `range`.
    pub(crate) fn number(&self, key: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, String> {
        let Some(text) = self.0.get(key) else { return Ok(None) };
        let (least, most) = (range.start(), range.end());
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        let invalid = || format!("{key}={text} is not a whole number from {least} to {most}");
        number.map(Some).ok_or_else(invalid)
    }
}
