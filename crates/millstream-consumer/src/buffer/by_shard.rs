//! Shards whose program says itself how far it is, each for itself (see [`crate::ShardStream`]).
//!
//! The rules: a checkpoint lies between the last one and the end of what was handed out; nothing is written for a time of
//! reading that is over; a shard ends when its program says so, and not before all of it was handed out.

use std::sync::Arc;

use millstream_kinesis::{Checkpoint, Position};

use super::{Buffer, CutLimits, Epoch, LeaseKey, News, Reading, ShardBuffer, ShardInput};

/// What the program of one shard has got.
#[derive(Debug)]
pub(super) struct Handed<P> {
    /// Of the blocks handed out last. They count as memory until the next ones are asked for.
    held: Vec<Arc<P>>,
    bytes: u64,
    /// The last checkpoint that was asked for.
    committed: Checkpoint,
    /// The program was told that the shard is read to its end.
    knows_end: bool,
    /// The program wants no more.
    is_done: bool,
}

/// What there is for the program of a shard.
#[derive(Debug)]
pub enum Next {
    /// Records.
    Records(ShardInput),
    /// Nothing now.
    Nothing,
    /// Everything was handed out, and the shard is closed.
    Ended,
    /// The lease is to be given up: the program may still write a checkpoint.
    ShutdownRequested,
    /// This time of reading is over.
    Lost,
}

/// Why a checkpoint can't be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// This time of reading is over.
    Lost,
    /// It lies before the last checkpoint, or behind what was handed out.
    OutOfRange {
        /// The last checkpoint.
        from: Checkpoint,
        /// The end of what was handed out.
        to: Checkpoint,
    },
}

impl<P> Handed<P> {
    pub(super) fn new(committed: Checkpoint) -> Self {
        Self { held: Vec::new(), bytes: 0, committed, knows_end: false, is_done: false }
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }
}

impl<P> Buffer<P> {
    /// An empty buffer, whose shards are each handed out by [`Buffer::next_of`] and not in cuts.
    pub fn by_shard() -> Self {
        Self { is_by_shard: true, ..Self::new() }
    }

    /// Hands out at most `records` of one shard. What was handed out before counts as processed, and its memory is free.
    pub fn next_of(&mut self, key: &LeaseKey, epoch: Epoch, records: u64) -> Next {
        let Some(state) = self.handing_out(key, epoch) else { return Next::Lost };
        state.handed.held.clear();
        state.processed_bytes += std::mem::take(&mut state.handed.bytes);
        if state.reading == Reading::Draining {
            return Next::ShutdownRequested;
        }
        let limits = CutLimits { records, ..CutLimits::default() };
        let (blocks, held): (Vec<_>, Vec<_>) = state.take(limits).into_iter().unzip();
        if let Some(input) = state.input(blocks) {
            state.handed.held = held;
            state.handed.bytes = input.blocks.iter().map(|block| block.byte_len() as u64).sum();
            return Next::Records(input);
        }
        state.handed.knows_end = matches!(state.reading, Reading::Ended | Reading::Closed);
        if state.handed.knows_end { Next::Ended } else { Next::Nothing }
    }

    /// The checkpoint that `to` stands for, if one may be written there. `None`: the end of what was handed out. The last
    /// record of a shard that was handed out to its end is that end.
    ///
    /// # Errors
    /// The lease is gone, or the place is out of range.
    pub fn checkpoint_at(&mut self, key: &LeaseKey, epoch: Epoch, to: Option<Position>) -> Result<Checkpoint, Refused> {
        let state = self.handing_out(key, epoch).ok_or(Refused::Lost)?;
        let (from, last) = (&state.handed.committed, &state.cut);
        let to = to.map_or_else(|| last.clone(), Checkpoint::At);
        if to == *last && state.handed.knows_end {
            return Ok(Checkpoint::ShardEnd);
        }
        if to < *from || to > *last {
            return Err(Refused::OutOfRange { from: from.clone(), to: last.clone() });
        }
        Ok(to)
    }

    /// Everything up to here is processed, as the program says. Returns the checkpoint that is to be written.
    ///
    /// # Errors
    /// As [`Buffer::checkpoint_at`].
    pub fn commit(&mut self, key: &LeaseKey, epoch: Epoch, to: Option<Position>) -> Result<Checkpoint, Refused> {
        let to = self.checkpoint_at(key, epoch, to)?;
        let state = self.handing_out(key, epoch).ok_or(Refused::Lost)?;
        if to > state.handed.committed {
            state.handed.committed = to.clone();
            state.report(News::Processed(key.clone(), to.clone()));
        }
        Ok(to)
    }

    /// Notes that the program is about to commit here. Returns the checkpoint that is to be noted.
    ///
    /// # Errors
    /// As [`Buffer::checkpoint_at`].
    pub fn prepare(
        &mut self,
        key: &LeaseKey,
        epoch: Epoch,
        to: Option<Position>,
        note: Option<Vec<u8>>,
    ) -> Result<Checkpoint, Refused> {
        let to = self.checkpoint_at(key, epoch, to)?;
        let state = self.handing_out(key, epoch).ok_or(Refused::Lost)?;
        state.report(News::Prepared(key.clone(), to.clone(), note));
        Ok(to)
    }

    /// How far reading was behind the tip of the shard, in milliseconds.
    pub fn millis_behind(&self, key: &LeaseKey) -> i64 {
        self.shards.get(key).map_or(0, |state| state.millis_behind)
    }

    /// Whether the program has said that all of the shard is processed.
    pub fn is_committed_to_end(&mut self, key: &LeaseKey, epoch: Epoch) -> bool {
        self.handing_out(key, epoch).is_some_and(|state| state.handed.committed == Checkpoint::ShardEnd)
    }

    /// The program wants no more of this shard: a lease that is being given up is not held for it any longer.
    pub fn done_with(&mut self, key: &LeaseKey, epoch: Epoch) {
        if let Some(state) = self.handing_out(key, epoch) {
            state.handed.held.clear();
            state.handed.is_done = true;
            state.queue.clear();
            state.settle(key);
        }
    }

    /// The shard in the time of reading that is asked about, as long as its program wants it.
    fn handing_out(&mut self, key: &LeaseKey, epoch: Epoch) -> Option<&mut ShardBuffer<P>> {
        self.shards.get_mut(key).filter(|state| state.epoch == epoch && !state.handed.is_done)
    }
}

impl<P> ShardBuffer<P> {
    /// A program that is done has nothing in flight.
    pub(super) fn settle_by_shard(&mut self, key: &LeaseKey) {
        if self.handed.is_done && self.reading == Reading::Draining {
            self.reading = Reading::Closed;
            self.report(News::Drained(key.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::buffer::tests::{at, block};

    const SHARD: &str = "s";

    /// A shard whose records 1 to 6 are read, with the memory they hold.
    fn buffer() -> (Buffer<Arc<()>>, Epoch, Arc<()>) {
        let held = Arc::new(());
        let mut buffer = Buffer::by_shard();
        let (epoch, _) = buffer.open(&SHARD.into(), "stream".into(), SHARD.into(), Checkpoint::TrimHorizon);
        assert!(buffer.push(&SHARD.into(), epoch, block(1..=6), 0, held.clone()));
        (buffer, epoch, held)
    }

    fn next(buffer: &mut Buffer<Arc<()>>, epoch: Epoch, records: u64) -> String {
        match buffer.next_of(&SHARD.into(), epoch, records) {
            Next::Records(input) => format!("({}, {}]", input.range.from, input.range.to),
            other => format!("{other:?}"),
        }
    }

    fn commit(buffer: &mut Buffer<Arc<()>>, epoch: Epoch, to: Option<u128>) -> Result<Checkpoint, Refused> {
        let position = |number: u128| Position { sequence: number.into(), sub: 0 };
        buffer.commit(&SHARD.into(), epoch, to.map(position))
    }

    #[test]
    fn checkpoints_lie_between_the_last_one_and_what_was_handed_out() {
        let (mut buffer, epoch, _) = buffer();
        assert_eq!(commit(&mut buffer, epoch, None), Ok(Checkpoint::TrimHorizon), "nothing was handed out");
        assert_eq!(next(&mut buffer, epoch, 4), "(TRIM_HORIZON, 4:0]");
        assert_eq!(buffer.take_news(), []);
        assert_eq!(commit(&mut buffer, epoch, Some(3)), Ok(at(3)));
        for outside in [2, 5] {
            let refused = Refused::OutOfRange { from: at(3), to: at(4) };
            assert_eq!(commit(&mut buffer, epoch, Some(outside)), Err(refused));
        }
        assert_eq!(buffer.take_news(), [News::Processed(SHARD.into(), at(3))]);
        assert_eq!(commit(&mut buffer, epoch, Some(3)), Ok(at(3)));
        assert_eq!(buffer.take_news(), [], "it is written already");
        assert_eq!(commit(&mut buffer, epoch, None), Ok(at(4)));
    }

    #[test]
    fn memory_is_held_until_the_next_records_are_asked_for_and_not_until_the_checkpoint() {
        let (mut buffer, epoch, held) = buffer();
        next(&mut buffer, epoch, 4);
        next(&mut buffer, epoch, 4);
        assert_eq!(Arc::strong_count(&held), 2);
        assert_eq!(next(&mut buffer, epoch, 4), "Nothing");
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    fn a_shard_ends_when_its_program_says_so() {
        let (mut buffer, epoch, _) = buffer();
        next(&mut buffer, epoch, 10);
        buffer.read_to_end(&SHARD.into(), epoch, Vec::new());
        assert_eq!(commit(&mut buffer, epoch, None), Ok(at(6)), "the program does not know of the end");
        assert_eq!(next(&mut buffer, epoch, 10), "Ended");
        buffer.take_news();
        assert_eq!(commit(&mut buffer, epoch, Some(5)).unwrap_err(), Refused::OutOfRange { from: at(6), to: at(6) });
        assert_eq!(commit(&mut buffer, epoch, Some(6)), Ok(Checkpoint::ShardEnd));
        assert_eq!(buffer.take_news(), [News::Processed(SHARD.into(), Checkpoint::ShardEnd)]);
        assert!(buffer.is_committed_to_end(&SHARD.into(), epoch));
    }

    #[test]
    fn a_lease_that_is_asked_for_waits_for_the_last_checkpoint_of_the_program() {
        let (mut buffer, epoch, _) = buffer();
        next(&mut buffer, epoch, 4);
        buffer.drain(&SHARD.into());
        assert_eq!(buffer.take_news(), []);
        assert_eq!(next(&mut buffer, epoch, 4), "ShutdownRequested");
        assert_eq!(commit(&mut buffer, epoch, None), Ok(at(4)));
        buffer.done_with(&SHARD.into(), epoch);
        assert_eq!(buffer.take_news(), [News::Processed(SHARD.into(), at(4)), News::Drained(SHARD.into())]);
        assert_eq!(commit(&mut buffer, epoch, None), Err(Refused::Lost));
    }

    #[test]
    fn a_program_that_is_done_is_not_waited_for() {
        let (mut buffer, epoch, held) = buffer();
        next(&mut buffer, epoch, 4);
        buffer.done_with(&SHARD.into(), epoch);
        assert_eq!(Arc::strong_count(&held), 1);
        assert!(!buffer.push(&SHARD.into(), epoch, block(7..=8), 0, held));
        buffer.drain(&SHARD.into());
        assert_eq!(buffer.take_news(), [News::Drained(SHARD.into())]);
    }

    #[test]
    fn a_program_of_an_earlier_time_of_reading_writes_nothing() {
        let (mut buffer, earlier, _) = buffer();
        next(&mut buffer, earlier, 4);
        buffer.close(&SHARD.into());
        let (epoch, _) = buffer.open(&SHARD.into(), "stream".into(), SHARD.into(), Checkpoint::TrimHorizon);
        assert_eq!(commit(&mut buffer, earlier, None), Err(Refused::Lost));
        assert_eq!(next(&mut buffer, earlier, 4), "Lost");
        assert_eq!(next(&mut buffer, epoch, 4), "Nothing");
    }
}
