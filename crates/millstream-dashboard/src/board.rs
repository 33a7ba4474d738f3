//! The newest snapshot of all shards, taken when somebody looks, and what two of them say of the speed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::status::{ReadingStatus, StatusSource, StreamStatus};

/// A snapshot is shown for so long.
const FRESH: Duration = Duration::from_millis(900);
/// Two snapshots further apart say nothing of the speed now.
const COMPARED: Duration = Duration::from_secs(10);
/// A source that does not answer for so long is shown as it was.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks the sources.
pub(crate) struct Board {
    sources: Vec<Arc<dyn StatusSource>>,
    last: Mutex<Arc<Snapshot>>,
}

/// All streams at one moment.
pub(crate) struct Snapshot {
    taken: Option<Instant>,
    /// By the sources' numbers; those that have never answered are left out.
    streams: BTreeMap<usize, StreamNow>,
}

/// A stream at the moment of a snapshot.
pub(crate) struct StreamNow {
    pub(crate) status: StreamStatus,
    /// False: it is as it was when the source answered last.
    pub(crate) is_current: bool,
    speeds: BTreeMap<String, Speed>,
}

/// What is read of a shard in a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed {
    pub(crate) records: f64,
    pub(crate) bytes: f64,
}

impl Board {
    pub(crate) fn new(sources: Vec<Arc<dyn StatusSource>>) -> Self {
        Self { sources, last: Mutex::new(Arc::new(Snapshot::nothing())) }
    }

    /// The newest snapshot, or a new one.
    pub(crate) async fn look(&self) -> Arc<Snapshot> {
        let before = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if before.taken.is_some_and(|taken| taken.elapsed() < FRESH) {
            return before;
        }
        let mut statuses = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            let status = tokio::time::timeout(PATIENCE, source.status()).await.ok().flatten();
            statuses.push(status.ok_or_else(|| source.failure()));
        }
        let snapshot = Arc::new(before.followed_by(statuses, Instant::now()));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&snapshot);
        snapshot
    }
}

impl Snapshot {
    /// Before anybody has looked.
    pub(crate) fn nothing() -> Self {
        Self { taken: None, streams: BTreeMap::new() }
    }

    pub(crate) fn streams(&self) -> impl Iterator<Item = &StreamNow> {
        self.streams.values()
    }

    /// What comes behind it: of each source its status, or why it has none.
    fn followed_by(&self, statuses: Vec<Result<StreamStatus, Option<String>>>, now: Instant) -> Self {
        let passed = self.taken.map(|taken| now.duration_since(taken)).filter(|passed| *passed < COMPARED);
        let follow = |(number, status): (usize, Result<StreamStatus, Option<String>>)| {
            let before = self.streams.get(&number);
            let is_current = status.is_ok();
            let status = match (status, before) {
                (Ok(status), _) => status,
                (Err(failure), before) => StreamStatus { error: failure, ..before?.status.clone() },
            };
            let speeds = match (before, passed) {
                (Some(before), Some(passed)) if is_current => speeds(&before.status, &status, passed),
                _ => BTreeMap::new(),
            };
            Some((number, StreamNow { status, is_current, speeds }))
        };
        Self { taken: Some(now), streams: statuses.into_iter().enumerate().filter_map(follow).collect() }
    }
}

impl StreamNow {
    /// What is read of a shard in a second; `None` before the second snapshot.
    pub(crate) fn speed(&self, shard: &str) -> Option<Speed> {
        self.speeds.get(shard).copied()
    }
}

fn speeds(before: &StreamStatus, now: &StreamStatus, passed: Duration) -> BTreeMap<String, Speed> {
    let readings = before.shards.iter().filter_map(|shard| Some((shard.shard.as_str(), shard.reading.as_ref()?)));
    let before: BTreeMap<&str, &ReadingStatus> = readings.collect();
    let seconds = passed.as_secs_f64();
    let speed = |shard: &crate::status::ShardStatus| {
        let (now, before) = (shard.reading.as_ref()?, before.get(shard.shard.as_str())?);
        // A count that went back has begun anew.
        let records = now.records_read.checked_sub(before.records_read)? as f64 / seconds;
        let bytes = now.bytes_read.checked_sub(before.bytes_read)? as f64 / seconds;
        Some((shard.shard.clone(), Speed { records, bytes }))
    };
    now.shards.iter().filter_map(speed).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::stream;

    #[test]
    fn two_snapshots_say_how_fast_a_shard_is_read() {
        let start = Instant::now();
        let first = Snapshot::nothing().followed_by(vec![Ok(stream(100))], start);
        assert_eq!(first.streams().next().unwrap().speed("shardId-000000000001"), None);
        let second = first.followed_by(vec![Ok(stream(400))], start + Duration::from_secs(2));
        let speed = second.streams().next().unwrap().speed("shardId-000000000001");
        assert_eq!(speed, Some(Speed { records: 150.0, bytes: 1500.0 }));
        // Reading began anew, or nobody has looked for long.
        let again = second.followed_by(vec![Ok(stream(10))], start + Duration::from_secs(3));
        assert_eq!(again.streams().next().unwrap().speed("shardId-000000000001"), None);
        let late = second.followed_by(vec![Ok(stream(500))], start + Duration::from_secs(60));
        assert_eq!(late.streams().next().unwrap().speed("shardId-000000000001"), None);
    }

    #[test]
    fn a_source_that_is_gone_is_shown_as_it_was() {
        let first = Snapshot::nothing().followed_by(vec![Err(None), Ok(stream(100))], Instant::now());
        assert_eq!(first.streams().count(), 1);
        let second = first.followed_by(vec![Err(None), Err(Some("the stream is gone".to_owned()))], Instant::now());
        let shown = second.streams().next().unwrap();
        assert_eq!((shown.is_current, &shown.status.shards), (false, &stream(100).shards));
        assert_eq!(shown.status.error.as_deref(), Some("the stream is gone"));
    }
}
