//! Runs the tables of `testdata/rate.txt`: `end records processing scheduling | what the next batch may take`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// `name=value` of the words of a line.
fn setting(line: &str, name: &str) -> Option<f64> {
    let value = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    value.map(|value| value.parse().expect("a number"))
}

fn started(line: &str) -> Rate {
    let default = Backpressure::default();
    let backpressure = line.contains("backpressure").then(|| Backpressure {
        initial_rate: setting(line, "initial"),
        proportional: setting(line, "proportional").unwrap_or(default.proportional),
        integral: setting(line, "integral").unwrap_or(default.integral),
        derived: setting(line, "derived").unwrap_or(default.derived),
        min_rate: setting(line, "min").unwrap_or(default.min_rate),
    });
    let interval = setting(line, "interval").expect("an interval");
    Rate::new(RateConfig { max_rate: setting(line, "max"), backpressure }, interval as u64)
}

#[test]
fn tables() {
    let text = include_str!("../testdata/rate.txt");
    let (mut rate, mut rows) = (None, 0);
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if line.starts_with("start") {
            rate = Some(started(line));
            continue;
        }
        let rate = rate.as_mut().expect("`start` comes first");
        let (given, expected) = line.split_once('|').expect("a row is `end records processing scheduling | allowance`");
        let numbers: Vec<u64> = given.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        if let [at_ms, records, processing_ms, scheduling_ms] = numbers[..] {
            rate.done(Done { at_ms, records, processing_ms, scheduling_ms });
        }
        let allowance = rate.allowance().map_or_else(|| "all".to_owned(), |records| records.to_string());
        assert_eq!(allowance, expected.trim(), "line {}: {given}", number + 1);
        rows += 1;
    }
    assert!(rows > 15, "the tables were not read: {rows} rows");
}
