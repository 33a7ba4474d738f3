//! What listeners are told about a batch. The figures are those of Spark's `BatchInfo`; times are in ms since the epoch.

use crate::BatchTime;

/// One batch, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchInfo {
    /// The batch time.
    pub time: BatchTime,
    /// What the inputs gave, by the inputs' numbers.
    pub inputs: Vec<InputInfo>,
    /// When the batch was cut and queued.
    pub submission_ms: u64,
    /// When it began to run.
    pub processing_start_ms: Option<u64>,
    /// When its last output was done.
    pub processing_end_ms: Option<u64>,
    /// Its output operations, by their numbers.
    pub outputs: Vec<OutputInfo>,
    /// Why the batch was not committed, if so: the first failure.
    pub failure: Option<String>,
}

/// What one input gave to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputInfo {
    /// The input's number, counted from 0.
    pub id: usize,
    /// Records in this batch.
    pub records: u64,
    /// Where they come from, for people.
    pub metadata: String,
}

/// One output operation in one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputInfo {
    /// The batch time.
    pub time: BatchTime,
    /// The output's number, counted from 0.
    pub id: usize,
    /// Its name.
    pub name: String,
    /// When it began.
    pub start_ms: Option<u64>,
    /// When it was done, well or badly.
    pub end_ms: Option<u64>,
    /// Why it failed, if it did: the error in its alternate form (`{:#}`).
    pub failure: Option<String>,
}

impl BatchInfo {
    /// Records of all inputs.
    pub fn records(&self) -> u64 {
        self.inputs.iter().map(|input| input.records).sum()
    }

    /// From submission to the begin of processing, in ms; `None` before that.
    pub fn scheduling_delay_ms(&self) -> Option<u64> {
        Some(self.processing_start_ms?.saturating_sub(self.submission_ms))
    }

    /// From begin to end of processing, in ms; `None` before that.
    pub fn processing_delay_ms(&self) -> Option<u64> {
        Some(self.processing_end_ms?.saturating_sub(self.processing_start_ms?))
    }

    /// From submission to the end of processing, in ms; `None` before that.
    pub fn total_delay_ms(&self) -> Option<u64> {
        Some(self.processing_end_ms?.saturating_sub(self.submission_ms))
    }
}
