use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::{
    ChildShard, HashKeyRange, InitialPosition, Kinesis, KinesisError, PollOptions, PollingReader, Read, ShardCursor,
    ShardId,
};
use tokio::sync::mpsc;

use super::ShardBlock;

/// A shard's five reads a second are shared with the programs whose stream this is: leave them most.
const IDLE_INTERVAL: Duration = Duration::from_secs(1);

/// Reads one shard and hands on its records.
pub(super) struct ShardTask {
    pub(super) kinesis: Arc<dyn Kinesis>,
    pub(super) stream: Arc<str>,
    pub(super) shard: ShardId,
    pub(super) hash_range: HashKeyRange,
    pub(super) from: InitialPosition,
    /// Stop when all is read that had arrived by then (milliseconds since the Unix epoch); none: go on to the shard's end.
    pub(super) until_ms: Option<i64>,
    pub(super) blocks: mpsc::Sender<ShardBlock>,
}

impl ShardTask {
    /// At the shard's end, the shards that follow it; none where the task stopped before.
    pub(super) async fn run(self) -> Result<Option<Vec<ChildShard>>, KinesisError> {
        let checkpoint = self.from.checkpoint();
        let range = Some(self.hash_range);
        let cursor = ShardCursor::new(self.kinesis, self.stream, self.shard, range, &checkpoint, self.from);
        let options = PollOptions { idle_interval: IDLE_INTERVAL, ..PollOptions::default() };
        let mut reader = PollingReader::new(cursor, &options);
        loop {
            let (block, millis_behind) = match reader.next().await? {
                Read::End { children } => return Ok(Some(children)),
                Read::Records { block, millis_behind } => (block, millis_behind),
            };
            let newest_ms = block.arrivals().last().copied();
            if !block.is_empty() {
                let sent = self.blocks.send(ShardBlock { block, hash_range: self.hash_range }).await;
                if sent.is_err() {
                    return Ok(None);
                }
            }
            let is_past = |until_ms| millis_behind == 0 || newest_ms.is_some_and(|newest_ms| newest_ms > until_ms);
            if self.until_ms.is_some_and(is_past) {
                return Ok(None);
            }
        }
    }
}
