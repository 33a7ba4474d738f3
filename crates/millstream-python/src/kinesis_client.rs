//! `KinesisClient`: Kinesis for one process, where the leases are somebody else's matter (Spark's executors, its driver).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use millstream::kinesis::wait_for;
use millstream_kinesis::{
    AwsKinesis, AwsSettings, Checkpoint, InitialPosition, Kinesis, KinesisError, PollOptions, Position, RangeReader,
    Shard, ShardCursor, ShardId, ShardRange,
};
use pyo3::prelude::*;

use crate::error;
use crate::kinesis_input::credentials;
use crate::range_read::RangeRead;

/// Reads ranges of shards again. Connections are made when they are needed, on the one runtime of the process; it can't be
/// pickled: make one in each process.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct KinesisClient {
    settings: AwsSettings,
    poll: PollOptions,
    kinesis: Mutex<Option<Arc<dyn Kinesis>>>,
    /// The shards of each stream, as they were listed last.
    shards: Mutex<HashMap<String, Arc<Vec<Shard>>>>,
}

impl KinesisClient {
    /// The client, connected at the first use.
    pub(crate) fn kinesis(&self, py: Python<'_>) -> PyResult<Arc<dyn Kinesis>> {
        // Another thread that connects at the same time makes one more, which is let go.
        if let Some(kinesis) = &*self.kinesis.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(kinesis.clone());
        }
        let settings = self.settings.clone();
        let made = wait(py, async move { AwsKinesis::connect(&settings).await })?;
        let made: Arc<dyn Kinesis> = Arc::new(made);
        *self.kinesis.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }

    /// How AWS is reached.
    pub(crate) fn settings(&self) -> &AwsSettings {
        &self.settings
    }

    /// How shards are polled.
    pub(crate) fn poll(&self) -> &PollOptions {
        &self.poll
    }

    /// The shard as the stream lists it; none where it is there no more. It is listed once, and again for a shard that is new.
    fn shard(&self, py: Python<'_>, stream: &str, shard: &str) -> PyResult<Option<Shard>> {
        let find = |shards: &Vec<Shard>| shards.iter().find(|listed| listed.id.as_str() == shard).cloned();
        let known = self.shards.lock().unwrap_or_else(PoisonError::into_inner).get(stream).cloned();
        if let Some(found) = known.and_then(|shards| find(&shards)) {
            return Ok(Some(found));
        }
        Ok(find(&*self.listed(py, stream)?))
    }

    fn listed(&self, py: Python<'_>, stream: &str) -> PyResult<Arc<Vec<Shard>>> {
        let (kinesis, name) = (self.kinesis(py)?, stream.to_owned());
        let shards = Arc::new(wait(py, async move { kinesis.list_shards(&name).await })?);
        self.shards.lock().unwrap_or_else(PoisonError::into_inner).insert(stream.to_owned(), shards.clone());
        Ok(shards)
    }
}

#[pymethods]
impl KinesisClient {
    /// `endpoint`: its URL, none for AWS's. `read_interval_ms`: from the start of a read of a shard to that of the next.
    #[new]
    #[pyo3(signature = (*, endpoint, region, access_key, secret, session_token, role_arn, session_name, external_id,
        read_interval_ms, max_records))]
    #[expect(clippy::too_many_arguments, reason = "settings, all named")]
    fn new(
        endpoint: Option<String>,
        region: String,
        access_key: Option<String>,
        secret: Option<String>,
        session_token: Option<String>,
        role_arn: Option<String>,
        session_name: Option<String>,
        external_id: Option<String>,
        read_interval_ms: u64,
        max_records: u32,
    ) -> Self {
        let credentials = credentials(access_key, secret, session_token, role_arn, session_name, external_id);
        let settings = AwsSettings {
            region,
            kinesis_endpoint: endpoint,
            dynamodb_endpoint: None,
            cloudwatch_endpoint: None,
            credentials,
        };
        let interval = Duration::from_millis(read_interval_ms);
        let poll = PollOptions {
            limit: max_records,
            min_interval: interval,
            idle_interval: interval,
            ..PollOptions::default()
        };
        Self { settings, poll, kinesis: Mutex::new(None), shards: Mutex::new(HashMap::new()) }
    }

    /// The ids of all shards of the stream, open and closed, that it lists now.
    fn list_shards(&self, py: Python<'_>, stream: &str) -> PyResult<Vec<String>> {
        Ok(self.listed(py, stream)?.iter().map(|shard| shard.id.as_str().to_owned()).collect())
    }

    /// The records from `first` to `to`, both included and written `sequence:sub`, which were `records` if they were counted.
    fn read_again(
        &self,
        py: Python<'_>,
        stream: &str,
        shard: &str,
        first: &str,
        to: &str,
        records: Option<u64>,
    ) -> PyResult<RangeRead> {
        let range = ShardRange {
            stream: stream.into(),
            shard: ShardId::from(shard),
            from: Checkpoint::TrimHorizon,
            first: position(py, first)?,
            to: position(py, to)?,
            records: records.unwrap_or_default(),
        };
        let Some(listed) = self.shard(py, stream, shard)? else { return Ok(RangeRead::gone(records.unwrap_or(1))) };
        let make = if records.is_some() { RangeReader::again } else { RangeReader::through };
        let reader = make(self.kinesis(py)?, &range, Some(listed.hash_range), self.poll.clone());
        Ok(RangeRead::new(reader))
    }

    /// The records that arrived from one time until another, in milliseconds since the epoch; none: from the oldest one on.
    /// `until_ms` must not lie in the future.
    fn read_between(
        &self,
        py: Python<'_>,
        stream: &str,
        shard: &str,
        from_ms: Option<i64>,
        until_ms: i64,
    ) -> PyResult<RangeRead> {
        let Some(listed) = self.shard(py, stream, shard)? else { return Ok(RangeRead::gone(0)) };
        let initial = from_ms.map_or(InitialPosition::TrimHorizon, InitialPosition::AtTimestamp);
        let kinesis = self.kinesis(py)?;
        let hash_range = Some(listed.hash_range);
        let cursor = ShardCursor::new(kinesis, stream.into(), listed.id, hash_range, &initial.checkpoint(), initial);
        Ok(RangeRead::new(RangeReader::until(cursor, until_ms, self.poll.clone())))
    }
}

fn position(py: Python<'_>, text: &str) -> PyResult<Position> {
    match text.parse() {
        Ok(Checkpoint::At(position)) => Ok(position),
        _ => Err(error::illegal_argument(py, format!("`{text}` is no place of a record: expected sequence:sub"))),
    }
}

/// Runs calls to Kinesis on the process's runtime, detached from the interpreter.
pub(crate) fn wait<T: Send + 'static>(
    py: Python<'_>,
    calls: impl Future<Output = Result<T, KinesisError>> + Send + 'static,
) -> PyResult<T> {
    let answer = py.detach(|| wait_for(calls)).map_err(|broken| error::of_cause(py, &broken))?;
    answer.map_err(|failed| error::of_kinesis(py, &failed))
}
