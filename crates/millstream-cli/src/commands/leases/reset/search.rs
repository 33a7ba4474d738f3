use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::kpl::deaggregate;
use millstream_kinesis::{Checkpoint, Kinesis, KinesisError, Position, ReadFrom, RecordBlock, Shard, ShardId};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::error::CliError;

/// Shards that are looked at together.
const AT_ONCE: usize = 16;
/// A span that is read from end to end rather than halved once more, in milliseconds.
const SPAN_MS: i64 = 1_000;
/// Kinesis allows five reads a second of each shard.
const PAUSE: Duration = Duration::from_millis(200);
/// Reads in a row that are throttled or not answered.
const ATTEMPTS: u32 = 10;

/// After what each shard is to be read, to get what arrived at `time_ms` or later (milliseconds since the epoch), and nothing
/// else. [`Checkpoint::ShardEnd`]: nothing of it.
///
/// A lease can't say a time by itself: `AT_TIMESTAMP` is the time that each worker is configured with. So it gets the last record
/// before; where there is none, the shard's beginning is the same.
pub(super) async fn starts_at(
    kinesis: &Arc<dyn Kinesis>,
    stream: &str,
    shards: &BTreeMap<ShardId, Shard>,
    time_ms: i64,
) -> Result<BTreeMap<ShardId, Checkpoint>, CliError> {
    let mut starts = BTreeMap::new();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut waiting: Vec<&Shard> = shards.values().collect();
    while !waiting.is_empty() {
        let is_known = |parent: &ShardId| starts.contains_key(parent) || !shards.contains_key(parent);
        let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|shard| shard.parents.iter().all(is_known));
        if now.is_empty() {
            // Never: a shard is made of older ones. What is not told of is read from its beginning.
            return Ok(starts);
        }
        let mut tasks = JoinSet::new();
        let mut known = Vec::new();
        for shard in now {
            // All of it came after a record that is wanted of its parent.
            let is_wanted = |parent: &ShardId| starts.get(parent).is_some_and(|start| *start != Checkpoint::ShardEnd);
            if shard.parents.iter().any(is_wanted) {
                known.push((shard.id.clone(), Checkpoint::TrimHorizon));
                continue;
            }
            let search =
                Search { kinesis: Arc::clone(kinesis), stream: stream.to_owned(), shard: shard.clone(), time_ms };
            let room = Arc::clone(&room);
            tasks.spawn(async move {
                let _place = room.acquire().await;
                let start = search.start().await?;
                Ok::<_, KinesisError>((search.shard.id, start))
            });
        }
        starts.extend(known);
        while let Some(done) = tasks.join_next().await {
            let (shard, start) = done.map_err(|failure| CliError::Runtime(failure.into()))??;
            starts.insert(shard, start);
        }
        waiting = later;
    }
    Ok(starts)
}

struct Search {
    kinesis: Arc<dyn Kinesis>,
    stream: String,
    shard: Shard,
    time_ms: i64,
}

impl Search {
    async fn start(&self) -> Result<Checkpoint, KinesisError> {
        if self.shard.is_closed() && self.first(&ReadFrom::AtTimestamp(self.time_ms)).await?.is_none() {
            return Ok(Checkpoint::ShardEnd);
        }
        let oldest = self.first(&ReadFrom::TrimHorizon).await?;
        let Some(mut before_ms) = oldest.filter(|arrival_ms| *arrival_ms < self.time_ms) else {
            return Ok(Checkpoint::TrimHorizon);
        };
        // A record arrived at `before_ms`, and none from `bound_ms` on that is before the time.
        let mut bound_ms = self.time_ms;
        while bound_ms - before_ms > SPAN_MS {
            let middle_ms = before_ms + (bound_ms - before_ms) / 2;
            match self.first(&ReadFrom::AtTimestamp(middle_ms)).await? {
                Some(arrival_ms) if arrival_ms < self.time_ms => before_ms = arrival_ms.max(middle_ms),
                _ => bound_ms = middle_ms,
            }
        }
        let last = self.last_before(&ReadFrom::AtTimestamp(before_ms)).await?;
        Ok(last.map_or(Checkpoint::TrimHorizon, Checkpoint::At))
    }

    /// When the first record from there on arrived, in milliseconds since the epoch.
    async fn first(&self, from: &ReadFrom) -> Result<Option<i64>, KinesisError> {
        let mut found = None;
        self.read(from, 1, |block| {
            found = block.arrivals().first().copied();
            found.is_none()
        })
        .await?;
        Ok(found)
    }

    /// The last user record from there on that arrived before the time.
    async fn last_before(&self, from: &ReadFrom) -> Result<Option<Position>, KinesisError> {
        let mut last = None;
        self.read(from, 10_000, |block| {
            let users = deaggregate(block, Some(&self.shard.hash_range)).block;
            for record in users.iter() {
                if record.arrival_ms >= self.time_ms {
                    return false;
                }
                last = record.sequence.parse().ok().map(|sequence| Position { sequence, sub: record.sub });
            }
            true
        })
        .await?;
        Ok(last)
    }

    /// Reads on as long as it is wanted and there is something.
    async fn read(
        &self,
        from: &ReadFrom,
        limit: u32,
        mut wants_more: impl FnMut(&RecordBlock) -> bool,
    ) -> Result<(), KinesisError> {
        let mut failures = 0;
        let mut iterator = None;
        loop {
            let read = async {
                let at = match iterator.clone() {
                    Some(at) => at,
                    None => self.kinesis.get_iterator(&self.stream, &self.shard.id, from).await?,
                };
                self.kinesis.get_records(&self.stream, &self.shard.id, &at, limit).await
            };
            let answer = match read.await {
                Ok(answer) => answer,
                Err(error) if error.is_retryable() && failures < ATTEMPTS => {
                    failures += 1;
                    tracing::info!(shard = %self.shard.id, %error, "the shard is read once more");
                    sleep(PAUSE * 2u32.pow(failures.min(5))).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            failures = 0;
            let is_all = answer.millis_behind == 0 || answer.next.is_none();
            if !wants_more(&answer.block) || is_all {
                return Ok(());
            }
            iterator = answer.next;
            sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use millstream_kinesis::PutEntry;
    use millstream_kinesis::kpl::Aggregator;
    use millstream_kinesis::testing::FakeKinesis;

    use super::*;

    const STREAM: &str = "words";

    fn put_at(fake: &FakeKinesis, shard: &ShardId, at_ms: i64) -> Checkpoint {
        fake.set_clock_ms(at_ms);
        Checkpoint::At(Position { sequence: fake.put(STREAM, shard, PutEntry::new("k", at_ms.to_string())), sub: 0 })
    }

    async fn found(fake: &Arc<FakeKinesis>, time_ms: i64) -> BTreeMap<ShardId, Checkpoint> {
        // Later than all times that are asked for: a time to come is refused.
        fake.set_clock_ms(1_900_000_000_000);
        let kinesis: Arc<dyn Kinesis> = Arc::clone(fake) as _;
        let shards = kinesis.list_shards(STREAM).await.unwrap();
        let shards = shards.into_iter().map(|shard| (shard.id.clone(), shard)).collect();
        starts_at(&kinesis, STREAM, &shards, time_ms).await.unwrap()
    }

    async fn only_shard(fake: &Arc<FakeKinesis>) -> ShardId {
        fake.list_shards(STREAM).await.unwrap().remove(0).id
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_record_before_a_time_is_found_however_they_are_spread() {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        fake.set_page(3);
        let shard = only_shard(&fake).await;
        let hour = 3_600_000;
        // One alone, some in one millisecond, some within a second, a quiet day.
        let times = [0, 5 * hour, 5 * hour, 5 * hour, 5 * hour + 1, 5 * hour + 900, 6 * hour, 30 * hour];
        let times = times.map(|after_ms| 1_795_000_000_000 + after_ms);
        let records = times.map(|at_ms| (at_ms, put_at(&fake, &shard, at_ms)));
        for time_ms in times.iter().flat_map(|at_ms| [at_ms - 1, *at_ms, at_ms + 1, at_ms + hour]) {
            let before = records.iter().rev().find(|(at_ms, _)| *at_ms < time_ms);
            let expected = before.map_or(Checkpoint::TrimHorizon, |(_, record)| record.clone());
            assert_eq!(found(&fake, time_ms).await[&shard], expected, "at {time_ms}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_of_an_aggregate_from_before_is_passed_over() {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        let shard = only_shard(&fake).await;
        let mut aggregator = Aggregator::new(10_000);
        for word in ["a", "b", "c"] {
            aggregator.add(PutEntry::new(word, word));
        }
        fake.set_clock_ms(1_000_000);
        let sequence = fake.put(STREAM, &shard, aggregator.finish().unwrap());
        put_at(&fake, &shard, 2_000_000);
        assert_eq!(found(&fake, 1_500_000).await[&shard], Checkpoint::At(Position { sequence, sub: 2 }));
    }

    #[tokio::test(start_paused = true)]
    async fn closed_shards_are_read_as_far_as_they_have_something() {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        let parent = only_shard(&fake).await;
        let last = put_at(&fake, &parent, 1_000_000);
        put_at(&fake, &parent, 2_000_000);
        let [low, high] = fake.split(STREAM, &parent);
        let of_low = put_at(&fake, &low, 3_000_000);
        let table = [
            (1_500_000, [last, Checkpoint::TrimHorizon, Checkpoint::TrimHorizon]),
            (2_500_000, [Checkpoint::ShardEnd, Checkpoint::TrimHorizon, Checkpoint::TrimHorizon]),
            (3_500_000, [Checkpoint::ShardEnd, of_low, Checkpoint::TrimHorizon]),
        ];
        for (time_ms, expected) in table {
            let starts = found(&fake, time_ms).await;
            assert_eq!([&starts[&parent], &starts[&low], &starts[&high]], expected.each_ref(), "at {time_ms}");
        }
    }
}
