//! Runs the tables of `testdata/schedule/*.txt`: `time [event] | steps, joined by commas, until it is to wait or to end`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::time::Duration;

fn field(line: &str, name: &str) -> u64 {
    let value = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("no {name}= in {line:?}")).parse().expect("a number")
}

fn parse_event(words: &[&str]) -> Option<Event> {
    Some(match words {
        [] => return None,
        ["finished"] => Event::Finished,
        ["drained"] => Event::Drained,
        ["stop", "graceful"] => Event::Stop { graceful: true },
        ["stop", "now"] => Event::Stop { graceful: false },
        ["cut-failed", time] => Event::CutFailed(BatchTime::from_millis(time.parse().expect("a time"))),
        other => panic!("unknown event {other:?}"),
    })
}

fn show(next: Next) -> String {
    match next {
        Next::Cut(time) => format!("cut {}", time.millis()),
        Next::Run(time) => format!("run {}", time.millis()),
        Next::Discard(time) => format!("discard {}", time.millis()),
        Next::Drain => "drain".into(),
        Next::Wait(Some(until)) => format!("wait {until}"),
        Next::Wait(None) => "wait".into(),
        Next::End { graceful: true } => "end".into(),
        Next::End { graceful: false } => "end early".into(),
    }
}

/// All steps due at `now`, and only those.
fn steps(schedule: &mut Schedule, now: u64) -> String {
    let mut shown = Vec::new();
    loop {
        let next = schedule.next(now);
        shown.push(show(next));
        if matches!(next, Next::Wait(_) | Next::End { .. }) {
            return shown.join(", ");
        }
        assert!(shown.len() < 100, "never comes to rest: {shown:?}");
    }
}

#[test]
fn tables() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/schedule");
    let mut rows = 0;
    for entry in std::fs::read_dir(folder).expect("the test data") {
        let path = entry.unwrap().path();
        let mut schedule = None;
        for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            if line.starts_with("start ") {
                let interval = Interval::new(Duration::from_millis(field(line, "interval"))).unwrap();
                let max_waiting = usize::try_from(field(line, "max_waiting")).unwrap();
                let fresh = Schedule::new(interval, max_waiting, field(line, "stop_timeout"), field(line, "now"));
                let open = line.split_whitespace().filter_map(|word| word.strip_prefix("open="));
                let open = open.map(|time| BatchTime::from_millis(time.parse().expect("a time")));
                let last = line.contains(" last=").then(|| BatchTime::from_millis(field(line, "last")));
                schedule = Some(fresh.behind(open, last));
                continue;
            }
            let (given, expected) = line.split_once('|').expect("a row is `time [event] | steps`");
            let words: Vec<&str> = given.split_whitespace().collect();
            let now = words[0].parse().expect("a time");
            let schedule = schedule.as_mut().expect("`start` comes first");
            if let Some(event) = parse_event(&words[1..]) {
                schedule.on(event, now);
            }
            assert_eq!(steps(schedule, now), expected.trim(), "{}:{}: {given}", path.display(), number + 1);
            rows += 1;
        }
    }
    assert!(rows > 30, "the tables were not read: {rows} rows");
}
