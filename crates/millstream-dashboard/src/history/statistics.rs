//! Figures over all batches that are kept, as Spark's Streaming page has them.

use super::{Batch, BatchStatus, History};

/// Spark's `StreamingStatistics`, but for the totals. Delays in ms; `None` where there is nothing to take the mean of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Inputs that have a receiver.
    pub receivers: usize,
    /// Of these, those that run.
    pub active_receivers: usize,
    /// Batches that wait.
    pub waiting: usize,
    /// Batches that run: 0 or 1.
    pub running: usize,
    /// Records a second, the mean of all batches that are kept.
    pub input_rate: Option<f64>,
    /// From submission to the begin of processing, mean.
    pub scheduling_delay_ms: Option<u64>,
    /// From begin to end of processing, mean.
    pub processing_ms: Option<u64>,
    /// From submission to the end of processing, mean.
    pub total_delay_ms: Option<u64>,
}

impl History {
    /// The figures now.
    pub fn statistics(&self) -> Statistics {
        let inputs = &self.application.inputs;
        let with_receiver = || inputs.iter().enumerate().filter(|(_, input)| input.has_receiver);
        let running = self.open().filter(|batch| batch.status() == BatchStatus::Processing).count();
        Statistics {
            receivers: with_receiver().count(),
            active_receivers: with_receiver().filter(|(input, _)| self.is_active(*input)).count(),
            waiting: self.open.len() - running,
            running,
            input_rate: self.mean_rate(Batch::total_records),
            scheduling_delay_ms: self.mean_ms(Batch::scheduling_delay_ms),
            processing_ms: self.mean_ms(Batch::processing_ms),
            total_delay_ms: self.mean_ms(Batch::total_delay_ms),
        }
    }

    /// Whether an input's receiver runs. A Kinesis stream's is part of the engine and says nothing of itself.
    pub fn is_active(&self, input: usize) -> bool {
        self.receiver(input).map_or(self.started_ms.is_some(), |receiver| receiver.is_active)
    }

    /// Records a second of one input, the mean of all batches that are kept.
    pub fn mean_input_rate(&self, input: usize) -> Option<f64> {
        self.mean_rate(|batch| batch.records.get(input).copied().unwrap_or(0))
    }

    /// What so many records in a batch are in a second.
    pub fn rate(&self, records: u64) -> f64 {
        records as f64 * 1000.0 / self.application.batch_ms as f64
    }

    fn mean_rate(&self, records: impl Fn(&Batch) -> u64) -> Option<f64> {
        let count = self.batches().count();
        let sum: f64 = self.batches().map(|batch| self.rate(records(batch))).sum();
        (count > 0).then(|| sum / count as f64)
    }

    fn mean_ms(&self, delay: impl Fn(&Batch) -> Option<u64>) -> Option<u64> {
        let (count, sum) = self.batches().filter_map(delay).fold((0, 0), |(count, sum), ms| (count + 1, sum + ms));
        u64::checked_div(sum, count)
    }
}
