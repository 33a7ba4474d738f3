//! The KCL's way to write a consumer: a [`ShardRecordProcessor`] for each shard, run by a [`Scheduler`].
//!
//! ```no_run
//! # use millstream_consumer::processor::*;
//! # use millstream_consumer::{Checkpointer, ShardConsumer};
//! # async fn example(consumer: ShardConsumer, shutdown: tokio_util::sync::CancellationToken) -> Result<(), SchedulerError> {
//! struct Printer;
//!
//! #[async_trait::async_trait]
//! impl ShardRecordProcessor for Printer {
//!     async fn process_records(&mut self, input: ProcessRecordsInput, checkpointer: &Checkpointer) -> ProcessorResult {
//!         for record in input.records() {
//!             println!("{}", String::from_utf8_lossy(record.data));
//!         }
//!         Ok(checkpointer.checkpoint().await?)
//!     }
//! }
//!
//! Scheduler::new(consumer, || Printer).run(shutdown).await
//! # }
//! ```

mod scheduler;

use async_trait::async_trait;
use millstream_kinesis::{Checkpoint, RecordRef, ShardId};

use crate::buffer::ShardInput;
use crate::shard_stream::Checkpointer;

pub use scheduler::{Scheduler, SchedulerError};

/// What a processor's methods return. An error ends the [`Scheduler`]: nothing behind it is checkpointed, so that nothing is
/// passed over.
pub type ProcessorResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Processes one shard (KCL `ShardRecordProcessor`). First `initialize`, then `process_records` again and again, at last one of
/// `lease_lost`, `shard_ended` and `shutdown_requested`. One call at a time; shards run side by side.
#[async_trait]
pub trait ShardRecordProcessor: Send + 'static {
    /// Before the first records.
    async fn initialize(&mut self, input: InitializationInput) -> ProcessorResult {
        let _ = input;
        Ok(())
    }

    /// Records, never none. Checkpoint as often as fits: what lies behind the last checkpoint comes again after a failure.
    async fn process_records(&mut self, input: ProcessRecordsInput, checkpointer: &Checkpointer) -> ProcessorResult;

    /// Another worker has the lease, or may have it: a checkpoint is refused now.
    async fn lease_lost(&mut self) -> ProcessorResult {
        Ok(())
    }

    /// Everything of the shard was delivered, and it is closed. It must be checkpointed, for the children are read after that.
    async fn shard_ended(&mut self, checkpointer: &Checkpointer) -> ProcessorResult {
        Ok(checkpointer.checkpoint().await?)
    }

    /// The lease is to be given up, to another worker or at the end of this one: the last moment for a checkpoint. Records that
    /// were read and not delivered are the next reader's.
    async fn shutdown_requested(&mut self, checkpointer: &Checkpointer) -> ProcessorResult {
        let _ = checkpointer;
        Ok(())
    }
}

/// Where the processing of a shard begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitializationInput {
    /// The stream's name.
    pub stream: String,
    /// The shard.
    pub shard: ShardId,
    /// The checkpoint that reading begins behind (`extendedSequenceNumber`).
    pub checkpoint: Checkpoint,
    /// A checkpoint that the shard's last reader prepared and did not write, and what it was prepared with
    /// (`pendingCheckpointSequenceNumber`, `pendingCheckpointState`).
    pub pending: Option<(Checkpoint, Option<Vec<u8>>)>,
}

/// Records of a shard, in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessRecordsInput {
    /// The records in columns, and their range.
    pub input: ShardInput,
    /// How old the newest record was when the last answer came, against the tip of the shard, in milliseconds.
    pub millis_behind_latest: i64,
}

impl ProcessRecordsInput {
    /// The records one by one.
    pub fn records(&self) -> impl Iterator<Item = RecordRef<'_>> {
        self.input.blocks.iter().flat_map(|block| block.iter())
    }
}
