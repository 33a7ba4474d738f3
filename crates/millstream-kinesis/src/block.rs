use std::ops::Range;
use std::sync::Arc;

use crate::column::{BinaryBuilder, TextBuilder, Word};
use crate::{BinaryColumn, Column, Position, SequenceNumber, ShardId, TextColumn};

/// What a record takes in the columns besides its texts and data: offset, two indices, sub-sequence number, arrival.
const RECORD_OVERHEAD: usize = 8 + 2 * 4 + 8 + 8;

/// Consecutive records of one shard, in columns. Immutable; clones and slices share the memory.
#[derive(Debug, Clone)]
pub struct RecordBlock {
    stream: Arc<str>,
    shard: ShardId,
    data: BinaryColumn,
    partition_keys: TextColumn,
    sequences: TextColumn,
    subs: Column<u64>,
    arrivals: Column<i64>,
}

/// One record of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// The data as it was put.
    pub data: &'a [u8],
    /// The partition key.
    pub partition_key: &'a str,
    /// The sequence number's digits.
    pub sequence: &'a str,
    /// The index in the aggregated record, 0 for a plain one.
    pub sub: u64,
    /// When Kinesis took the record, in milliseconds since the Unix epoch.
    pub arrival_ms: i64,
}

impl RecordBlock {
    /// A block without records.
    pub fn empty(stream: Arc<str>, shard: ShardId) -> Self {
        BlockBuilder::new(stream, shard).finish()
    }

    /// The stream's name.
    pub fn stream(&self) -> &Arc<str> {
        &self.stream
    }

    /// The shard.
    pub fn shard(&self) -> &ShardId {
        &self.shard
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The size of the records' data, in bytes.
    pub fn byte_len(&self) -> usize {
        self.data.byte_len()
    }

    /// About how much memory the records take, in bytes: not 0 even where the data are empty.
    /// Slices of a block add up to about the block.
    pub fn footprint(&self) -> usize {
        self.byte_len()
            + self.len() * RECORD_OVERHEAD
            + self.partition_keys.dictionary_share()
            + self.sequences.dictionary_share()
    }

    /// The record at `index`, which must be below `len`.
    pub fn get(&self, index: usize) -> RecordRef<'_> {
        RecordRef {
            data: self.data.get(index),
            partition_key: self.partition_keys.get(index),
            sequence: self.sequences.get(index),
            sub: self.subs[index],
            arrival_ms: self.arrivals[index],
        }
    }

    /// All records in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RecordRef<'_>> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The records' data.
    pub fn data(&self) -> &BinaryColumn {
        &self.data
    }

    /// The records' partition keys.
    pub fn partition_keys(&self) -> &TextColumn {
        &self.partition_keys
    }

    /// The records' sequence numbers.
    pub fn sequences(&self) -> &TextColumn {
        &self.sequences
    }

    /// The records' sub-sequence numbers.
    pub fn sub_sequences(&self) -> &[u64] {
        &self.subs
    }

    /// When Kinesis took the records, in milliseconds since the Unix epoch.
    pub fn arrivals(&self) -> &[i64] {
        &self.arrivals
    }

    /// The place of the record at `index`, which must be below `len`.
    pub fn position(&self, index: usize) -> Position {
        Position { sequence: SequenceNumber::from_canonical(self.sequences.get(index)), sub: self.subs[index] }
    }

    /// The first record's place.
    pub fn first(&self) -> Option<Position> {
        (!self.is_empty()).then(|| self.position(0))
    }

    /// The last record's place.
    pub fn last(&self) -> Option<Position> {
        self.len().checked_sub(1).map(|last| self.position(last))
    }

    /// The records in `range` (cut off at the block's end), without a copy.
    pub fn slice(&self, range: Range<usize>) -> RecordBlock {
        let end = range.end.min(self.len());
        let range = range.start.min(end)..end;
        RecordBlock {
            stream: Arc::clone(&self.stream),
            shard: self.shard.clone(),
            data: self.data.slice(range.clone()),
            partition_keys: self.partition_keys.slice(range.clone()),
            sequences: self.sequences.slice(range.clone()),
            subs: self.subs.slice(range.clone()),
            arrivals: self.arrivals.slice(range),
        }
    }

    /// The records after `position`, without a copy. The block must be in order, as a shard is.
    pub fn after(&self, position: &Position) -> RecordBlock {
        self.slice(self.count_until(position)..self.len())
    }

    /// The records up to `position`, itself included, without a copy. The block must be in order, as a shard is.
    pub fn until(&self, position: &Position) -> RecordBlock {
        self.slice(0..self.count_until(position))
    }

    fn count_until(&self, position: &Position) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.position(middle) <= *position {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Takes the records of one shard one by one and makes a [`RecordBlock`].
#[derive(Debug)]
pub struct BlockBuilder {
    stream: Arc<str>,
    shard: ShardId,
    data: BinaryBuilder,
    partition_keys: TextBuilder,
    sequences: TextBuilder,
    subs: Vec<u64>,
    arrivals: Vec<i64>,
}

/// A partition key that the builder holds already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownKey(Word);

impl BlockBuilder {
    /// A builder without records.
    pub fn new(stream: Arc<str>, shard: ShardId) -> Self {
        BlockBuilder {
            stream,
            shard,
            data: BinaryBuilder::new(),
            partition_keys: TextBuilder::default(),
            sequences: TextBuilder::default(),
            subs: Vec::new(),
            arrivals: Vec::new(),
        }
    }

    /// As [`Self::new`], with room for so many bytes of data.
    pub(crate) fn with_capacity(stream: Arc<str>, shard: ShardId, bytes: usize) -> Self {
        BlockBuilder { data: BinaryBuilder::with_capacity(bytes), ..Self::new(stream, shard) }
    }

    /// Adds a record whose data are in base64. `Err`: they are not, and the builder is of no use any more.
    pub(crate) fn push_base64(
        &mut self,
        data: &str,
        partition_key: &str,
        sequence: &str,
        arrival_ms: i64,
    ) -> Result<(), base64_simd::Error> {
        self.data.push_base64(data)?;
        let KnownKey(key) = self.known_key(partition_key);
        self.push_texts(key, sequence, 0, arrival_ms);
        Ok(())
    }

    /// Adds a record. `sequence` is a sequence number's canonical digits, `arrival_ms` milliseconds since the Unix epoch.
    pub fn push(&mut self, data: &[u8], partition_key: &str, sequence: &str, sub: u64, arrival_ms: i64) {
        let key = self.known_key(partition_key);
        self.push_known(data, key, sequence, sub, arrival_ms);
    }

    /// Stores a partition key once for many records: a table of keys must not grow with the records that use it.
    pub(crate) fn known_key(&mut self, partition_key: &str) -> KnownKey {
        KnownKey(self.partition_keys.word(partition_key))
    }

    /// Adds a record with a key from [`Self::known_key`].
    pub(crate) fn push_known(
        &mut self,
        data: &[u8],
        KnownKey(key): KnownKey,
        sequence: &str,
        sub: u64,
        arrival_ms: i64,
    ) {
        self.data.push(data);
        self.push_texts(key, sequence, sub, arrival_ms);
    }

    /// All of a record but its data.
    fn push_texts(&mut self, key: Word, sequence: &str, sub: u64, arrival_ms: i64) {
        self.partition_keys.push(key);
        let sequence = self.sequences.word(sequence);
        self.sequences.push(sequence);
        self.subs.push(sub);
        self.arrivals.push(arrival_ms);
    }

    /// The block.
    pub fn finish(self) -> RecordBlock {
        RecordBlock {
            stream: self.stream,
            shard: self.shard,
            data: self.data.finish(),
            partition_keys: self.partition_keys.finish(),
            sequences: self.sequences.finish(),
            subs: self.subs.into(),
            arrivals: self.arrivals.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    type Row = (Vec<u8>, String, u128, u64, i64);

    fn block(rows: &[Row]) -> RecordBlock {
        let mut builder = BlockBuilder::new("stream".into(), "shard".into());
        for (data, key, sequence, sub, arrival) in rows {
            builder.push(data, key, &sequence.to_string(), *sub, *arrival);
        }
        builder.finish()
    }

    fn rows(block: &RecordBlock) -> Vec<Row> {
        let row = |record: RecordRef<'_>| {
            (
                record.data.to_vec(),
                record.partition_key.to_owned(),
                record.sequence.parse().unwrap(),
                record.sub,
                record.arrival_ms,
            )
        };
        block.iter().map(row).collect()
    }

    fn any_rows() -> impl Strategy<Value = Vec<Row>> {
        // Few keys and numbers, so that neighbours are often equal.
        let row = (prop::collection::vec(any::<u8>(), 0..6), "[aé]{0,2}", 0u128..3, any::<u64>(), any::<i64>());
        prop::collection::vec(row, 0..30)
    }

    proptest! {
        #[test]
        fn what_is_pushed_comes_back_in_any_slice_of_a_slice(
            expected in any_rows(), a in 0usize..35, b in 0usize..35, c in 0usize..35, d in 0usize..35,
        ) {
            let whole = block(&expected);
            prop_assert_eq!(&rows(&whole), &expected);
            let cut = |rows: &[Row], a: usize, b: usize| {
                let end = b.min(rows.len());
                rows[a.min(end)..end].to_vec()
            };
            let slice = whole.slice(a..b).slice(c..d);
            let expected = cut(&cut(&expected, a, b), c, d);
            prop_assert_eq!(slice.byte_len(), expected.iter().map(|row| row.0.len()).sum::<usize>());
            prop_assert_eq!(slice.data().iter().count(), slice.len());
            prop_assert_eq!(slice.partition_keys().iter().count(), slice.len());
            prop_assert_eq!(rows(&slice), expected);
        }

        #[test]
        fn after_and_until_part_a_block_behind_the_given_position(
            mut places in prop::collection::vec((0u128..20, 0u64..4), 0..20),
            sequence in 0u128..22, sub in 0u64..5,
        ) {
            places.sort_unstable();
            let all: Vec<Row> = places.iter().map(|&(at, sub)| (vec![], "k".into(), at, sub, 0)).collect();
            let (block, position) = (block(&all), Position { sequence: sequence.into(), sub });
            let expected = places.iter().filter(|place| **place > (sequence, sub)).count();
            prop_assert_eq!(block.after(&position).len(), expected);
            prop_assert_eq!(block.until(&position).len(), block.len() - expected);
        }
    }

    #[test]
    fn an_empty_block_has_no_first_and_no_last() {
        let block = block(&[]);
        assert!(block.is_empty());
        assert_eq!((block.first(), block.last()), (None, None));
    }

    #[test]
    fn records_without_data_still_count_as_memory() {
        let row = (vec![], "k".to_owned(), 1, 0, 0);
        let block = block(&vec![row; 1_000]);
        assert_eq!(block.byte_len(), 0);
        assert!(block.footprint() >= 1_000 * RECORD_OVERHEAD);
    }

    #[test]
    fn equal_neighbours_share_their_texts() {
        let row = (vec![1], "the-same-key".to_owned(), 7, 0, 0);
        let block = block(&vec![row; 1_000]);
        assert_eq!(block.partition_keys().words().collect::<Vec<_>>(), ["the-same-key"]);
        assert_eq!(block.sequences().words().collect::<Vec<_>>(), ["7"]);
    }
}
