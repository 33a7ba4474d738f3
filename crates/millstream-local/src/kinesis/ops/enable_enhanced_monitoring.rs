//! EnableEnhancedMonitoring.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Call;
use super::named::Named;
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;
use crate::kinesis::metric::Metric;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    shard_level_metrics: Option<Vec<Word>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    current_shard_level_metrics: BTreeSet<Metric>,
    desired_shard_level_metrics: BTreeSet<Metric>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    change(call, input, |current, named| current | named)
}

/// Sets the metrics to what `desired` makes of those of the stream and those of the request.
pub(super) fn change(
    call: &Call,
    input: Input,
    desired: fn(&BTreeSet<Metric>, &BTreeSet<Metric>) -> BTreeSet<Metric>,
) -> Result<Output, ApiError> {
    let mut check = Constraints::default();
    check.required("shardLevelMetrics", input.shard_level_metrics.is_some());
    let names: Vec<&str> = input.shard_level_metrics.iter().flatten().map(|name| name.0.as_str()).collect();
    if input.shard_level_metrics.is_some() {
        check_names(&mut check, &names);
    }
    input.stream.check(&mut check);
    check.satisfied()?;

    let stream = input.stream.find(call)?;
    let named = Metric::named(names);
    let (current, desired) = call.kinesis.update_slowly(&stream, |info| {
        let desired = desired(&info.metrics, &named);
        Ok((std::mem::replace(&mut info.metrics, desired.clone()), desired))
    })?;
    Ok(Output {
        stream_name: stream.name().to_owned(),
        stream_arn: stream.arn().to_owned(),
        current_shard_level_metrics: current,
        desired_shard_level_metrics: desired,
    })
}

fn check_names(check: &mut Constraints, names: &[&str]) {
    let path = "shardLevelMetrics";
    let shown = || format!("[{}]", names.join(", "));
    let allowed = Metric::names();
    if names.is_empty() {
        check.violated(path, shown(), "Member must have length greater than or equal to 1");
    }
    if names.len() > 7 {
        check.violated(path, shown(), "Member must have length less than or equal to 7");
    }
    if names.iter().any(|name| !allowed.contains(name)) {
        let words =
            format!("Member must satisfy constraint: [Member must satisfy enum value set: [{}]]", allowed.join(", "));
        check.violated(path, shown(), &words);
    }
}
