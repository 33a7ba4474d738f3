//! What is kept of one batch.

use millstream_engine::{BatchInfo, OutputInfo};

/// Bytes kept of an error's text: enough for a traceback, and no flood.
const MOST_ERROR: usize = 16 << 10;
/// Bytes of it that stay when details are given up.
const SHORT_ERROR: usize = 300;

/// How far a batch has come. The words of Spark's REST are the names in capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchStatus {
    /// It waits.
    Queued,
    /// It runs.
    Processing,
    /// It has ended, well or badly.
    Completed,
}

impl BatchStatus {
    /// Spark's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
        }
    }
}

/// One batch. Times are in ms since the epoch, delays in ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The batch time, which names it.
    pub time_ms: u64,
    /// When it was cut and queued.
    pub submission_ms: u64,
    /// When it began to run.
    pub processing_start_ms: Option<u64>,
    /// When it ended.
    pub processing_end_ms: Option<u64>,
    /// Records of each input.
    pub records: Vec<u64>,
    /// Where each input's records come from, in lines; `None`: not kept any more.
    pub origins: Option<Vec<String>>,
    /// Its output operations.
    pub outputs: Vec<OutputRun>,
    /// Why it was not committed, where that is not the failure of an output.
    pub failure: Option<String>,
    /// The history's version when this changed last.
    pub(super) version: u64,
}

/// One output operation in one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputRun {
    /// When it began.
    pub start_ms: Option<u64>,
    /// When it was done, well or badly.
    pub end_ms: Option<u64>,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// A batch's output operations by how they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputCounts {
    /// Running.
    pub active: usize,
    /// Succeeded.
    pub completed: usize,
    /// Failed.
    pub failed: usize,
    /// All, also those that have not begun.
    pub total: usize,
}

impl Batch {
    pub(super) fn new(info: &BatchInfo) -> Self {
        Self {
            time_ms: info.time.millis(),
            submission_ms: info.submission_ms,
            processing_start_ms: info.processing_start_ms,
            processing_end_ms: info.processing_end_ms,
            records: info.inputs.iter().map(|input| input.records).collect(),
            origins: Some(info.inputs.iter().map(|input| input.metadata.clone()).collect()),
            outputs: info.outputs.iter().map(OutputRun::new).collect(),
            failure: own_failure(info),
            version: 0,
        }
    }

    /// Takes over all that may have changed since it was queued.
    pub(super) fn update(&mut self, info: &BatchInfo) {
        self.processing_start_ms = info.processing_start_ms;
        self.processing_end_ms = info.processing_end_ms;
        self.outputs = info.outputs.iter().map(OutputRun::new).collect();
        self.failure = own_failure(info);
    }

    /// How far it has come.
    pub fn status(&self) -> BatchStatus {
        match (self.processing_start_ms, self.processing_end_ms) {
            (_, Some(_)) => BatchStatus::Completed,
            (Some(_), None) => BatchStatus::Processing,
            (None, None) => BatchStatus::Queued,
        }
    }

    /// Records of all inputs.
    pub fn total_records(&self) -> u64 {
        self.records.iter().sum()
    }

    /// From submission to the begin of processing.
    pub fn scheduling_delay_ms(&self) -> Option<u64> {
        Some(self.processing_start_ms?.saturating_sub(self.submission_ms))
    }

    /// From begin to end of processing.
    pub fn processing_ms(&self) -> Option<u64> {
        Some(self.processing_end_ms?.saturating_sub(self.processing_start_ms?))
    }

    /// From submission to the end of processing.
    pub fn total_delay_ms(&self) -> Option<u64> {
        Some(self.processing_end_ms?.saturating_sub(self.submission_ms))
    }

    /// Its output operations by how they are, as Spark counts them.
    pub fn output_counts(&self) -> OutputCounts {
        let mut counts = OutputCounts { total: self.outputs.len(), ..OutputCounts::default() };
        for output in &self.outputs {
            match (output.start_ms, output.end_ms, &output.failure) {
                (_, _, Some(_)) => counts.failed += 1,
                (_, Some(_), None) => counts.completed += 1,
                (Some(_), None, None) => counts.active += 1,
                (None, None, None) => {}
            }
        }
        counts
    }

    /// The first error of an output operation, or that of the batch itself where none of them failed.
    pub fn first_failure(&self) -> Option<&str> {
        let of_outputs = self.outputs.iter().find_map(|output| output.failure.as_deref());
        of_outputs.or(self.failure.as_deref())
    }

    /// Bytes of what can be given up.
    pub(super) fn detail_bytes(&self) -> usize {
        let origins: usize = self.origins.iter().flatten().map(String::len).sum();
        let errors: usize = self.errors().map(|error| error.len().saturating_sub(SHORT_ERROR)).sum();
        origins + errors
    }

    /// Gives up where the records come from, and the long part of errors.
    pub(super) fn give_up_details(&mut self) {
        self.origins = None;
        let errors = self.outputs.iter_mut().filter_map(|output| output.failure.as_mut()).chain(&mut self.failure);
        for error in errors {
            *error = shortened(error, SHORT_ERROR);
        }
    }

    fn errors(&self) -> impl Iterator<Item = &String> {
        self.outputs.iter().filter_map(|output| output.failure.as_ref()).chain(&self.failure)
    }
}

impl OutputRun {
    pub(super) fn new(info: &OutputInfo) -> Self {
        let failure = info.failure.as_deref().map(|text| shortened(text, MOST_ERROR));
        Self { start_ms: info.start_ms, end_ms: info.end_ms, failure }
    }

    /// How long it took, or `None` before its end.
    pub fn duration_ms(&self) -> Option<u64> {
        Some(self.end_ms?.saturating_sub(self.start_ms?))
    }
}

/// The failure of a batch is that of its first output to fail, once more, unless there is none.
fn own_failure(info: &BatchInfo) -> Option<String> {
    let is_of_output = info.outputs.iter().any(|output| output.failure.is_some());
    info.failure.as_deref().filter(|_| !is_of_output).map(|text| shortened(text, MOST_ERROR))
}

/// At most about `most` bytes of a text: its beginning and its end, where a traceback says most.
fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(most / 3);
    let tail = text.ceil_char_boundary(text.len() - (most - most / 3));
    format!("{}\n[… {} bytes left out …]\n{}", &text[..head], tail - head, &text[tail..])
}
