use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::{
    Checkpoint, InitialPosition, Kinesis, KinesisError, PollOptions, PollingReader, Read, ShardCursor, now_ms,
};
use millstream_lease::Lease;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::error::CliError;

/// Shards that are looked at together.
const AT_ONCE: usize = 16;
/// Answers without a record, of which a long quiet time has several.
const READS: usize = 8;

/// How far an application is behind in one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lag {
    /// The age of the oldest record that is not processed, in milliseconds; 0: there is none.
    Behind(i64),
    /// The shard is processed to its end.
    Ended,
    /// Not begun at a place that the lease tells.
    Unknown,
    /// The stream does not list the shard any more: what was not processed is gone.
    Gone,
}

impl Lag {
    /// In milliseconds, where there is one.
    pub(crate) fn ms(self) -> Option<i64> {
        match self {
            Lag::Behind(ms) => Some(ms),
            Lag::Ended => Some(0),
            Lag::Unknown | Lag::Gone => None,
        }
    }
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lag::Behind(ms) if *ms < 1_000 => write!(f, "{ms}ms"),
            Lag::Behind(ms) if *ms < 120_000 => write!(f, "{}s", ms / 1_000),
            Lag::Behind(ms) if *ms < 7_200_000 => write!(f, "{}m", ms / 60_000),
            Lag::Behind(ms) => write!(f, "{}h", ms / 3_600_000),
            Lag::Ended => f.write_str("ended"),
            Lag::Unknown => f.write_str("-"),
            Lag::Gone => f.write_str("gone"),
        }
    }
}

/// The lag of each lease, in their order. `streams`: the stream's name by what a lease's key begins with.
pub(crate) async fn lags(
    kinesis: &Arc<dyn Kinesis>,
    streams: &BTreeMap<String, String>,
    leases: &[Lease],
) -> Result<Vec<Lag>, CliError> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (index, lease) in leases.iter().cloned().enumerate() {
        let (kinesis, stream, room) = (Arc::clone(kinesis), streams.get(lease.stream()).cloned(), Arc::clone(&room));
        tasks.spawn(async move {
            let _place = room.acquire().await;
            match stream {
                Some(stream) => lag(kinesis, &stream, &lease).await.map(|lag| (index, lag)),
                None => Ok((index, Lag::Unknown)),
            }
        });
    }
    let mut lags = vec![Lag::Unknown; leases.len()];
    while let Some(done) = tasks.join_next().await {
        let (index, lag) = done.map_err(|failure| CliError::Runtime(failure.into()))??;
        lags[index] = lag;
    }
    Ok(lags)
}

async fn lag(kinesis: Arc<dyn Kinesis>, stream: &str, lease: &Lease) -> Result<Lag, KinesisError> {
    let initial = match (&lease.checkpoint, lease.latest_since_ms) {
        (Checkpoint::ShardEnd, _) => return Ok(Lag::Ended),
        (Checkpoint::Latest, Some(since_ms)) => InitialPosition::AtTimestamp(since_ms),
        (Checkpoint::Latest | Checkpoint::AtTimestamp, _) => return Ok(Lag::Unknown),
        (Checkpoint::TrimHorizon | Checkpoint::At(_), _) => InitialPosition::TrimHorizon,
    };
    let from = if lease.is_untouched() { initial.checkpoint() } else { lease.checkpoint.clone() };
    let cursor = ShardCursor::new(kinesis, stream.into(), lease.shard().into(), lease.hash_range, &from, initial);
    // The last processed record may come first.
    let options = PollOptions { limit: 2, idle_interval: Duration::from_millis(200), ..PollOptions::default() };
    let mut reader = PollingReader::new(cursor, &options);
    let mut behind_ms = 0;
    for _ in 0..READS {
        match reader.next().await {
            Ok(Read::End { .. }) => return Ok(Lag::Behind(0)),
            Ok(Read::Records { block, millis_behind }) => match block.arrivals().first() {
                Some(arrival_ms) => return Ok(Lag::Behind((now_ms() - arrival_ms).max(0))),
                None if millis_behind == 0 => return Ok(Lag::Behind(0)),
                None => behind_ms = millis_behind,
            },
            Err(KinesisError::StreamNotFound { .. }) => return Ok(Lag::Gone),
            Err(error) => return Err(error),
        }
    }
    Ok(Lag::Behind(behind_ms))
}
