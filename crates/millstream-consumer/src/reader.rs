//! The task that reads one shard into the buffer.

use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::{Read, ShardId, ShardReader};

use crate::buffer::Epoch;
use crate::error::ConsumerError;
use crate::shared::Shared;

/// Wait before a reader that gave up is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Reads until the end of the shard, until the buffer says that this time of reading is over, or until trying again would
/// not help. Aborting the task at any await is safe: what was pushed is whole.
pub(crate) async fn read(mut reader: ShardReader, shared: Arc<Shared>, shard: ShardId, epoch: Epoch) {
    loop {
        match reader.next().await {
            Ok(Read::Records { block, millis_behind }) => {
                let Some(held) = shared.reserve(block.footprint()).await else { return };
                if !shared.buffer().push(&shard, epoch, block, millis_behind, held) {
                    return;
                }
            }
            Ok(Read::End { children }) => {
                shared.buffer().read_to_end(&shard, epoch, children);
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
