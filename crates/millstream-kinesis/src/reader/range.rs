//! Reading what lies between two places of a shard.

use std::sync::Arc;

use crate::{
    HashKeyRange, Kinesis, KinesisError, PollOptions, PollingReader, Position, Read, RecordBlock, Shard, ShardCursor,
    ShardRange,
};

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
    let mut reader = RangeReader::again(kinesis, range, Some(shard.hash_range), options);
    let mut blocks = Vec::new();
    while let Some(block) = reader.next().await? {
        blocks.push(block);
    }
    Ok(RangeRead { blocks, missing: reader.missing() })
}

/// Reads a part of one shard block by block: exactly what was read before, or what arrived until a time.
pub struct RangeReader {
    reader: PollingReader,
    options: PollOptions,
    end: End,
    is_done: bool,
}

#[derive(Debug)]
enum End {
    /// This record, after so many more.
    At(Position, u64),
    /// This record, however many lie before it.
    Through(Through),
    /// The last record that arrived until this time (milliseconds since the Unix epoch).
    Arrived(i64),
}

/// A range of which only the first and the last record are known. Kinesis forgets the oldest records first: where the first
/// one is there, so are all that follow it.
#[derive(Debug)]
struct Through {
    first: Position,
    to: Position,
    /// Whether the first record was the first that was read; none before any was.
    begins: Option<bool>,
    ends: bool,
}

impl RangeReader {
    /// Of what was read before, at the pace of `options`. Makes no call yet.
    pub fn again(
        kinesis: Arc<dyn Kinesis>,
        range: &ShardRange,
        hash_range: Option<HashKeyRange>,
        options: PollOptions,
    ) -> Self {
        let cursor = ShardCursor::again(kinesis, range, hash_range);
        Self::new(cursor, End::At(range.to.clone(), range.records), options)
    }

    /// As [`Self::again`], of a range whose records nobody has counted: `range.records` means nothing.
    pub fn through(
        kinesis: Arc<dyn Kinesis>,
        range: &ShardRange,
        hash_range: Option<HashKeyRange>,
        options: PollOptions,
    ) -> Self {
        let cursor = ShardCursor::again(kinesis, range, hash_range);
        let through = Through { first: range.first.clone(), to: range.to.clone(), begins: None, ends: false };
        Self::new(cursor, End::Through(through), options)
    }

    /// Of what follows `cursor` and arrived until `until_ms`, which must not lie in the future. Makes no call yet.
    pub fn until(cursor: ShardCursor, until_ms: i64, options: PollOptions) -> Self {
        Self::new(cursor, End::Arrived(until_ms), options)
    }

    fn new(cursor: ShardCursor, end: End, options: PollOptions) -> Self {
        let is_done = matches!(end, End::At(_, 0));
        RangeReader { reader: PollingReader::new(cursor, &options), options, end, is_done }
    }

    /// The next records of the range, at least one; none at its end.
    ///
    /// # Errors
    /// As [`PollingReader::next`].
    pub async fn next(&mut self) -> Result<Option<RecordBlock>, KinesisError> {
        while !self.is_done {
            let block = match self.read().await? {
                Some(Read::Records { block, millis_behind }) => self.take(block, millis_behind),
                Some(Read::End { .. }) | None => {
                    self.is_done = true;
                    break;
                }
            };
            if !block.is_empty() {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    /// How many of the range's records are left. After its end: are not in the stream any more. Of a range whose records nobody
    /// has counted, 1 where some are.
    pub fn missing(&self) -> u64 {
        match &self.end {
            End::At(_, left) => *left,
            End::Through(through) => u64::from(through.begins != Some(true) || !through.ends),
            End::Arrived(_) => 0,
        }
    }

    async fn read(&mut self) -> Result<Option<Read>, KinesisError> {
        if let End::At(_, left) = self.end {
            // What lies behind the range is not asked for. An aggregated record counts as one here.
            self.reader.set_limit(u32::try_from(left).unwrap_or(u32::MAX).min(self.options.limit));
        }
        if let End::At(..) | End::Through(_) = self.end {
            match self.reader.open().await {
                Err(error) if error.is_data_loss() => return Ok(None),
                opened => opened?,
            }
        }
        self.reader.next().await.map(Some)
    }

    fn take(&mut self, block: RecordBlock, millis_behind: i64) -> RecordBlock {
        let last = block.last();
        // At the tip of the shard there is nothing more of the range: what is not there has expired.
        self.is_done = last.is_none() && millis_behind == 0;
        match &mut self.end {
            End::At(to, left) => {
                let block = block.until(to);
                *left = left.saturating_sub(block.len() as u64);
                self.is_done |= *left == 0 || last.is_some_and(|last| last >= *to);
                block
            }
            End::Through(Through { first, to, begins, ends }) => {
                let block = block.until(to);
                *ends = block.last().is_some_and(|last| last == *to);
                *begins = begins.or(block.first().map(|found| found == *first));
                self.is_done |= last.is_some_and(|last| last >= *to);
                block
            }
            End::Arrived(until_ms) => {
                let until = block.arrivals().iter().position(|arrived| arrived > until_ms);
                self.is_done |= until.is_some() || millis_behind == 0;
                block.slice(0..until.unwrap_or(block.len()))
            }
        }
    }
}
