//! `/streaming/batches`, and their output operations and inputs.

use serde::Serialize;
use serde_json::{Value, json};

use super::date::Date;
use super::{NotFound, json};
use crate::History;
use crate::history::{Batch, OutputRun};

/// Spark's `BatchInfo`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchAnswer<'a> {
    batch_id: u64,
    batch_time: Date,
    status: &'static str,
    batch_duration: u64,
    input_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduling_delay: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    processing_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_delay: Option<u64>,
    num_active_output_ops: usize,
    num_completed_output_ops: usize,
    num_failed_output_ops: usize,
    num_total_output_ops: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failure_reason: Option<&'a str>,
}

/// Spark's `OutputOperationInfo`. There are no jobs to name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationAnswer<'a> {
    output_op_id: usize,
    name: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'a str>,
    job_ids: [u64; 0],
}

/// The newest first. `status` (any case, more than once) keeps those; `offset` and `length` cut a page out, which Spark has not.
pub(super) fn all(history: &History, query: &str) -> Value {
    let mut statuses = Vec::new();
    let (mut offset, mut length) = (0, usize::MAX);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "status" => statuses.push(value.to_uppercase()),
            "offset" => offset = value.parse().unwrap_or(0),
            "length" => length = value.parse().unwrap_or(usize::MAX),
            _ => {}
        }
    }
    let is_wanted = |batch: &&Batch| statuses.is_empty() || statuses.iter().any(|word| word == batch.status().word());
    let batches = history.batches().rev().filter(is_wanted).skip(offset).take(length);
    json(&batches.map(|batch| answer(history, batch)).collect::<Vec<_>>())
}

pub(super) fn one(history: &History, id: &str) -> Result<Value, NotFound> {
    Ok(json(&answer(history, find(history, id)?)))
}

pub(super) fn operations(history: &History, id: &str) -> Result<Value, NotFound> {
    let outputs = find(history, id)?.outputs.iter().enumerate();
    Ok(json(&outputs.map(|(op, output)| operation_answer(history, op, output)).collect::<Vec<_>>()))
}

pub(super) fn operation(history: &History, id: &str, op: &str) -> Result<Value, NotFound> {
    let outputs = &find(history, id)?.outputs;
    let found = op.parse::<usize>().ok().and_then(|op| Some((op, outputs.get(op)?)));
    let (op, output) = found.ok_or_else(|| NotFound(format!("unknown output operation: {op}")))?;
    Ok(json(&operation_answer(history, op, output)))
}

/// What each input gave to the batch, with where it comes from: for Kinesis the ranges of the shards. Spark has no such answer.
pub(super) fn inputs(history: &History, id: &str) -> Result<Value, NotFound> {
    let batch = find(history, id)?;
    let input = |(id, records): (usize, &u64)| {
        let origins = batch.origins.as_ref().map(|origins| origins.get(id).map_or("", String::as_str));
        json!({
            "streamId": id,
            "streamName": history.application().inputs.get(id).map(|input| &input.name),
            "numRecords": records,
            "origins": origins.map(|origins| origins.lines().collect::<Vec<_>>()),
        })
    };
    Ok(batch.records.iter().enumerate().map(input).collect())
}

fn find<'a>(history: &'a History, id: &str) -> Result<&'a Batch, NotFound> {
    id.parse().ok().and_then(|time_ms| history.batch(time_ms)).ok_or_else(|| NotFound(format!("unknown batch: {id}")))
}

fn answer<'a>(history: &History, batch: &'a Batch) -> BatchAnswer<'a> {
    let counts = batch.output_counts();
    BatchAnswer {
        batch_id: batch.time_ms,
        batch_time: Date(batch.time_ms),
        status: batch.status().word(),
        batch_duration: history.application().batch_ms,
        input_size: batch.total_records(),
        scheduling_delay: batch.scheduling_delay_ms(),
        processing_time: batch.processing_ms(),
        total_delay: batch.total_delay_ms(),
        num_active_output_ops: counts.active,
        num_completed_output_ops: counts.completed,
        num_failed_output_ops: counts.failed,
        num_total_output_ops: counts.total,
        first_failure_reason: batch.first_failure(),
    }
}

fn operation_answer<'a>(history: &'a History, op: usize, output: &'a OutputRun) -> OperationAnswer<'a> {
    OperationAnswer {
        output_op_id: op,
        name: history.output_name(op),
        description: history.output_name(op),
        start_time: output.start_ms.map(Date),
        end_time: output.end_ms.map(Date),
        duration: output.duration_ms(),
        failure_reason: output.failure.as_deref(),
        job_ids: [],
    }
}
