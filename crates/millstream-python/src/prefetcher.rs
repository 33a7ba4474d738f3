//! `Prefetcher`: reads a stream ahead of an engine's batches (`millstream.spark`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use millstream::kinesis::wait_for;
use millstream_consumer::{
    ConsumerError, CutLimits, Places, PrefetchConfig, Prefetcher as Reading, Retrieval, Take, TakenRange,
};
use millstream_kinesis::{InitialPosition, InvalidCheckpoint, ShardId};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::block::Block;
use crate::error;
use crate::kinesis_client::KinesisClient;
use crate::kinesis_input::initial_position;

/// A range: shard, first record, last record, records where they were counted, bytes of data that was read, and the records where
/// they were kept.
type Range = (String, String, String, Option<u64>, u64, Vec<Block>);
/// What one call has taken: ranges, each shard's place, whether the goal is reached, and whether it ends ahead of what was read.
type Taken = (Vec<Range>, Vec<(String, String)>, bool, bool);
/// A shard that is read: its id, its place, how far it is behind in milliseconds, and how many records wait.
type Status = (String, String, i64, usize);

/// Reads all shards of a stream behind the places of an offset, and says of which ranges the next batch is made.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct Prefetcher(Mutex<Option<Arc<Reading>>>);

impl Prefetcher {
    fn reading(&self) -> PyResult<Arc<Reading>> {
        let reading = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        reading.ok_or_else(|| PyRuntimeError::new_err("this prefetcher was stopped"))
    }
}

#[pymethods]
impl Prefetcher {
    /// `initial`: `TRIM_HORIZON`, or `LATEST` or `AT_TIMESTAMP` with milliseconds since the epoch. `shards`: ids and places.
    /// `consumer`: the name of a consumer for fan-out; none polls.
    #[new]
    #[pyo3(signature = (client, *, stream, initial, shards, consumer, buffer_mib, shard_sync_ms))]
    #[expect(clippy::too_many_arguments, reason = "settings, all named")]
    fn new(
        py: Python<'_>,
        client: &KinesisClient,
        stream: String,
        initial: &str,
        shards: Vec<(String, String)>,
        consumer: Option<String>,
        buffer_mib: u32,
        shard_sync_ms: u64,
    ) -> PyResult<Self> {
        millstream_cli::init_logging(0);
        let places = places(initial, shards).map_err(|message| error::illegal_argument(py, message))?;
        let config = PrefetchConfig {
            stream,
            retrieval: consumer.map_or(Retrieval::Polling, |consumer| Retrieval::FanOut { consumer }),
            poll: client.poll().clone(),
            buffer_bytes: buffer_mib.saturating_mul(1 << 20),
            shard_sync_ms,
        };
        let kinesis = client.kinesis(py)?;
        let reading = wait(py, async move { Reading::start(kinesis, config, &places).await })?;
        Ok(Self(Mutex::new(Some(Arc::new(reading)))))
    }

    /// Shards that were not read to their end, and that the stream does not list any more.
    fn lost(&self) -> PyResult<Vec<String>> {
        Ok(self.reading()?.lost().iter().map(ShardId::to_string).collect())
    }

    /// Takes what was read ahead, within the limits; none is no limit. Records of at most `keep_bytes`, as rows, are kept. More is taken
    /// for `gather_ms` while the buffer fills as fast as it is emptied; `wait_ms` is how long a goal is waited for. Without limits,
    /// and where shards are far behind, ends are looked for ahead of what was read; the next call is for a new prefetcher then.
    #[pyo3(signature = (*, max_records, max_bytes, keep_bytes, gather_ms, wait_ms))]
    fn take(
        &self,
        py: Python<'_>,
        max_records: Option<u64>,
        max_bytes: Option<u64>,
        keep_bytes: u64,
        gather_ms: u64,
        wait_ms: u64,
    ) -> PyResult<Taken> {
        let limits = CutLimits { records: max_records.unwrap_or(u64::MAX), bytes: max_bytes.unwrap_or(u64::MAX) };
        let (gather, wait_at_most) = (Duration::from_millis(gather_ms), Duration::from_millis(wait_ms));
        let looks_ahead = max_records.is_none() && max_bytes.is_none();
        let take = Take { limits, keep_bytes, gather, wait: wait_at_most, looks_ahead };
        let reading = self.reading()?;
        let taken = wait(py, async move { reading.take(&take).await })?;
        let places = taken.places.into_iter().map(|(shard, at)| (shard.to_string(), at.to_string()));
        Ok((taken.ranges.into_iter().map(range).collect(), places.collect(), taken.is_at_goal, taken.is_ahead))
    }

    /// From now on, only what has arrived until then is taken, in milliseconds since the epoch; not a time to come.
    fn stop_at(&self, py: Python<'_>, until_ms: i64) -> PyResult<()> {
        let reading = self.reading()?;
        wait(py, async move { reading.stop_at(until_ms).await })
    }

    /// A line for each shard that is read.
    fn status(&self) -> PyResult<Vec<Status>> {
        let status = self.reading()?.status().into_iter();
        let line = status.map(|line| (line.shard.to_string(), line.cut.to_string(), line.millis_behind, line.queued));
        Ok(line.collect())
    }

    /// Ends all reading. Nothing can be taken any more.
    fn stop(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn places(initial: &str, shards: Vec<(String, String)>) -> Result<Places, String> {
    let invalid = || format!("'{initial}' is not an initial position with its time");
    let (position, latest_since_ms) = match initial.strip_prefix("LATEST ") {
        Some(millis) => (InitialPosition::Latest, Some(millis.parse().map_err(|_| invalid())?)),
        None => (initial_position(initial).ok_or_else(invalid)?, None),
    };
    let shards = shards.into_iter().map(|(shard, at)| Ok((ShardId::from(shard), at.parse()?)));
    Ok(Places {
        initial: position,
        latest_since_ms,
        shards: shards.collect::<Result<_, InvalidCheckpoint>>().map_err(|error| error.to_string())?,
    })
}

fn range(TakenRange { range, is_counted, bytes, blocks }: TakenRange) -> Range {
    let blocks = blocks.into_iter().map(Block::new).collect();
    let records = is_counted.then_some(range.records);
    (range.shard.to_string(), range.first.to_string(), range.to.to_string(), records, bytes, blocks)
}

/// Runs calls of a prefetcher on the process's runtime, detached from the interpreter.
fn wait<T: Send + 'static>(
    py: Python<'_>,
    calls: impl Future<Output = Result<T, ConsumerError>> + Send + 'static,
) -> PyResult<T> {
    let answer = py.detach(|| wait_for(calls)).map_err(|broken| error::of_cause(py, &broken))?;
    answer.map_err(|failed| error::of_cause(py, &failed.into()))
}
