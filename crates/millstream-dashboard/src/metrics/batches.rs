//! What there is to measure of batches.

use super::family::{Family, Kind};
use crate::History;

/// A gauge of Spark's `StreamingSource`: its name, its value, what it is.
type Gauge = (&'static str, i64, &'static str);

pub(super) fn families(history: &History) -> Vec<Family> {
    let application = history.application();
    let labels = [("app_id", application.id.as_str()), ("app_name", application.name.as_str())];
    let of_spark = |(name, value, help): Gauge| {
        // The name that configurations of Prometheus's JMX exporter for Spark give it.
        Family::new(format!("spark_streaming_driver_{name}"), Kind::Gauge, help).with(&labels, value as f64)
    };
    let mut families: Vec<Family> = sparks(history).into_iter().map(of_spark).collect();
    let version = [labels[0], labels[1], ("version", env!("CARGO_PKG_VERSION"))];
    families.push(Family::new("millstream_info", Kind::Gauge, "The program; 1.").with(&version, 1.0));
    let interval = Family::new("millstream_batch_interval_seconds", Kind::Gauge, "The batch interval.");
    families.push(interval.with(&[], application.batch_ms as f64 / 1000.0));
    let totals = history.totals();
    let help = "Batches that have ended; those that failed were not committed.";
    let batches = Family::new("millstream_batches_total", Kind::Counter, help)
        .with(&[("outcome", "succeeded")], (totals.completed - totals.failed) as f64)
        .with(&[("outcome", "failed")], totals.failed as f64);
    families.push(batches);
    let help = "Records of an input that batches were cut of.";
    let mut inputs = Family::new("millstream_input_records_total", Kind::Counter, help);
    for (id, (input, records)) in application.inputs.iter().zip(&totals.input_records).enumerate() {
        inputs.add(&[("input", &id.to_string()), ("name", &input.name)], *records as f64);
    }
    families.push(inputs);
    families
}

/// The 18 gauges. Times in ms since the epoch, delays in ms; -1 where there is no such batch yet, as in Spark.
fn sparks(history: &History) -> [Gauge; 18] {
    let (statistics, totals) = (history.statistics(), history.totals());
    let (completed, received) = (history.completed().next_back(), history.batches().next_back());
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let size = |number: usize| count(number as u64);
    let or_none = |value: Option<u64>| value.map_or(-1, count);
    let of = |value: Option<Option<u64>>| or_none(value.flatten());
    [
        ("receivers", size(statistics.receivers), "Inputs that have a receiver."),
        ("totalCompletedBatches", count(totals.completed), "Batches that have ended."),
        ("totalReceivedRecords", count(totals.received_records), "Records of batches that have begun."),
        ("totalProcessedRecords", count(totals.processed_records), "Records of batches that have ended."),
        ("unprocessedBatches", size(statistics.waiting + statistics.running), "Batches that wait or run."),
        ("waitingBatches", size(statistics.waiting), "Batches that wait."),
        ("runningBatches", size(statistics.running), "Batches that run."),
        ("retainedCompletedBatches", size(history.completed().len()), "Completed batches that are kept."),
        ("lastCompletedBatch_submissionTime", of(completed.map(|b| Some(b.submission_ms))), "When it was cut, in ms."),
        (
            "lastCompletedBatch_processingStartTime",
            of(completed.map(|b| b.processing_start_ms)),
            "When it began, in ms.",
        ),
        ("lastCompletedBatch_processingEndTime", of(completed.map(|b| b.processing_end_ms)), "When it ended, in ms."),
        ("lastCompletedBatch_processingDelay", of(completed.map(|b| b.processing_ms())), "How long it ran, in ms."),
        (
            "lastCompletedBatch_schedulingDelay",
            of(completed.map(|b| b.scheduling_delay_ms())),
            "How long it waited, in ms.",
        ),
        ("lastCompletedBatch_totalDelay", of(completed.map(|b| b.total_delay_ms())), "Both together, in ms."),
        ("lastReceivedBatch_submissionTime", of(received.map(|b| Some(b.submission_ms))), "When it was cut, in ms."),
        ("lastReceivedBatch_processingStartTime", of(received.map(|b| b.processing_start_ms)), "When it began, in ms."),
        ("lastReceivedBatch_processingEndTime", of(received.map(|b| b.processing_end_ms)), "When it ended, in ms."),
        ("lastReceivedBatch_records", received.map_or(0, |b| count(b.total_records())), "Its records."),
    ]
}
