//! A consumer of Kinesis as a source of batches.

use crate::kinesis::past::{history_of, part_of, range_of};
use crate::kinesis::runtime::wait_for;
use crate::kinesis::{KinesisInput, KinesisWatch};
use futures::future::try_join_all;
use millstream_consumer::{Consumer, ConsumerError, CutId};
use millstream_engine::{BatchTime, BoxError, Cut, Part, PastInput, Source};
use millstream_kinesis::{Kinesis, RangeRead, RecordBlock, Shard, ShardRange, read_range};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Without grace, writing the last checkpoints and giving the leases back may take so long. Not doing it at all would make the
/// next worker wait for the leases to expire.
const HASTY_SHUTDOWN: Duration = Duration::from_secs(2);

/// Records of a batch of an earlier run are not in the stream any more.
#[derive(Debug, Error)]
#[error(
    "{missing} records of batch {time} are not in the stream any more, of {range}: their retention has passed, or the stream was \
     made anew"
)]
struct DataLoss {
    time: BatchTime,
    range: ShardRange,
    missing: u64,
}

/// The program has not said that it may lose records.
#[derive(Debug, Error)]
#[error("{0}. To go on without them, set spark.millstream.failOnDataLoss=false; the states then lack them")]
struct DataLossNotAllowed(DataLoss);

/// Where a batch's records come from, for people.
fn metadata(ranges: &[ShardRange]) -> String {
    ranges.iter().map(ShardRange::to_string).collect::<Vec<_>>().join("\n")
}

/// Makes a batch's dataset of its blocks: shard by shard, in order within each.
type Make<D> = Box<dyn FnMut(Vec<RecordBlock>) -> Result<D, BoxError> + Send>;

/// Reads a Kinesis stream for an engine. A batch that is committed lets the checkpoints of its shards move past it.
pub struct KinesisSource<D> {
    input: KinesisInput,
    make: Make<D>,
    consumer: Option<Consumer>,
    watch: KinesisWatch,
    kinesis: Option<Arc<dyn Kinesis>>,
    /// Of an earlier run, until the start.
    past: Option<PastInput>,
    /// The stream's shards, once a batch was read once more.
    shards: Option<Vec<Shard>>,
    cuts: BTreeMap<BatchTime, CutId>,
    /// Records that a cut may take.
    limit: u64,
}

impl<D> KinesisSource<D> {
    /// A source that asks nothing of AWS before it starts. `make` is called at every cut, also with no blocks.
    pub fn new(
        input: KinesisInput,
        make: impl FnMut(Vec<RecordBlock>) -> Result<D, BoxError> + Send + 'static,
    ) -> Self {
        Self {
            watch: KinesisWatch::new(&input),
            input,
            make: Box::new(make),
            consumer: None,
            kinesis: None,
            past: None,
            shards: None,
            cuts: BTreeMap::new(),
            limit: u64::MAX,
        }
    }

    /// Sees the shards while the source runs.
    pub fn watch(&self) -> KinesisWatch {
        self.watch.clone()
    }

    fn consumer(&self) -> Result<&Consumer, BoxError> {
        self.consumer.as_ref().ok_or_else(|| "the Kinesis source is not running".into())
    }

    /// Reads what an earlier run has cut, all shards at a time.
    fn read_again(&mut self, time: BatchTime, ranges: &[ShardRange]) -> Result<Vec<RecordBlock>, BoxError> {
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let kinesis = self.kinesis.clone().ok_or("the Kinesis source is not running")?;
        let (known, poll) = (self.shards.take(), self.input.consumer.poll.clone());
        let (stream, wanted) = (self.input.consumer.streams.name().into_owned(), ranges.to_vec());
        let read = wait_for(async move {
            let shards = match known {
                Some(shards) => shards,
                None => kinesis.list_shards(&stream).await?,
            };
            let reads = wanted.iter().map(|range| read_range(kinesis.clone(), range, &shards, poll.clone()));
            let reads = try_join_all(reads).await?;
            Ok::<_, ConsumerError>((reads, shards))
        })?;
        let (reads, shards) = read?;
        self.shards = Some(shards);
        let mut blocks = Vec::new();
        for (range, RangeRead { blocks: read, missing }) in ranges.iter().zip(reads) {
            if missing > 0 {
                let loss = DataLoss { time, range: range.clone(), missing };
                if self.input.consumer.fail_on_data_loss {
                    return Err(DataLossNotAllowed(loss).into());
                }
                tracing::error!(%loss, "the batch runs without them");
            }
            self.watch.read_again(&range.shard, read.iter().map(|block| block.len() as u64).sum());
            blocks.extend(read);
        }
        Ok(blocks)
    }

    fn report(&mut self, time: BatchTime, report: impl Fn(&Consumer, CutId)) {
        if let (Some(cut), Some(consumer)) = (self.cuts.remove(&time), &self.consumer) {
            report(consumer, cut);
        }
    }
}

impl<D: 'static> Source<D> for KinesisSource<D> {
    fn name(&self) -> Option<String> {
        Some(format!("kinesis {} {}", self.input.application, self.input.consumer.streams.name()))
    }

    fn recover(&mut self, past: PastInput) {
        self.past = Some(past);
    }

    /// Fails with a [`ConsumerError`] that says what is wrong: stream, region, credentials, endpoint, lease table.
    fn start(&mut self) -> Result<(), BoxError> {
        let input = self.input.clone();
        let mut consumer = input.consumer.clone();
        if let Some(past) = self.past.take() {
            consumer.history = Some(history_of(&consumer.streams.name(), &past)?);
            self.cuts = past.open.iter().map(|(time, _)| *time).zip(0..).collect();
        }
        let connect = async move {
            let (kinesis, store) = input.connect().await?;
            consumer.metrics = input.connect_metrics().await;
            Ok((Consumer::start(kinesis.clone(), store, consumer).await?, kinesis))
        };
        let started: Result<_, ConsumerError> = wait_for(connect)?;
        let (consumer, kinesis) = started?;
        self.watch.begin(consumer.observer());
        (self.consumer, self.kinesis) = (Some(consumer), Some(kinesis));
        Ok(())
    }

    fn limit(&mut self, records: Option<u64>) {
        self.limit = records.unwrap_or(u64::MAX);
    }

    fn cut(&mut self, time: BatchTime) -> Result<Cut<D>, BoxError> {
        let cut = self.consumer()?.cut_at_most(self.limit)?;
        let records = cut.inputs.iter().map(|input| input.range.records).sum();
        let ranges: Vec<ShardRange> = cut.inputs.iter().map(|input| input.range.clone()).collect();
        let blocks = cut.inputs.into_iter().flat_map(|input| input.blocks).collect();
        match (self.make)(blocks) {
            Ok(dataset) => {
                self.cuts.insert(time, cut.id);
                Ok(Cut { dataset, records, metadata: metadata(&ranges), parts: ranges.iter().map(part_of).collect() })
            }
            Err(error) => {
                self.consumer()?.failed(cut.id);
                Err(error)
            }
        }
    }

    fn recut(&mut self, time: BatchTime, parts: &[Part]) -> Result<Cut<D>, BoxError> {
        let stream = self.input.consumer.streams.name();
        let ranges = parts.iter().map(|part| range_of(&stream, part)).collect::<Result<Vec<_>, _>>()?;
        let again = self.read_again(time, &ranges).and_then(|blocks| {
            let records = blocks.iter().map(|block| block.len() as u64).sum();
            Ok(Cut { dataset: (self.make)(blocks)?, records, metadata: metadata(&ranges), parts: parts.to_vec() })
        });
        again.inspect_err(|_| self.report(time, Consumer::failed))
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
