use crate::{Checkpoint, InitialPosition, KinesisError, Position, ReadFrom, RecordBlock, SequenceNumber};

/// Where the shard is (re-)opened, and which records are known already.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    from: ReadFrom,
    done: Option<Position>,
    /// Where a time in `from` is the moment that `LATEST` stands for: by how much to move it back when it is refused.
    latest_step_ms: Option<i64>,
}

const FIRST_STEP_MS: i64 = 1_000;
/// Clocks that are an hour apart are somebody's mistake.
const MAX_STEP_MS: i64 = 3_600_000;

impl Place {
    /// After everything that `checkpoint` says is processed. For `AtTimestamp`, `initial` has the time;
    /// without one nothing is left out. For `Latest` it may have the moment that is meant.
    pub(super) fn new(checkpoint: &Checkpoint, initial: InitialPosition) -> Self {
        let (from, done) = match checkpoint {
            Checkpoint::AtTimestamp => match initial {
                InitialPosition::AtTimestamp(ms) => (ReadFrom::AtTimestamp(ms), None),
                InitialPosition::TrimHorizon | InitialPosition::Latest => (ReadFrom::TrimHorizon, None),
            },
            Checkpoint::TrimHorizon => (ReadFrom::TrimHorizon, None),
            Checkpoint::Latest => match initial {
                InitialPosition::AtTimestamp(ms) => (ReadFrom::AtTimestamp(ms), None),
                InitialPosition::TrimHorizon | InitialPosition::Latest => (ReadFrom::Latest, None),
            },
            Checkpoint::ShardEnd => (ReadFrom::Latest, None),
            // At it, not after it: more of an aggregated record may follow.
            Checkpoint::At(position) => (ReadFrom::At(position.sequence.clone()), Some(position.clone())),
        };
        Place { from, done, latest_step_ms: (*checkpoint == Checkpoint::Latest).then_some(FIRST_STEP_MS) }
    }

    /// At `first`, which is included.
    pub(super) fn again(first: &Position) -> Self {
        let done = first.sub.checked_sub(1).map(|sub| Position { sequence: first.sequence.clone(), sub });
        Place { from: ReadFrom::At(first.sequence.clone()), done, latest_step_ms: None }
    }

    pub(super) fn from(&self) -> &ReadFrom {
        &self.from
    }

    /// The record at or after which it is.
    pub(super) fn sequence(&self) -> Option<&SequenceNumber> {
        match &self.from {
            ReadFrom::At(sequence) | ReadFrom::After(sequence) => Some(sequence),
            ReadFrom::TrimHorizon | ReadFrom::Latest | ReadFrom::AtTimestamp(_) => None,
        }
    }

    /// Whether to ask once more after this refusal. The moment of `LATEST` is that of some worker's clock; where that is ahead
    /// of Kinesis', the time lies in the future, which Kinesis refuses. `LATEST` itself would leave out what arrives between
    /// the two calls: so the time is moved back, by twice as much each time.
    pub(super) fn step_back(&mut self, error: &KinesisError) -> bool {
        if let (ReadFrom::AtTimestamp(ms), Some(step)) = (&mut self.from, &mut self.latest_step_ms)
            && matches!(error, KinesisError::InvalidArgument { .. })
            && *step <= MAX_STEP_MS
        {
            *ms -= *step;
            *step *= 2;
            return true;
        }
        false
    }

    /// An iterator was asked for at `now_ms` and given. `Latest` means this moment from now on:
    /// at a later `Latest`, the records in between would be lost.
    pub(super) fn opened(&mut self, now_ms: i64) {
        if self.from == ReadFrom::Latest {
            self.from = ReadFrom::AtTimestamp(now_ms);
        }
    }

    /// The user records of `block` that are not known yet.
    pub(super) fn unknown(&self, block: RecordBlock) -> RecordBlock {
        match &self.done {
            Some(done) => block.after(done),
            None => block,
        }
    }

    /// Everything up to the end of `raw` is read.
    pub(super) fn advance(&mut self, raw: &RecordBlock) {
        if let Some(last) = raw.last() {
            // The records before a checkpoint in the same answer are still to be known as such.
            if self.done.as_ref().is_some_and(|done| done.sequence < last.sequence) {
                self.done = None;
            }
            self.from = ReadFrom::After(last.sequence);
        }
    }

    /// The service says that nothing is left up to `sequence`. It never leads back, nor past a record that is begun: more of
    /// an aggregated one may follow.
    pub(super) fn pass(&mut self, sequence: SequenceNumber) {
        match &self.from {
            ReadFrom::At(_) => {}
            ReadFrom::After(last) if *last >= sequence => {}
            _ => self.from = ReadFrom::After(sequence),
        }
    }
}
