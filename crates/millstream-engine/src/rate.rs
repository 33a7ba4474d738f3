//! How many records a batch takes from an input: Spark's back-pressure. Pure; `testdata/rate.txt` tells it as a table.

/// How fast the inputs are taken from, in records a second for each of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateConfig {
    /// Never more (`spark.streaming.receiver.maxRate`).
    pub max_rate: Option<f64>,
    /// No more than the batches can process (`spark.streaming.backpressure.enabled`).
    pub backpressure: Option<Backpressure>,
}

/// How the rate follows the processing (`spark.streaming.backpressure.*`).
#[derive(Clone, Debug, PartialEq)]
pub struct Backpressure {
    /// Until two batches with records have run.
    pub initial_rate: Option<f64>,
    /// What is corrected of the difference to the rate at which the last batch was processed (`pid.proportional`).
    pub proportional: f64,
    /// What is corrected of the records that wait, as seen by the scheduling delay (`pid.integral`).
    pub integral: f64,
    /// What is corrected of the difference's own change (`pid.derived`).
    pub derived: f64,
    /// Never less (`pid.minRate`).
    pub min_rate: f64,
}

impl Default for Backpressure {
    fn default() -> Self {
        Self { initial_rate: None, proportional: 1.0, integral: 0.2, derived: 0.0, min_rate: 100.0 }
    }
}

/// What a batch took of one input, once it is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Done {
    /// When it ended, in ms since the epoch.
    pub(crate) at_ms: u64,
    pub(crate) records: u64,
    pub(crate) processing_ms: u64,
    pub(crate) scheduling_ms: u64,
}

/// The rate of one input.
#[derive(Debug)]
pub(crate) struct Rate {
    config: RateConfig,
    interval_ms: f64,
    current: Option<f64>,
    last: Option<Last>,
    /// A part of a record that the last batch did not take.
    rest: f64,
}

/// What the estimator remembers of the batch before.
#[derive(Debug)]
struct Last {
    at_ms: u64,
    rate: f64,
    error: f64,
}

impl Rate {
    pub(crate) fn new(config: RateConfig, interval_ms: u64) -> Self {
        let initial = config.backpressure.as_ref().and_then(|backpressure| backpressure.initial_rate);
        let current = at_most(config.max_rate, initial.or(config.max_rate));
        Self { config, interval_ms: interval_ms as f64, current, last: None, rest: 0.0 }
    }

    /// How many records the next batch may take; `None`: all there are.
    pub(crate) fn allowance(&mut self) -> Option<u64> {
        let allowed = self.current? * self.interval_ms / 1000.0 + self.rest;
        self.rest = allowed.fract();
        Some(allowed as u64)
    }

    /// Takes note of a batch (Spark's `PIDRateEstimator`).
    pub(crate) fn done(&mut self, done: Done) {
        let Some(pid) = &self.config.backpressure else { return };
        let is_later = self.last.as_ref().is_none_or(|last| done.at_ms > last.at_ms);
        if !is_later || done.records == 0 || done.processing_ms == 0 {
            return;
        }
        let processed = done.records as f64 / done.processing_ms as f64 * 1000.0;
        let Some(last) = &self.last else {
            self.last = Some(Last { at_ms: done.at_ms, rate: processed, error: 0.0 });
            return;
        };
        let error = last.rate - processed;
        let waiting = done.scheduling_ms as f64 * processed / self.interval_ms;
        let change = (error - last.error) * 1000.0 / (done.at_ms - last.at_ms) as f64;
        let rate = last.rate - pid.proportional * error - pid.integral * waiting - pid.derived * change;
        let rate = rate.max(pid.min_rate);
        self.current = at_most(self.config.max_rate, Some(rate));
        self.last = Some(Last { at_ms: done.at_ms, rate, error });
    }
}

fn at_most(max: Option<f64>, rate: Option<f64>) -> Option<f64> {
    rate.map(|rate| max.map_or(rate, |max| rate.min(max)))
}

#[cfg(test)]
#[path = "rate_tests.rs"]
mod tests;
