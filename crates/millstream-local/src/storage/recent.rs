//! The newest records of all shards, kept in memory: a reader that keeps up does not wait for the disk.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::frame::{self, Frame};
use super::passage::{Passage, Passages, Room};
use crate::format::Format;

/// Bytes kept, of all logs together: more than there are in the largest answer.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// What a block costs besides its frames, about.
const BLOCK_BYTES: usize = 128;

/// Consecutive frames of a log, as they have been written to its segment.
#[derive(Debug)]
pub(crate) struct Block {
    pub(super) first_index: u64,
    pub(super) last_index: u64,
    pub(super) frames: Vec<u8>,
    passages: Passages,
}

/// The newest blocks of all logs.
#[derive(Debug, Default)]
pub(super) struct Recent {
    kept: Mutex<Kept>,
    /// For what readers make of the blocks.
    room: Room,
}

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first.
    blocks: VecDeque<Arc<Block>>,
    bytes: usize,
}

/// Those of one segment, as far as they are still kept.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Oldest first.
    blocks: VecDeque<Place>,
}

/// Where a block stands.
#[derive(Debug)]
struct Place {
    first_index: u64,
    /// In the segment.
    offset: u64,
    block: Weak<Block>,
}

impl Recent {
    /// Keeps frames until enough newer ones have come.
    pub(super) fn keep(&self, first_index: u64, last_index: u64, frames: Vec<u8>) -> Arc<Block> {
        let passages = Passages::new(self.room.clone());
        let block = Arc::new(Block { first_index, last_index, frames, passages });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += block.cost();
        kept.blocks.push_back(Arc::clone(&block));
        while kept.bytes > KEPT_BYTES
            && let Some(oldest) = kept.blocks.pop_front()
        {
            kept.bytes -= oldest.cost();
        }
        block
    }
}

impl Tail {
    /// Takes in the block after the last one, which stands at an offset of the segment.
    pub(super) fn push(&mut self, block: &Arc<Block>, offset: u64) {
        // Whichever log they are of, the oldest go first.
        while self.blocks.pop_front_if(|place| place.block.strong_count() == 0).is_some() {}
        self.blocks.push_back(Place { first_index: block.first_index, offset, block: Arc::downgrade(block) });
    }

    /// The block that a record is in.
    pub(super) fn block_of(&self, index: u64) -> Option<Arc<Block>> {
        self.place_of(index)?.block.upgrade().filter(|block| index <= block.last_index)
    }

    /// Where the block of a record stands, if it is still kept.
    pub(super) fn offset_of(&self, index: u64) -> Option<u64> {
        self.place_of(index).filter(|place| place.block.strong_count() > 0).map(|place| place.offset)
    }

    fn place_of(&self, index: u64) -> Option<&Place> {
        let after = self.blocks.partition_point(|place| place.first_index <= index);
        self.blocks.get(after.checked_sub(1)?)
    }
}

impl Block {
    /// The records as they stand in answers, if they are read again and again: `write` then writes them.
    pub(crate) fn passage(
        &self,
        format: Format,
        write: impl FnOnce(&mut dyn Iterator<Item = Frame<'_>>) -> Passage,
    ) -> Option<Arc<Passage>> {
        self.passages.get(format, self.frames.len(), || write(&mut frame::iterate(&self.frames)))
    }

    /// How many there are.
    pub(crate) fn records(&self) -> usize {
        usize::try_from(self.last_index - self.first_index + 1).unwrap_or(usize::MAX)
    }

    fn cost(&self) -> usize {
        self.frames.capacity() + BLOCK_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(recent: &Recent, first_index: u64, bytes: usize) -> Arc<Block> {
        recent.keep(first_index, first_index + 9, vec![0; bytes])
    }

    #[test]
    fn a_record_is_found_in_its_block_until_enough_newer_ones_have_come() {
        let (recent, mut ours, mut other) = (Recent::default(), Tail::default(), Tail::default());
        for first_index in [11, 21, 31] {
            ours.push(&keep(&recent, first_index, 1024), first_index * 100);
        }
        let found = |tail: &Tail, index| tail.block_of(index).map(|block| block.first_index);
        assert_eq!(
            [10, 11, 20, 21, 40, 41].map(|index| found(&ours, index)),
            [None, Some(11), Some(11), Some(21), Some(31), None]
        );
        assert_eq!([10, 11, 40].map(|index| ours.offset_of(index)), [None, Some(1100), Some(3100)]);
        // Another log's records push out the oldest, and only them.
        other.push(&keep(&recent, 1, KEPT_BYTES - 3 * 1024), 0);
        assert_eq!([11, 21, 31].map(|index| found(&ours, index)), [None, Some(21), Some(31)]);
        assert_eq!(ours.offset_of(11), None);
        ours.push(&keep(&recent, 41, 1024), 4100);
        assert_eq!([21, 31, 41].map(|index| found(&ours, index)), [None, Some(31), Some(41)]);
        assert_eq!(ours.blocks.len(), 2);
    }

    #[test]
    fn what_is_larger_than_all_that_may_be_kept_is_not_kept() {
        let (recent, mut tail) = (Recent::default(), Tail::default());
        tail.push(&keep(&recent, 1, KEPT_BYTES), 0);
        assert!(tail.block_of(1).is_none());
        assert_eq!(recent.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes, 0);
    }
}
