//! A consumer of Kinesis as a source of batches.

use crate::kinesis::KinesisInput;
use crate::kinesis::runtime::wait_for;
use millstream_consumer::{Consumer, ConsumerError, CutId};
use millstream_engine::{BatchTime, BoxError, Cut, Source};
use millstream_kinesis::{AwsKinesis, RecordBlock};
use millstream_lease::{DynamoDbLeaseStore, LeaseStore};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Without grace, writing the last checkpoints and giving the leases back may take so long. Not doing it at all would make the
/// next worker wait for the leases to expire.
const HASTY_SHUTDOWN: Duration = Duration::from_secs(2);

/// Makes a batch's dataset of its blocks: shard by shard, in order within each.
type Make<D> = Box<dyn FnMut(Vec<RecordBlock>) -> Result<D, BoxError> + Send>;

/// Reads a Kinesis stream for an engine. A batch that is committed lets the checkpoints of its shards move past it.
pub struct KinesisSource<D> {
    input: KinesisInput,
    make: Make<D>,
    consumer: Option<Consumer>,
    cuts: BTreeMap<BatchTime, CutId>,
}

impl<D> KinesisSource<D> {
    /// A source that asks nothing of AWS before it starts. `make` is called at every cut, also with no blocks.
    pub fn new(
        input: KinesisInput,
        make: impl FnMut(Vec<RecordBlock>) -> Result<D, BoxError> + Send + 'static,
    ) -> Self {
        Self { input, make: Box::new(make), consumer: None, cuts: BTreeMap::new() }
    }

    fn consumer(&self) -> Result<&Consumer, BoxError> {
        self.consumer.as_ref().ok_or_else(|| "the Kinesis source is not running".into())
    }

    fn report(&mut self, time: BatchTime, report: impl Fn(&Consumer, CutId)) {
        if let (Some(cut), Some(consumer)) = (self.cuts.remove(&time), &self.consumer) {
            report(consumer, cut);
        }
    }
}

impl<D: 'static> Source<D> for KinesisSource<D> {
    /// Fails with a [`ConsumerError`] that says what is wrong: stream, region, credentials, endpoint, lease table.
    fn start(&mut self) -> Result<(), BoxError> {
        let KinesisInput { application, aws, lease_store, consumer } = self.input.clone();
        let connect = async move {
            let kinesis = Arc::new(AwsKinesis::connect(&aws).await?);
            let store: Arc<dyn LeaseStore> = match lease_store {
                Some(url) => url.open(&application).await?,
                None => Arc::new(DynamoDbLeaseStore::connect(&aws, application).await),
            };
            Consumer::start(kinesis, store, consumer).await
        };
        let consumer: Result<Consumer, ConsumerError> = wait_for(connect)?;
        self.consumer = Some(consumer?);
        Ok(())
    }

    fn cut(&mut self, time: BatchTime) -> Result<Cut<D>, BoxError> {
        let cut = self.consumer()?.cut()?;
        let records = cut.inputs.iter().map(|input| input.range.records).sum();
        let metadata = cut.inputs.iter().map(|input| input.range.to_string()).collect::<Vec<_>>().join("\n");
        let blocks = cut.inputs.into_iter().flat_map(|input| input.blocks).collect();
        match (self.make)(blocks) {
            Ok(dataset) => {
                self.cuts.insert(time, cut.id);
                Ok(Cut { dataset, records, metadata })
            }
            Err(error) => {
                self.consumer()?.failed(cut.id);
                Err(error)
            }
        }
    }

    fn committed(&mut self, time: BatchTime) {
        self.report(time, Consumer::processed);
    }

    fn failed(&mut self, time: BatchTime) {
        self.report(time, Consumer::failed);
    }

    fn drain(&mut self) {
        if let Some(consumer) = &self.consumer {
            consumer.pause();
        }
    }

    fn is_drained(&self) -> bool {
        self.consumer.as_ref().is_none_or(Consumer::is_drained)
    }

    fn stop(&mut self, graceful: bool) -> Result<(), BoxError> {
        let Some(mut consumer) = self.consumer.take() else { return Ok(()) };
        let limit = if graceful { Duration::MAX } else { HASTY_SHUTDOWN };
        wait_for(async move {
            if tokio::time::timeout(limit, consumer.shutdown()).await.is_err() {
                tracing::warn!("leases could not be given back in time; they expire by themselves");
            }
        })
    }
}
