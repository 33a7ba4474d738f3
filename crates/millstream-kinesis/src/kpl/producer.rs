use std::sync::Arc;

use super::Aggregator;
use crate::{HashKey, Kinesis, KinesisError, Producer, ProducerError, PutEntry, PutSummary, Shard, ShardId};

/// A larger aggregate would make one record of many more than a reader wants at once (the KPL's `AggregationMaxSize`).
const AGGREGATE_BYTES: usize = 51_200;

/// Puts user records as aggregates, one shard's together, as the KPL does.
///
/// A reader leaves out an aggregate with a record of another shard. So where a stream was resharded meanwhile, and an
/// aggregate went to a shard that does not take all its records, these are put once more.
pub struct AggregatingProducer {
    kinesis: Arc<dyn Kinesis>,
    stream: Arc<str>,
    producer: Producer,
    /// Those that are open, as they were listed last.
    shards: Vec<Shard>,
}

impl AggregatingProducer {
    /// A producer for a stream.
    pub fn new(kinesis: Arc<dyn Kinesis>, stream: impl Into<Arc<str>>) -> Self {
        let stream = stream.into();
        let producer = Producer::new(kinesis.clone(), stream.clone());
        AggregatingProducer { kinesis, stream, producer, shards: Vec::new() }
    }

    /// Puts all records, those of one shard in order. What is counted are aggregates, except for the bytes.
    ///
    /// # Errors
    /// As [`Producer::put_all`]; [`ProducerError::Call`] also where the shards can't be listed.
    pub async fn put_all(&mut self, entries: Vec<PutEntry>) -> Result<PutSummary, ProducerError> {
        let mut total = PutSummary::default();
        if self.shards.is_empty() {
            self.list_shards(total).await?;
        }
        let mut left = entries;
        while !left.is_empty() {
            let bundles = self.bundles(std::mem::take(&mut left));
            let aggregates = bundles.iter().filter_map(|bundle| aggregate(bundle.clone())).collect();
            let mut went_to: Vec<Option<ShardId>> = vec![None; bundles.len()];
            let done = self.producer.put_all_placed(aggregates, |index, shard| went_to[index] = Some(shard.clone()));
            let done = done.await?;
            total = sum(total, done);
            let is_known = |shard: &ShardId| self.shards.iter().any(|known| known.id == *shard);
            let strays = bundles.into_iter().zip(went_to).filter_map(|(bundle, shard)| Some((bundle, shard?)));
            let strays: Vec<(Vec<PutEntry>, ShardId)> = strays.filter(|(_, shard)| !is_known(shard)).collect();
            if !strays.is_empty() {
                self.list_shards(total).await?;
                left = strays.into_iter().filter(|stray| !self.takes(stray)).flat_map(|(bundle, _)| bundle).collect();
                tracing::info!(stream = %self.stream, records = left.len(), "the stream was resharded: records are put again");
            }
        }
        Ok(total)
    }

    /// The records of each aggregate.
    fn bundles(&self, entries: Vec<PutEntry>) -> Vec<Vec<PutEntry>> {
        let mut open: Vec<(usize, Vec<PutEntry>)> = vec![(0, Vec::new()); self.shards.len() + 1];
        let mut full = Vec::new();
        for entry in entries {
            let key = hash_key(&entry);
            let shard = self.shards.iter().position(|shard| shard.hash_range.contains(key));
            let (size, bundle) = &mut open[shard.unwrap_or(self.shards.len())];
            let added = entry.size() + Aggregator::RECORD_OVERHEAD;
            // No shard is known for the last one: each goes alone.
            if !bundle.is_empty() && (*size + added > AGGREGATE_BYTES || shard.is_none()) {
                full.push(std::mem::take(bundle));
                *size = 0;
            }
            *size += added;
            bundle.push(entry);
        }
        full.extend(open.into_iter().map(|(_, bundle)| bundle).filter(|bundle| !bundle.is_empty()));
        full
    }

    /// Whether readers of the shard take the aggregate: a record alone they take in any case.
    fn takes(&self, (bundle, shard): &(Vec<PutEntry>, ShardId)) -> bool {
        let range = self.shards.iter().find(|known| known.id == *shard).map(|shard| shard.hash_range);
        bundle.len() == 1 || range.is_some_and(|range| bundle.iter().all(|entry| range.contains(hash_key(entry))))
    }

    async fn list_shards(&mut self, done: PutSummary) -> Result<(), ProducerError> {
        let listed = self.kinesis.list_shards(&self.stream).await;
        let shards = listed.map_err(|cause: KinesisError| ProducerError::Call { done, cause })?;
        self.shards = shards.into_iter().filter(|shard| !shard.is_closed()).collect();
        Ok(())
    }
}

fn hash_key(entry: &PutEntry) -> HashKey {
    entry.explicit_hash_key.unwrap_or_else(|| HashKey::of_partition_key(&entry.partition_key))
}

fn aggregate(bundle: Vec<PutEntry>) -> Option<PutEntry> {
    let mut aggregator = Aggregator::new(usize::MAX);
    for entry in bundle {
        aggregator.add(entry);
    }
    aggregator.finish()
}

fn sum(one: PutSummary, other: PutSummary) -> PutSummary {
    PutSummary {
        records: one.records + other.records,
        bytes: one.bytes + other.bytes,
        calls: one.calls + other.calls,
        retried: one.retried + other.retried,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kpl::deaggregate;
    use crate::testing::{FakeKinesis, Operation};
    use crate::{HashKeyRange, ReadFrom};

    const STREAM: &str = "words";

    /// What readers of the shard see.
    async fn seen(fake: &FakeKinesis, shard: &ShardId, range: HashKeyRange) -> (Vec<String>, usize) {
        let iterator = fake.get_iterator(STREAM, shard, &ReadFrom::TrimHorizon).await.unwrap();
        let raw = fake.get_records(STREAM, shard, &iterator, 10_000).await.unwrap().block;
        let users = deaggregate(&raw, Some(&range)).block;
        (users.data().iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect(), raw.len())
    }

    fn words(count: usize) -> Vec<PutEntry> {
        (0..count).map(|word| PutEntry::new(format!("key{word}"), word.to_string())).collect()
    }

    #[tokio::test]
    async fn records_of_a_shard_go_together_and_in_order() {
        let fake = FakeKinesis::with_stream(STREAM, 2);
        let mut producer = AggregatingProducer::new(fake.clone(), STREAM);
        producer.put_all(words(2_000)).await.unwrap();
        let mut all = Vec::new();
        for shard in fake.list_shards(STREAM).await.unwrap() {
            let (seen, raw) = seen(&fake, &shard.id, shard.hash_range).await;
            let numbers: Vec<usize> = seen.iter().map(|word| word.parse().unwrap()).collect();
            assert!(numbers.is_sorted() && raw < 10, "{raw} records for {}", numbers.len());
            all.extend(numbers);
        }
        all.sort_unstable();
        assert_eq!(all, (0..2_000).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_went_to_the_wrong_shard_after_a_split_is_put_again() {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        let mut producer = AggregatingProducer::new(fake.clone(), STREAM);
        producer.put_all(words(1)).await.unwrap();
        let parent = fake.list_shards(STREAM).await.unwrap().remove(0);
        fake.split(STREAM, &parent.id);
        producer.put_all(words(100)).await.unwrap();
        let mut all = Vec::new();
        for shard in fake.list_shards(STREAM).await.unwrap().into_iter().filter(|shard| !shard.is_closed()) {
            all.extend(seen(&fake, &shard.id, shard.hash_range).await.0);
        }
        all.sort_unstable();
        let mut expected: Vec<String> = (0..100).map(|word| word.to_string()).collect();
        expected.sort_unstable();
        assert_eq!(all, expected);
        assert_eq!(fake.count(Operation::PutRecords), 3);
    }
}
