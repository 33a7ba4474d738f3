//! Finding a record far ahead in a shard, without reading what lies between.

use std::sync::Arc;

use millstream_kinesis::{
    Checkpoint, HashKeyRange, InitialPosition, Kinesis, KinesisError, PollOptions, PollingReader, Position, Read,
    RecordBlock, ShardCursor, ShardId, now_ms,
};
use tokio::time::sleep;

/// What is nearer is read.
const NEAR_MS: i64 = 500;
/// A batch spans no more of a shard's time, for one that fails is run again as a whole.
const MOST_MS: i64 = 60_000;
/// Answers without a record before one is given up; Kinesis gives some where records have expired, or arrived long apart.
const EMPTY_ANSWERS: u32 = 5;

/// One shard that is to be looked at.
pub(super) struct Scout {
    pub(super) kinesis: Arc<dyn Kinesis>,
    pub(super) stream: Arc<str>,
    pub(super) shard: ShardId,
    pub(super) hash_range: Option<HashKeyRange>,
    pub(super) poll: PollOptions,
    /// Records that arrived later are not looked for, in milliseconds since the epoch.
    pub(super) until_ms: Option<i64>,
}

impl Scout {
    /// The first record behind `from`, and one that lies as far behind it as can be found with a few calls.
    ///
    /// There is no call for a shard's newest record, but one for the first record after a time: the time between here and now
    /// is halved until a record follows it.
    pub(super) async fn look(
        &self,
        from: &Checkpoint,
        initial: InitialPosition,
    ) -> Result<Option<(Position, Position)>, KinesisError> {
        let Some(next) = self.record_at(from, initial).await? else { return Ok(None) };
        let (Some(first), Some(begin_ms)) = (next.first(), next.arrivals().first().copied()) else { return Ok(None) };
        // A time to come is refused, and clocks are not all the same.
        let latest_ms = now_ms() - NEAR_MS;
        let mut ahead_ms = self.until_ms.map_or(latest_ms, |until_ms| until_ms.min(latest_ms)) - begin_ms;
        ahead_ms = ahead_ms.min(MOST_MS);
        // From `near_ms` on there is a record, from `far_ms` on there is none.
        let (mut near_ms, mut far_ms, mut to) = (0, None, None);
        while ahead_ms - near_ms >= NEAR_MS.max(near_ms / 16) {
            sleep(self.poll.min_interval).await;
            match self.record_after(begin_ms + ahead_ms, &first).await? {
                Some((position, at_ms)) => (near_ms, to) = ((at_ms - begin_ms).max(ahead_ms), Some(position)),
                None => far_ms = Some(ahead_ms),
            }
            let Some(far_ms) = far_ms else { break };
            ahead_ms = near_ms + (far_ms - near_ms) / 2;
        }
        Ok(to.map(|to| (first, to)))
    }

    /// A record that arrived at this time or later, behind `first`, and when.
    async fn record_after(&self, time_ms: i64, first: &Position) -> Result<Option<(Position, i64)>, KinesisError> {
        let time = InitialPosition::AtTimestamp(time_ms);
        let Some(block) = self.record_at(&Checkpoint::AtTimestamp, time).await? else { return Ok(None) };
        let found = block.last().zip(block.arrivals().last().copied());
        let is_within = |at_ms: i64| self.until_ms.is_none_or(|until_ms| at_ms <= until_ms);
        Ok(found.filter(|(position, at_ms)| position > first && is_within(*at_ms)))
    }

    /// The next stored record, which is several where it is an aggregate.
    async fn record_at(&self, at: &Checkpoint, initial: InitialPosition) -> Result<Option<RecordBlock>, KinesisError> {
        let (kinesis, stream) = (self.kinesis.clone(), self.stream.clone());
        let cursor = ShardCursor::new(kinesis, stream, self.shard.clone(), self.hash_range, at, initial);
        let mut reader = PollingReader::new(cursor, &PollOptions { limit: 1, ..self.poll.clone() });
        for _ in 0..EMPTY_ANSWERS {
            match reader.next().await? {
                Read::Records { block, .. } if !block.is_empty() => return Ok(Some(block)),
                Read::Records { millis_behind: 0, .. } | Read::End { .. } => break,
                Read::Records { .. } => {}
            }
        }
        Ok(None)
    }
}
