//! Runs a processor for each shard.

use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::ShardId;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{InitializationInput, ProcessRecordsInput, ProcessorResult, ShardRecordProcessor};
use crate::error::ConsumerError;
use crate::shard_consumer::ShardConsumer;
use crate::shard_stream::{CheckpointError, ShardEvent, ShardStream};

/// Records of one call at most, as the KCL's `maxRecords`.
const MAX_RECORDS: u64 = 10_000;

/// How long a processor that has lost its lease may go on with what it does.
const PATIENCE: Duration = Duration::from_secs(1);

/// A worker that runs a processor of its own for each shard it reads (KCL `Scheduler`).
pub struct Scheduler<F> {
    consumer: ShardConsumer,
    factory: F,
    max_records: u64,
}

/// Why a scheduler ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// Kinesis or the lease table can't be used any more.
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    /// A processor failed. Its shard is read again from the last checkpoint, by another worker or after a new start.
    #[error("{method} failed for shard {shard} of stream {stream}: {cause}")]
    Processor {
        /// The stream's name.
        stream: Arc<str>,
        /// The shard.
        shard: ShardId,
        /// The method of the processor.
        method: &'static str,
        /// What it returned.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A processor panicked.
    #[error("a processor panicked: {0}")]
    Panicked(JoinError),
    /// A shard was processed to its end, which was not checkpointed.
    #[error(
        "shard_ended of shard {shard} of stream {stream} returned without a checkpoint: call checkpoint() in it, or the shard's children are never read"
    )]
    EndNotCheckpointed {
        /// The stream's name.
        stream: Arc<str>,
        /// The shard.
        shard: ShardId,
    },
}

impl<F, P> Scheduler<F>
where
    F: FnMut() -> P,
    P: ShardRecordProcessor,
{
    /// A scheduler that asks `factory` for a processor at each shard.
    pub fn new(consumer: ShardConsumer, factory: F) -> Self {
        Self { consumer, factory, max_records: MAX_RECORDS }
    }

    /// Hands out at most so many records in a call.
    #[must_use]
    pub fn max_records(self, max_records: u64) -> Self {
        Self { max_records: max_records.max(1), ..self }
    }

    /// Runs until `shutdown`, then asks all processors to end, and gives the leases back. A processor that does not end within
    /// the consumer's `shutdown_timeout` is dropped at its next await.
    ///
    /// # Errors
    /// The first error of a processor, or the consumer's; the other processors are shut down in order before this returns.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), SchedulerError> {
        let mut shards: JoinSet<Result<(), SchedulerError>> = JoinSet::new();
        let mut outcome = loop {
            tokio::select! {
                () = shutdown.cancelled() => break Ok(()),
                next = self.consumer.next() => match next {
                    Ok(Some(stream)) => {
                        shards.spawn(process(stream, (self.factory)(), self.max_records));
                    }
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error.into()),
                },
                Some(ended) = shards.join_next() => if let Err(error) = flatten(ended) {
                    break Err(error);
                },
            }
        };
        self.consumer.shutdown().await;
        // Streams that nobody took, too: their leases are gone now.
        drop(self.consumer);
        while let Ok(Some(ended)) = tokio::time::timeout(PATIENCE, shards.join_next()).await {
            outcome = outcome.and(flatten(ended));
        }
        if !shards.is_empty() {
            tracing::warn!(shards = shards.len(), "processors did not end in time; they are dropped");
        }
        outcome
    }
}

fn flatten(ended: Result<Result<(), SchedulerError>, JoinError>) -> Result<(), SchedulerError> {
    ended.unwrap_or_else(|panic| Err(SchedulerError::Panicked(panic)))
}

/// The life of one processor.
async fn process<P: ShardRecordProcessor>(
    mut stream: ShardStream,
    mut processor: P,
    max_records: u64,
) -> Result<(), SchedulerError> {
    let (name, shard, checkpointer) = (stream.stream().clone(), stream.shard().clone(), stream.checkpointer());
    let check = |method: &'static str, result: ProcessorResult| {
        result.map_err(|cause| SchedulerError::Processor { stream: name.clone(), shard: shard.clone(), method, cause })
    };
    // A processor that hands on the refusal of its checkpoint has not failed.
    let has_lost = |result: &ProcessorResult| {
        let cause = result.as_ref().err().and_then(|cause| cause.downcast_ref::<CheckpointError>());
        matches!(cause, Some(CheckpointError::LeaseLost { .. }))
    };
    let input = InitializationInput {
        stream: name.to_string(),
        shard: shard.clone(),
        checkpoint: stream.from().clone(),
        pending: stream.pending(),
    };
    check("initialize", processor.initialize(input).await)?;
    loop {
        match stream.next(max_records).await {
            ShardEvent::Records { input, millis_behind } => {
                let input = ProcessRecordsInput { input, millis_behind_latest: millis_behind };
                let result = processor.process_records(input, &checkpointer).await;
                if has_lost(&result) {
                    return check("lease_lost", processor.lease_lost().await);
                }
                check("process_records", result)?;
            }
            ShardEvent::Ended => {
                let result = processor.shard_ended(&checkpointer).await;
                if has_lost(&result) {
                    return check("lease_lost", processor.lease_lost().await);
                }
                check("shard_ended", result)?;
                return match stream.is_committed_to_end() {
                    true => Ok(()),
                    false => Err(SchedulerError::EndNotCheckpointed { stream: name, shard }),
                };
            }
            ShardEvent::ShutdownRequested => {
                let result = processor.shutdown_requested(&checkpointer).await;
                return if has_lost(&result) { Ok(()) } else { check("shutdown_requested", result) };
            }
            ShardEvent::LeaseLost => return check("lease_lost", processor.lease_lost().await),
        }
    }
}
