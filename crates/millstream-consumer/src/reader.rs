//! The task that reads one shard into the buffer.

use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::{Read, ShardReader};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::buffer::{Epoch, LeaseKey};
use crate::error::ConsumerError;
use crate::shared::Shared;
use crate::streams::LOOK_AGAIN;

/// Wait before a reader that gave up is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The most data of one answer of `GetRecords` (AWS).
const MOST_BYTES: usize = 10 << 20;
/// After a longer wait for room, an answer may have much more than the last one.
const LONG_WAIT: Duration = Duration::from_secs(1);

/// Reads until the end of the shard, until the buffer says that this time of reading is over, or until trying again would
/// not help; of several streams (`is_only` is false) one that can't be read is tried again, for the others go on. Lost records are
/// such an error (`fail_on_data_loss`), or left out. `arrived` wakes who waits for records of this shard. Aborting the task at any
/// await is safe: what was pushed is whole.
pub(crate) async fn read(
    mut reader: ShardReader,
    shared: Arc<Shared>,
    key: LeaseKey,
    epoch: Epoch,
    arrived: Arc<Notify>,
    is_only: bool,
    fail_on_data_loss: bool,
) {
    let mut expected = MOST_BYTES;
    loop {
        // Room first: many shards that are far behind would each hold an answer beside the budget. A push comes unasked, and
        // is bounded by the window of its connection.
        let asked = Instant::now();
        let Some(room) = shared.reserve(if reader.is_polled() { expected } else { 0 }).await else { return };
        if expected < MOST_BYTES && asked.elapsed() > LONG_WAIT {
            expected = MOST_BYTES;
            continue;
        }
        match reader.next().await {
            Ok(Read::Records { block, millis_behind }) => {
                expected = block.footprint();
                let held =
                    if reader.is_polled() { Some(shared.fit(room, expected)) } else { shared.reserve(expected).await };
                let Some(held) = held else { return };
                if !shared.buffer().push(&key, epoch, block, millis_behind, held) {
                    return;
                }
                arrived.notify_one();
            }
            Ok(Read::End { children }) => {
                shared.buffer().read_to_end(&key, epoch, children);
                shared.changed.notify_one();
                arrived.notify_one();
                return;
            }
            Err(error) if error.is_retryable() => {
                // The reader knows where it is, also where it began: it goes on from there.
                tracing::warn!(lease = %key, %error, "reading failed; it is tried again in 1 s");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            Err(error) if error.is_data_loss() && !fail_on_data_loss => {
                tracing::error!(lease = %key, %error, "reading goes on behind it");
                reader.skip_lost();
            }
            Err(error) if !is_only => {
                tracing::error!(lease = %key, %error, "a shard can't be read; it is tried again in 60 s, the other streams go on");
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Err(error) => {
                shared.fail(if error.is_data_loss() {
                    ConsumerError::DataLoss(error)
                } else {
                    ConsumerError::Kinesis(error)
                });
                shared.changed.notify_one();
                return;
            }
        }
    }
}
