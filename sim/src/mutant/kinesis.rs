//! A Kinesis whose answers are taken for something else.

use std::sync::Arc;

use async_trait::async_trait;
use millstream_kinesis::testing::FakeKinesis;
use millstream_kinesis::{
    ChildShard, GetRecords, HashKeyRange, Kinesis, KinesisError, PutEntry, PutOutcome, ReadFrom, Shard, ShardId,
    StreamConsumer, StreamOrigin, Subscription,
};

use super::Mutant;
use crate::names::stream_name;

pub(super) struct MutantKinesis {
    pub(super) fake: Arc<FakeKinesis>,
    pub(super) mutant: Mutant,
}

impl MutantKinesis {
    /// The stream that is asked when this one is meant.
    fn asked<'a>(&self, stream: &'a str) -> &'a str {
        if self.mutant == Mutant::StreamsMixed { stream_name(0) } else { stream }
    }
}

#[async_trait]
impl Kinesis for MutantKinesis {
    async fn list_shards(&self, stream: &str) -> Result<Vec<Shard>, KinesisError> {
        self.fake.list_shards(stream).await
    }

    async fn get_iterator(&self, stream: &str, shard: &ShardId, at: &ReadFrom) -> Result<String, KinesisError> {
        let at = match (self.mutant, at) {
            (Mutant::IteratorAtLatest, ReadFrom::After(_)) => &ReadFrom::Latest,
            _ => at,
        };
        self.fake.get_iterator(self.asked(stream), shard, at).await
    }

    async fn get_records(
        &self,
        stream: &str,
        shard: &ShardId,
        iterator: &str,
        limit: u32,
    ) -> Result<GetRecords, KinesisError> {
        let mut answer = self.fake.get_records(self.asked(stream), shard, iterator, limit).await?;
        if self.mutant == Mutant::TruncatedAnswerIsEnd && answer.next.is_none() && answer.children.is_empty() {
            // With a child the reader asks no more questions.
            let child = ChildShard { id: shard.clone(), parents: Vec::new(), hash_range: HashKeyRange::ALL };
            answer.children.push(child);
        }
        Ok(answer)
    }

    async fn find_consumer(&self, stream: &str, name: &str) -> Result<Option<StreamConsumer>, KinesisError> {
        self.fake.find_consumer(stream, name).await
    }

    async fn register_consumer(&self, stream: &str, name: &str) -> Result<StreamConsumer, KinesisError> {
        self.fake.register_consumer(stream, name).await
    }

    async fn subscribe(
        &self,
        stream: &str,
        consumer_arn: &str,
        shard: &ShardId,
        at: &ReadFrom,
    ) -> Result<Box<dyn Subscription>, KinesisError> {
        self.fake.subscribe(self.asked(stream), consumer_arn, shard, at).await
    }

    async fn put_records(&self, stream: &str, entries: &[PutEntry]) -> Result<Vec<PutOutcome>, KinesisError> {
        self.fake.put_records(stream, entries).await
    }

    async fn create_stream(&self, stream: &str, shards: u32) -> Result<(), KinesisError> {
        self.fake.create_stream(stream, shards).await
    }

    async fn stream_origin(&self, stream: &str) -> Result<StreamOrigin, KinesisError> {
        self.fake.stream_origin(stream).await
    }

    async fn stream_active(&self, stream: &str) -> Result<bool, KinesisError> {
        self.fake.stream_active(stream).await
    }
}
