//! Reading once more what was read before.

use std::sync::Arc;

use crate::{Kinesis, KinesisError, PollOptions, PollingReader, Read, RecordBlock, Shard, ShardCursor, ShardRange};

/// What is there of a range.
#[derive(Debug, Clone)]
pub struct RangeRead {
    /// The records, in order.
    pub blocks: Vec<RecordBlock>,
    /// How many of the range's records are not in the stream any more.
    pub missing: u64,
}

/// Reads the records of `range` again, at the pace of `options`. `shards` are those of the stream.
///
/// # Errors
/// As [`PollingReader::next`].
pub async fn read_range(
    kinesis: Arc<dyn Kinesis>,
    range: &ShardRange,
    shards: &[Shard],
    options: PollOptions,
) -> Result<RangeRead, KinesisError> {
    let Some(shard) = shards.iter().find(|shard| shard.id == range.shard) else {
        return Ok(RangeRead { blocks: Vec::new(), missing: range.records });
    };
    let mut reader = PollingReader::new(ShardCursor::again(kinesis, range, Some(shard.hash_range)), &options);
    match reader.open().await {
        // The first record's number is none of this stream's: it was made anew.
        Err(KinesisError::InvalidArgument { .. }) => {
            return Ok(RangeRead { blocks: Vec::new(), missing: range.records });
        }
        opened => opened?,
    }
    let (mut blocks, mut read) = (Vec::new(), 0);
    while read < range.records {
        let Read::Records { block, millis_behind } = reader.next().await? else { break };
        let last = block.last();
        let block = block.until(&range.to);
        read += block.len() as u64;
        if !block.is_empty() {
            blocks.push(block);
        }
        let is_past = last.as_ref().is_some_and(|last| *last >= range.to);
        // At the tip of the shard there is nothing more of it: what is not there has expired.
        if is_past || (last.is_none() && millis_behind == 0) {
            break;
        }
    }
    Ok(RangeRead { blocks, missing: range.records.saturating_sub(read) })
}
