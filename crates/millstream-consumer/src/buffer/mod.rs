//! What has been read and not yet been reported as processed, shard by shard. Pure: no clock, no IO.
//!
//! The rule this file keeps: a shard's progress is the end of the longest unbroken row of processed cuts. A cut that
//! failed stays in the row for good, so that no later success moves a checkpoint past it.

mod by_shard;
mod limits;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use millstream_kinesis::{Checkpoint, ChildShard, Position, ReadCounts, RecordBlock, ShardId, ShardRange};

use crate::history::History;
use crate::status::{ShardCounts, ShardStatus, ShardTimes};
use by_shard::Handed;
pub use by_shard::{Next, Refused};
pub use limits::CutLimits;
use limits::shares;

/// Names a cut; grows by one a cut.
pub type CutId = u64;

/// Names a shard here: the key of its lease, which tells shards of several streams apart.
pub type LeaseKey = Arc<str>;

/// What a shard gives to one cut.
#[derive(Clone, Debug)]
pub struct ShardInput {
    /// From where (exclusive) to where (inclusive).
    pub range: ShardRange,
    /// The records of the range, in order.
    pub blocks: Vec<RecordBlock>,
}

/// All that was queued at one moment.
#[derive(Clone, Debug, Default)]
pub struct Cut {
    /// To be given back to [`Buffer::processed`] or [`Buffer::failed`].
    pub id: CutId,
    /// One entry a shard that had records, in the order of their leases.
    pub inputs: Vec<ShardInput>,
}

/// What the buffer has to tell the coordinator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The shard's last record has been read.
    ReadToEnd(LeaseKey, Vec<ChildShard>),
    /// Everything up to here is processed; [`Checkpoint::ShardEnd`] once nothing of a shard is left.
    Processed(LeaseKey, Checkpoint),
    /// The shard's program is about to checkpoint here; its successor is to know of it, with these bytes.
    Prepared(LeaseKey, Checkpoint, Option<Vec<u8>>),
    /// A shard that was asked to drain has nothing in flight any more.
    Drained(LeaseKey),
}

/// The queues and cuts in flight of all shards that are read. `P` is what a block holds on to while it is in memory (its
/// share of the budget); it is dropped when the block's cut is reported, or its shard removed.
#[derive(Debug)]
pub struct Buffer<P> {
    shards: BTreeMap<LeaseKey, ShardBuffer<P>>,
    /// Shards are handed out each for itself; else in cuts of all.
    is_by_shard: bool,
    /// What was cut of shards that are not read now, where a program has records of its own: None, if it has not.
    past: Option<BTreeMap<LeaseKey, Past<P>>>,
    /// Records that arrived later are not taken, in milliseconds since the Unix epoch.
    until_ms: Option<i64>,
    next_cut: CutId,
    next_epoch: u64,
}

/// One time of reading a shard; a shard that is given up and read again later has another.
pub type Epoch = u64;

/// What was cut of a shard.
#[derive(Debug)]
struct Past<P> {
    cut: Checkpoint,
    in_flight: VecDeque<InFlight<P>>,
}

#[derive(Debug)]
struct ShardBuffer<P> {
    stream: Arc<str>,
    shard: ShardId,
    epoch: Epoch,
    /// End of what was cut.
    cut: Checkpoint,
    queue: VecDeque<(RecordBlock, Arc<P>)>,
    in_flight: VecDeque<InFlight<P>>,
    is_by_shard: bool,
    handed: Handed<P>,
    reading: Reading,
    millis_behind: i64,
    /// Answers that reached the tip.
    tips: u64,
    /// A record came that arrived too late: there is nothing more to be read.
    is_past: bool,
    /// Bytes of the records processed since they were asked for last.
    processed_bytes: u64,
    counts: ShardCounts,
    times: ShardTimes,
    news: VecDeque<News>,
}

#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Open,
    Ended,
    Draining,
    /// The last word on this shard has been said.
    Closed,
}

#[derive(Debug)]
struct InFlight<P> {
    cut: CutId,
    to: Position,
    bytes: usize,
    outcome: Outcome,
    /// A block that is handed out in two cuts is let go with the second.
    held: Vec<Arc<P>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Pending,
    Processed,
    Failed,
}

impl<P> Default for Buffer<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> Buffer<P> {
    /// An empty buffer.
    pub fn new() -> Self {
        Self { shards: BTreeMap::new(), is_by_shard: false, past: None, until_ms: None, next_cut: 0, next_epoch: 0 }
    }

    /// An empty buffer of one stream that goes on behind what an earlier run has cut.
    pub fn behind(history: &History) -> Self {
        let past = history.by_shard().into_iter().map(|(shard, (last, open))| {
            let entry = |cut, to, outcome| InFlight { cut, to, bytes: 0, outcome, held: Vec::new() };
            let processed = history.processed.get(&shard).map(|to| entry(CutId::MAX, to.clone(), Outcome::Processed));
            let open = open.into_iter().map(|(cut, to)| entry(cut, to, Outcome::Pending));
            (
                shard.as_str().into(),
                Past { cut: Checkpoint::At(last), in_flight: processed.into_iter().chain(open).collect() },
            )
        });
        Self { past: Some(past.collect()), next_cut: history.open.len() as CutId, ..Self::new() }
    }

    /// Begins to hold records of a shard, whose checkpoint is `from`. What was held of it before is dropped. It is to be read
    /// from the checkpoint that is returned: `from`, or what the program's own records say if that is further on.
    pub fn open(&mut self, key: &LeaseKey, stream: Arc<str>, shard: ShardId, from: Checkpoint) -> (Epoch, Checkpoint) {
        let epoch = self.next_epoch;
        self.next_epoch += 1;
        let past = self.past.as_mut().and_then(|past| past.remove(key)).filter(|past| past.cut > from);
        let (cut, mut in_flight) = past.map_or((from.clone(), VecDeque::new()), |past| (past.cut, past.in_flight));
        in_flight.retain(|entry| Checkpoint::At(entry.to.clone()) > from);
        let fresh = ShardBuffer {
            stream,
            shard,
            epoch,
            cut: cut.clone(),
            queue: VecDeque::new(),
            in_flight,
            is_by_shard: self.is_by_shard,
            handed: Handed::new(from),
            reading: Reading::Open,
            millis_behind: 0,
            tips: 0,
            is_past: false,
            processed_bytes: 0,
            counts: ShardCounts::default(),
            times: ShardTimes::default(),
            news: VecDeque::new(),
        };
        let state = self.shards.entry(key.clone()).insert_entry(fresh).into_mut();
        state.settle(key);
        (epoch, cut)
    }

    /// Who reads the shard counts here what it meets beside records.
    pub fn read_by(&mut self, key: &LeaseKey, epoch: Epoch, counts: Arc<ReadCounts>) {
        if let Some(state) = self.open_shard(key, epoch) {
            state.times.reader = counts;
        }
    }

    /// How long what is done for a shard takes is added here.
    pub(crate) fn times_of(&self, key: &LeaseKey) -> Option<ShardTimes> {
        self.shards.get(key).map(|state| state.times.clone())
    }

    /// Queues what was read. False when this time of reading is over: the reader should stop.
    pub fn push(&mut self, key: &LeaseKey, epoch: Epoch, block: RecordBlock, millis_behind: i64, held: P) -> bool {
        let until_ms = self.until_ms;
        let Some(state) = self.open_shard(key, epoch) else { return false };
        state.millis_behind = millis_behind;
        state.tips += u64::from(millis_behind == 0);
        let block = match until_ms {
            Some(until_ms) => state.until(block, until_ms),
            None => block,
        };
        if !block.is_empty() {
            state.counts.records_read += block.len() as u64;
            state.counts.bytes_read += block.byte_len() as u64;
            state.queue.push_back((block, Arc::new(held)));
        }
        !state.is_past
    }

    /// Takes no record from now on that arrived later than this, nor what follows it in its shard: such shards are read no more.
    pub fn stop_at(&mut self, until_ms: i64) {
        self.until_ms = Some(until_ms);
        for state in self.shards.values_mut() {
            for (block, held) in std::mem::take(&mut state.queue) {
                let block = if state.is_past { block.slice(0..0) } else { state.until(block, until_ms) };
                if !block.is_empty() {
                    state.queue.push_back((block, held));
                }
            }
        }
    }

    /// The shard is closed and its last record was pushed.
    pub fn read_to_end(&mut self, key: &LeaseKey, epoch: Epoch, children: Vec<ChildShard>) {
        if let Some(state) = self.open_shard(key, epoch) {
            state.reading = Reading::Ended;
            state.millis_behind = 0;
            state.news.push_back(News::ReadToEnd(key.clone(), children));
            state.settle(key);
        }
    }

    /// Hands out all that is queued.
    pub fn cut(&mut self) -> Cut {
        self.cut_at_most(u64::MAX)
    }

    /// Hands out at most `records` of what is queued, about as many of each shard.
    pub fn cut_at_most(&mut self, records: u64) -> Cut {
        self.cut_within(CutLimits { records, ..CutLimits::default() })
    }

    /// Hands out what is queued and within the limits, about as much of each shard.
    pub fn cut_within(&mut self, limits: CutLimits) -> Cut {
        let id = self.next_cut;
        self.next_cut += 1;
        let records: Vec<u64> = self.shards.values().map(ShardBuffer::queued).collect();
        let bytes: Vec<u64> = self.shards.values().map(ShardBuffer::queued_bytes).collect();
        let shares = shares(limits.records, &records).into_iter().zip(shares(limits.bytes, &bytes));
        let shards = self.shards.values_mut().zip(shares);
        let cut = shards.filter_map(|(state, (records, bytes))| state.cut(id, CutLimits { records, bytes }));
        let mut inputs: Vec<ShardInput> = cut.collect();
        if inputs.is_empty() && limits.records > 0 {
            // No record is as small as a shard's share of the bytes: the next one goes alone.
            let alone = CutLimits { records: 1, bytes: u64::MAX };
            inputs.extend(self.shards.values_mut().find_map(|state| state.cut(id, alone)));
        }
        Cut { id, inputs }
    }

    /// All outputs of this cut have succeeded.
    pub fn processed(&mut self, cut: CutId) {
        self.report(cut, Outcome::Processed);
    }

    /// An output of this cut has failed: none of its shards gets a checkpoint at or behind it any more.
    pub fn failed(&mut self, cut: CutId) {
        self.report(cut, Outcome::Failed);
    }

    fn report(&mut self, cut: CutId, outcome: Outcome) {
        for (key, state) in &mut self.shards {
            if let Some(entry) = state.in_flight.iter_mut().find(|entry| entry.cut == cut) {
                entry.outcome = outcome;
                entry.held.clear();
                if outcome == Outcome::Processed {
                    state.processed_bytes += entry.bytes as u64;
                }
                state.settle(key);
            }
        }
        let past = self.past.iter_mut().flat_map(BTreeMap::values_mut).flat_map(|past| &mut past.in_flight);
        for entry in past.filter(|entry| entry.cut == cut) {
            entry.outcome = outcome;
            entry.held.clear();
        }
    }

    /// Reading of a shard was stopped: what was not cut is dropped (its next reader reads it again), what is in flight
    /// may finish.
    pub fn drain(&mut self, key: &LeaseKey) {
        if let Some(state) = self.shards.get_mut(key) {
            state.queue.clear();
            if state.reading != Reading::Closed {
                state.reading = Reading::Draining;
            }
            state.settle(key);
        }
    }

    /// Forgets a shard: its lease is gone. What is reported of its cuts later is passed over, unless the program has records
    /// of its own: then it would be wrong to give it the same once more when the lease comes back.
    pub fn close(&mut self, key: &LeaseKey) {
        let closed = self.shards.remove(key);
        if let (Some(past), Some(mut closed)) = (&mut self.past, closed) {
            closed.in_flight.iter_mut().for_each(|entry| entry.held.clear());
            past.insert(key.clone(), Past { cut: closed.cut, in_flight: closed.in_flight });
        }
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.shards.values().all(|state| state.queue.is_empty())
    }

    /// What the coordinator has not been told yet, in an order that it can take as it is.
    pub fn take_news(&mut self) -> Vec<News> {
        self.shards.values_mut().flat_map(|state| state.news.drain(..)).collect()
    }

    /// How many bytes of each shard's records were processed since the last call; shards with none are left out.
    pub fn take_bytes(&mut self) -> Vec<(LeaseKey, u64)> {
        let shards = self.shards.iter_mut().filter(|(_, state)| state.processed_bytes > 0);
        shards.map(|(key, state)| (key.clone(), std::mem::take(&mut state.processed_bytes))).collect()
    }

    /// A line a shard.
    pub fn status(&self) -> Vec<ShardStatus> {
        let line = |state: &ShardBuffer<P>| ShardStatus {
            stream: state.stream.clone(),
            shard: state.shard.clone(),
            cut: state.cut.clone(),
            millis_behind: state.millis_behind,
            tips: state.tips,
            is_past: state.is_past,
            queued: usize::try_from(state.queued()).unwrap_or(usize::MAX),
            ended: state.reading == Reading::Ended || state.reading == Reading::Closed,
            counts: ShardCounts {
                throttles: state.times.reader.throttles(),
                records_again: state.times.reader.records_again(),
                ..state.counts
            },
            times: state.times.clone(),
        };
        self.shards.values().map(line).collect()
    }

    fn open_shard(&mut self, key: &LeaseKey, epoch: Epoch) -> Option<&mut ShardBuffer<P>> {
        let is_open = |state: &&mut ShardBuffer<P>| {
            state.epoch == epoch && state.reading == Reading::Open && !state.is_past && !state.handed.is_done()
        };
        self.shards.get_mut(key).filter(is_open)
    }
}

impl<P> ShardBuffer<P> {
    fn queued(&self) -> u64 {
        self.queue.iter().map(|(block, _)| block.len() as u64).sum()
    }

    fn queued_bytes(&self) -> u64 {
        self.queue.iter().map(|(block, _)| block.byte_len() as u64).sum()
    }

    /// The part of a block that arrived until then. Nothing follows the first later record.
    fn until(&mut self, block: RecordBlock, until_ms: i64) -> RecordBlock {
        let later = block.arrivals().iter().position(|arrived| *arrived > until_ms);
        self.is_past |= later.is_some();
        block.slice(0..later.unwrap_or(block.len()))
    }

    fn cut(&mut self, id: CutId, limits: CutLimits) -> Option<ShardInput> {
        let (blocks, held): (Vec<_>, Vec<_>) = self.take(limits).into_iter().unzip();
        let input = self.input(blocks)?;
        let bytes = input.blocks.iter().map(RecordBlock::byte_len).sum();
        self.in_flight.push_back(InFlight {
            cut: id,
            to: input.range.to.clone(),
            bytes,
            outcome: Outcome::Pending,
            held,
        });
        Some(input)
    }

    /// What was taken, with its range. `None`: no records.
    fn input(&mut self, blocks: Vec<RecordBlock>) -> Option<ShardInput> {
        let (first, to) = (blocks.first()?.first()?, blocks.last()?.last()?);
        let records = blocks.iter().map(|block: &RecordBlock| block.len() as u64).sum();
        self.counts.records_handed_out += records;
        self.counts.bytes_handed_out += blocks.iter().map(|block| block.byte_len() as u64).sum::<u64>();
        let from = std::mem::replace(&mut self.cut, Checkpoint::At(to.clone()));
        let range = ShardRange { stream: self.stream.clone(), shard: self.shard.clone(), from, first, to, records };
        Some(ShardInput { range, blocks })
    }

    /// The first records of the queue.
    fn take(&mut self, mut limits: CutLimits) -> Vec<(RecordBlock, Arc<P>)> {
        let mut taken = Vec::new();
        while let Some((block, held)) = self.queue.pop_front() {
            let fitting = block.slice(0..limits.fit(&block));
            let is_split = fitting.len() < block.len();
            if is_split {
                self.queue.push_front((block.slice(fitting.len()..block.len()), held.clone()));
            }
            limits = limits.without(&fitting);
            if !fitting.is_empty() {
                taken.push((fitting, held));
            }
            if is_split {
                break;
            }
        }
        taken
    }

    /// Finds out what there is to report after something changed.
    fn settle(&mut self, key: &LeaseKey) {
        if self.is_by_shard {
            self.settle_by_shard(key);
            return;
        }
        let mut reached = None;
        while self.in_flight.front().is_some_and(|entry| entry.outcome == Outcome::Processed) {
            reached = self.in_flight.pop_front().map(|entry| entry.to);
        }
        if let Some(position) = reached {
            self.report(News::Processed(key.clone(), Checkpoint::At(position)));
        }
        if let Some(failed) =
            self.in_flight.front().filter(|entry| entry.outcome == Outcome::Failed).map(|entry| entry.cut)
        {
            // Nothing behind a failed cut can be reported any more: only what is still running needs its entry.
            self.in_flight.retain(|entry| entry.cut == failed || entry.outcome == Outcome::Pending);
        }
        match self.reading {
            Reading::Ended if self.in_flight.is_empty() && self.queue.is_empty() => {
                self.reading = Reading::Closed;
                self.report(News::Processed(key.clone(), Checkpoint::ShardEnd));
            }
            Reading::Draining if self.in_flight.iter().all(|entry| entry.outcome != Outcome::Pending) => {
                self.reading = Reading::Closed;
                self.report(News::Drained(key.clone()));
            }
            _ => {}
        }
    }

    /// Adds a piece of news; a newer position takes the place of an older one that was not told yet. The end does not: where it
    /// can't be written yet, the last position is.
    fn report(&mut self, news: News) {
        if matches!(news, News::Processed(_, Checkpoint::At(_))) {
            self.news.retain(|old| !matches!(old, News::Processed(..)));
        }
        self.news.push_back(news);
    }
}

#[cfg(test)]
pub(crate) mod tests;
