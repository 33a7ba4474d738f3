//! What is kept of the batches of a program: the newest so many, and totals of all. Pure: it is fed with what the engine tells its
//! listeners, and knows no clock.

mod batch;
mod receiver;
mod statistics;

pub use batch::{Batch, BatchStatus, OutputCounts, OutputRun};
pub use receiver::{LastError, Receiver};
pub use statistics::Statistics;

use std::collections::{BTreeMap, VecDeque};

use millstream_engine::{BatchInfo, OutputInfo};

use crate::Application;

/// Bytes of details (shard ranges, long errors) kept of completed batches. Of a batch that reads 1,000 shards the ranges alone are
/// 250 kB: the newest batches have them.
const DETAIL_BYTES: usize = 4 << 20;

/// The batches of one program.
#[derive(Debug)]
pub struct History {
    application: Application,
    /// How many completed batches are kept (Spark's `spark.streaming.ui.retainedBatches`).
    retained: usize,
    started_ms: Option<u64>,
    output_names: Vec<String>,
    /// Queued and running, by their times.
    open: BTreeMap<u64, Batch>,
    /// In the order of their ends, which is that of their times.
    completed: VecDeque<Batch>,
    /// How many of the first of `completed` have given up their details.
    without_details: usize,
    detail_bytes: usize,
    receivers: BTreeMap<usize, Receiver>,
    totals: Totals,
    version: u64,
}

/// Counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Batches that have ended.
    pub completed: u64,
    /// Of these, those that were not committed.
    pub failed: u64,
    /// Records of batches that have begun to run, as Spark counts them.
    pub received_records: u64,
    /// Records of batches that have ended.
    pub processed_records: u64,
    /// Records of each input in batches that were cut.
    pub input_records: Vec<u64>,
}

impl History {
    /// Completed batches kept unless set otherwise (Spark's `spark.streaming.ui.retainedBatches`).
    pub const DEFAULT_RETAINED: usize = 1000;

    /// Of a program that has not started yet; keeps `retained` completed batches.
    pub fn new(application: Application, retained: usize) -> Self {
        let totals = Totals { input_records: vec![0; application.inputs.len()], ..Totals::default() };
        Self {
            application,
            retained,
            started_ms: None,
            output_names: Vec::new(),
            open: BTreeMap::new(),
            completed: VecDeque::new(),
            without_details: 0,
            detail_bytes: 0,
            receivers: BTreeMap::new(),
            totals,
            version: 0,
        }
    }

    /// The streams have started.
    pub fn streaming_started(&mut self, time_ms: u64) {
        self.started_ms = Some(time_ms);
        self.version += 1;
    }

    /// A batch was cut and waits.
    pub fn batch_submitted(&mut self, info: &BatchInfo) {
        if self.output_names.len() != info.outputs.len() {
            self.output_names = info.outputs.iter().map(|output| output.name.clone()).collect();
        }
        for (total, input) in self.totals.input_records.iter_mut().zip(&info.inputs) {
            *total += input.records;
        }
        self.changed(Batch::new(info));
    }

    /// A batch begins to run.
    pub fn batch_started(&mut self, info: &BatchInfo) {
        self.totals.received_records += info.records();
        let batch = self.taken(info);
        self.changed(batch);
    }

    /// An output operation has begun or ended.
    pub fn output_changed(&mut self, info: &OutputInfo) {
        self.version += 1;
        if let Some(batch) = self.open.get_mut(&info.time.millis())
            && let Some(output) = batch.outputs.get_mut(info.id)
        {
            *output = OutputRun::new(info);
            batch.version = self.version;
        }
    }

    /// A batch has ended, well or badly.
    pub fn batch_completed(&mut self, info: &BatchInfo) {
        self.totals.completed += 1;
        self.totals.failed += u64::from(info.failure.is_some());
        self.totals.processed_records += info.records();
        self.version += 1;
        let batch = Batch { version: self.version, ..self.taken(info) };
        self.detail_bytes += batch.detail_bytes();
        self.completed.push_back(batch);
        self.forget();
    }

    /// A receiver says how it is.
    pub fn receiver_changed(&mut self, input: usize, receiver: Receiver) {
        self.version += 1;
        self.receivers.insert(input, receiver);
    }

    /// The batch as it was, with what is new.
    fn taken(&mut self, info: &BatchInfo) -> Batch {
        let mut batch = self.open.remove(&info.time.millis()).unwrap_or_else(|| Batch::new(info));
        batch.update(info);
        batch
    }

    fn changed(&mut self, batch: Batch) {
        self.version += 1;
        self.open.insert(batch.time_ms, Batch { version: self.version, ..batch });
    }

    /// Keeps within the bounds.
    fn forget(&mut self) {
        while self.completed.len() > self.retained {
            if let Some(batch) = self.completed.pop_front()
                && self.without_details == 0
            {
                self.detail_bytes -= batch.detail_bytes();
            }
            self.without_details = self.without_details.saturating_sub(1);
        }
        // The newest keeps its own, whatever they take.
        while self.detail_bytes > DETAIL_BYTES && self.without_details + 1 < self.completed.len() {
            let batch = &mut self.completed[self.without_details];
            self.detail_bytes -= batch.detail_bytes();
            batch.give_up_details();
            self.without_details += 1;
        }
    }

    /// The program.
    pub fn application(&self) -> &Application {
        &self.application
    }

    /// When the streams started.
    pub fn started_ms(&self) -> Option<u64> {
        self.started_ms
    }

    /// How many completed batches are kept.
    pub fn retained(&self) -> usize {
        self.retained
    }

    /// Counted since the start.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The name of an output operation.
    pub fn output_name(&self, id: usize) -> &str {
        self.output_names.get(id).map_or("", String::as_str)
    }

    /// What a receiver has said last; `None` for an input that has none, or has said nothing.
    pub fn receiver(&self, input: usize) -> Option<&Receiver> {
        self.receivers.get(&input)
    }

    /// Queued and running batches, the oldest first.
    pub fn open(&self) -> impl DoubleEndedIterator<Item = &Batch> {
        self.open.values()
    }

    /// Completed batches that are kept, the oldest first.
    pub fn completed(&self) -> impl DoubleEndedIterator<Item = &Batch> + ExactSizeIterator {
        self.completed.iter()
    }

    /// All batches that are kept, the oldest first.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = &Batch> {
        self.completed.iter().chain(self.open.values())
    }

    /// The batch of this time.
    pub fn batch(&self, time_ms: u64) -> Option<&Batch> {
        let found = self.completed.binary_search_by_key(&time_ms, |batch| batch.time_ms);
        found.ok().map(|index| &self.completed[index]).or_else(|| self.open.get(&time_ms))
    }

    /// Grows with every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The batches that have changed behind a version, the oldest first.
    pub fn changed_since(&self, version: u64) -> impl Iterator<Item = &Batch> {
        let first = self.completed.partition_point(|batch| batch.version <= version);
        let open = self.open.values().filter(move |batch| batch.version > version);
        self.completed.range(first..).chain(open)
    }
}

#[cfg(test)]
mod tests;
