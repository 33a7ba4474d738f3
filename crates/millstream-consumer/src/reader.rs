//! The task that reads one shard into the buffer.

use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::{
    Checkpoint, HashKeyRange, InitialPosition, Kinesis, PollOptions, PollingReader, Read, ShardId,
};

use crate::buffer::Epoch;
use crate::error::ConsumerError;
use crate::shared::Shared;

/// Wait before a reader that gave up is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What one reader is to read.
pub(crate) struct Assignment {
    pub(crate) stream: Arc<str>,
    pub(crate) shard: ShardId,
    pub(crate) hash_range: Option<HashKeyRange>,
    pub(crate) from: Checkpoint,
    pub(crate) initial: InitialPosition,
    pub(crate) epoch: Epoch,
}

/// Reads until the end of the shard, until the buffer says that this time of reading is over, or until trying again would
/// not help. Aborting the task at any await is safe: what was pushed is whole.
pub(crate) async fn read(kinesis: Arc<dyn Kinesis>, shared: Arc<Shared>, poll: PollOptions, what: Assignment) {
    let (stream, shard) = (what.stream, what.shard);
    let from = &what.from;
    let mut reader = PollingReader::new(kinesis, stream, shard.clone(), what.hash_range, from, what.initial, poll);
    loop {
        match reader.next().await {
            Ok(Read::Records { block, millis_behind }) => {
                let Some(held) = shared.reserve(block.footprint()).await else { return };
                if !shared.buffer().push(&shard, what.epoch, block, millis_behind, held) {
                    return;
                }
            }
            Ok(Read::End { children }) => {
                shared.buffer().read_to_end(&shard, what.epoch, children);
                shared.changed.notify_one();
                return;
            }
            Err(error) if error.is_retryable() => {
                // The reader knows where it is, also where it began: it goes on from there.
                tracing::warn!(%shard, %error, "reading failed; it is tried again in 1 s");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            Err(error) => {
                shared.fail(ConsumerError::Kinesis(error));
                shared.changed.notify_one();
                return;
            }
        }
    }
}
