//! `/streaming/statistics`.

use serde::Serialize;
use serde_json::Value;

use super::date::Date;
use super::json;
use crate::History;

/// Spark's `StreamingStatistics`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    start_time: Date,
    batch_duration: u64,
    num_receivers: usize,
    num_active_receivers: usize,
    num_inactive_receivers: usize,
    num_total_completed_batches: u64,
    num_retained_completed_batches: usize,
    num_active_batches: usize,
    num_processed_records: u64,
    num_received_records: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_input_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_scheduling_delay: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_processing_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_total_delay: Option<u64>,
}

pub(super) fn answer(history: &History) -> Value {
    let (statistics, totals, application) = (history.statistics(), history.totals(), history.application());
    json(&Answer {
        start_time: Date(history.started_ms().unwrap_or(application.started_ms)),
        batch_duration: application.batch_ms,
        num_receivers: statistics.receivers,
        num_active_receivers: statistics.active_receivers,
        num_inactive_receivers: statistics.receivers - statistics.active_receivers,
        num_total_completed_batches: totals.completed,
        num_retained_completed_batches: history.completed().len(),
        num_active_batches: statistics.waiting + statistics.running,
        num_processed_records: totals.processed_records,
        num_received_records: totals.received_records,
        avg_input_rate: statistics.input_rate,
        avg_scheduling_delay: statistics.scheduling_delay_ms,
        avg_processing_time: statistics.processing_ms,
        avg_total_delay: statistics.total_delay_ms,
    })
}
