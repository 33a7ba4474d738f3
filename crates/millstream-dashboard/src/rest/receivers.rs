//! `/streaming/receivers`: the inputs.

use serde::Serialize;
use serde_json::Value;

use super::date::Date;
use super::{NotFound, json};
use crate::History;

/// Spark's `ReceiverInfo`. Readers and receivers are in the program's own process, which Spark calls the driver.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    stream_id: usize,
    stream_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executor_id: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executor_host: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_time: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_event_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_rates: Option<Vec<(u64, f64)>>,
}

pub(super) fn all(history: &History, with_rates: bool) -> Value {
    let inputs = 0..history.application().inputs.len();
    json(&inputs.filter_map(|input| answer(history, input, with_rates)).collect::<Vec<_>>())
}

pub(super) fn one(history: &History, id: &str) -> Result<Value, NotFound> {
    let found = id.parse().ok().and_then(|input| answer(history, input, true));
    found.map(|answer| json(&answer)).ok_or_else(|| NotFound(format!("unknown receiver: {id}")))
}

fn answer(history: &History, id: usize, with_rates: bool) -> Option<Answer<'_>> {
    let input = history.application().inputs.get(id)?;
    let error = history.receiver(id).and_then(|receiver| receiver.last_error.as_ref());
    let rates = || {
        let rate =
            |batch: &crate::history::Batch| (batch.time_ms, history.rate(batch.records.get(id).copied().unwrap_or(0)));
        history.batches().map(rate).collect()
    };
    Some(Answer {
        stream_id: id,
        stream_name: &input.name,
        is_active: input.has_receiver.then(|| history.is_active(id)),
        executor_id: input.has_receiver.then_some("driver"),
        executor_host: input.has_receiver.then_some("localhost"),
        last_error_time: error.map(|error| Date(error.time_ms)),
        last_error_message: error.map(|error| error.message.as_str()),
        last_error: error.map(|error| error.error.as_str()),
        avg_event_rate: history.mean_input_rate(id),
        event_rates: with_rates.then(rates),
    })
}
