//! A screen full of text. Pure.

use super::board::{Look, Row, Sort, WorkerRow, rows, workers};
use crate::commands::leases::Lag;

/// What stands above the shards, besides what was seen.
pub(super) struct Title<'a> {
    pub(super) stream: &'a str,
    pub(super) application: Option<&'a str>,
    pub(super) sort: Sort,
    /// Lines of shards that are passed over.
    pub(super) skip: usize,
    /// Why the last look failed: what is shown is older then.
    pub(super) failure: Option<&'a str>,
}

/// The lines for a terminal of this size, none longer than it is wide.
pub(super) fn frame(look: &Look, title: &Title<'_>, width: usize, height: usize) -> Vec<String> {
    let rows = rows(look, title.sort);
    let workers = workers(&rows);
    let mut lines = head(look, &rows, &workers, title);
    let below = if workers.is_empty() { 0 } else { 2 + workers.len().min(height / 4) };
    let room = height.saturating_sub(lines.len() + below + 2).max(1);
    let skip = title.skip.min(rows.len().saturating_sub(room));
    lines.push(HEADER.to_owned());
    lines.extend(rows.iter().skip(skip).take(room).map(line));
    let left_out = rows.len().saturating_sub(skip + room);
    if left_out > 0 {
        lines.push(format!("… {left_out} more"));
    }
    if !workers.is_empty() {
        lines.push(String::new());
        lines.push(format!("{:<40} {:>6} {:>12} {:>7}", "WORKER", "SHARDS", "READ KiB/S", "LAG"));
        lines.extend(workers.iter().take(height / 4).map(worker_line));
    }
    lines.truncate(height.max(1));
    lines.iter().map(|line| line.chars().take(width).collect()).collect()
}

const HEADER: &str =
    "SHARD                  STATE  OWNER                            LAG      REC/S      KiB/S READ KiB/S HANDOFF TO";

fn head(look: &Look, rows: &[Row], workers: &[WorkerRow], title: &Title<'_>) -> Vec<String> {
    let open = look.shards.iter().filter(|shard| !shard.is_closed()).count();
    let application = title.application.map(|name| format!(" · read by {name}")).unwrap_or_default();
    let mut lines = vec![format!(
        "millstream top · {}{application} · {open} open shards · sorted by {}",
        title.stream,
        title.sort.word()
    )];
    let mut told = Vec::new();
    if look.counts.is_some() {
        let sum = |value: fn(&Row) -> Option<f64>| rows.iter().filter_map(value).sum::<f64>();
        told.push(format!("{:.0} records/s", sum(|row| row.records_per_s)));
        told.push(format!("{:.1} KiB/s", sum(|row| row.kib_per_s)));
    }
    if title.application.is_some() {
        let free = rows.iter().filter(|row| row.owner.is_none()).count();
        let handoffs = rows.iter().filter(|row| row.next_owner.is_some()).count();
        let worst = rows.iter().filter_map(|row| row.lag?.ms()).max();
        told.push(format!("{} workers", workers.len()));
        told.push(format!("lag at most {}", worst.map_or("-".to_owned(), |ms| Lag::Behind(ms).to_string())));
        told.push(format!("{free} shards without owner"));
        told.push(format!("{handoffs} handoffs"));
    }
    if !told.is_empty() {
        lines.push(told.join(" · "));
    }
    if let Some(failure) = title.failure {
        lines.push(format!("! {failure}"));
    }
    lines.push(String::new());
    lines
}

fn line(row: &Row) -> String {
    let rate = |rate: Option<f64>| rate.map_or("-".to_owned(), |rate| format!("{rate:.1}"));
    let lag = row.lag.map_or("-".to_owned(), |lag| lag.to_string());
    format!(
        "{:<22} {:<6} {:<28} {:>7} {:>10} {:>10} {:>10} {}",
        row.shard,
        row.state,
        row.owner.as_deref().unwrap_or("-").chars().take(28).collect::<String>(),
        lag,
        rate(row.records_per_s),
        rate(row.kib_per_s),
        rate(row.processed_kib_per_s),
        row.next_owner.as_deref().unwrap_or("-")
    )
}

fn worker_line(worker: &WorkerRow) -> String {
    let name: String = worker.worker.chars().take(40).collect();
    let lag = Lag::Behind(worker.lag_ms).to_string();
    format!("{name:<40} {:>6} {:>12.1} {lag:>7}", worker.shards, worker.processed_kib_per_s)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use millstream_kinesis::{Checkpoint, HashKeyRange, Shard};
    use millstream_lease::Lease;

    use super::*;

    fn shard(id: &str, is_closed: bool) -> Shard {
        let last = is_closed.then(|| 2u128.into());
        Shard { id: id.into(), parents: Vec::new(), hash_range: HashKeyRange::ALL, first: 1u128.into(), last }
    }

    fn lease(shard: &Shard, owner: Option<&str>, checkpoint: Checkpoint) -> Lease {
        Lease { owner: owner.map(str::to_owned), ..Lease::of_shard(shard, checkpoint) }
    }

    /// Two open shards, one that is closed and still to be read, and one that is done.
    fn look() -> Look {
        let shards = vec![shard("a", true), shard("b", true), shard("c", false), shard("d", false)];
        let mut leases = vec![
            lease(&shards[0], Some("w1"), Checkpoint::ShardEnd),
            lease(&shards[1], Some("w1"), Checkpoint::TrimHorizon),
            lease(&shards[2], Some("w2"), Checkpoint::TrimHorizon),
            lease(&shards[3], None, Checkpoint::TrimHorizon),
        ];
        leases[2].checkpoint_owner = Some("w1".to_owned());
        let lags = vec![Lag::Ended, Lag::Behind(90_000), Lag::Behind(250), Lag::Unknown];
        let counts = BTreeMap::from([("c".to_owned(), (500, 10_240))]);
        Look { shards, leases, lags, counts: Some(counts), seconds: 5.0 }
    }

    fn drawn(sort: Sort, width: usize, height: usize) -> Vec<String> {
        let title = Title { stream: "words", application: Some("app"), sort, skip: 0, failure: None };
        frame(&look(), &title, width, height)
    }

    #[test]
    fn what_is_furthest_behind_stands_first() {
        let lines = drawn(Sort::Lag, 120, 30);
        assert_eq!(lines[0], "millstream top · words · read by app · 2 open shards · sorted by lag");
        let told = "100 records/s · 2.0 KiB/s · 1 workers · lag at most 90s · 1 shards without owner · 1 handoffs";
        assert_eq!(lines[1], told);
        let words: Vec<Vec<&str>> = lines[4..7].iter().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[0], ["d", "open", "-", "-", "0.0", "0.0", "-", "-"]);
        assert_eq!(words[1], ["b", "closed", "w1", "90s", "0.0", "0.0", "-", "-"]);
        assert_eq!(words[2], ["c", "open", "w1", "250ms", "100.0", "2.0", "-", "w2"]);
        assert_eq!(lines[9].split_whitespace().collect::<Vec<_>>(), ["w1", "2", "0.0", "90s"]);
    }

    #[test]
    fn every_order_has_all_shards() {
        let mut sort = Sort::Lag;
        for first in ["d", "c", "b", "d"] {
            assert!(drawn(sort, 120, 30)[4].starts_with(first), "{}", sort.word());
            sort = sort.next();
        }
        assert_eq!(sort, Sort::Lag);
    }

    #[test]
    fn a_small_terminal_has_what_fits() {
        for (width, height) in [(80, 24), (40, 8), (10, 3), (1, 1), (0, 0)] {
            let lines = drawn(Sort::Shard, width, height);
            assert!(
                lines.len() <= height.max(1) && lines.iter().all(|line| line.chars().count() <= width),
                "{lines:?}"
            );
        }
        assert!(drawn(Sort::Shard, 80, 9).contains(&"… 2 more".to_owned()), "{:?}", drawn(Sort::Shard, 80, 9));
    }

    #[test]
    fn a_look_that_failed_is_told() {
        let title =
            Title { stream: "words", application: None, sort: Sort::Shard, skip: 0, failure: Some("no answer") };
        let lines = frame(&Look { counts: None, ..look() }, &title, 120, 30);
        assert_eq!(lines[1], "! no answer");
    }
}
