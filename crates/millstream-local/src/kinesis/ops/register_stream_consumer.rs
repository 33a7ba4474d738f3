//! RegisterStreamConsumer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::named::Named;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::consumer::{ConsumerInfo, ConsumerOutput};
use crate::kinesis::input::Word;
use crate::kinesis::lifecycle::Status;
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::stream::StreamMode;
use crate::kinesis::tags::{self, TagMap};

/// Consumers of a stream, of an on-demand stream with a throughput commitment, and those being created at a time
/// (RegisterStreamConsumer in the Kinesis API reference).
const MOST_CONSUMERS: usize = 20;
const MOST_CONSUMERS_ADVANTAGE: usize = 50;
const MOST_CREATING: usize = 5;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    consumer_name: Option<Word>,
    tags: Option<TagMap>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    consumer: ConsumerOutput,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let mut check = Constraints::default();
    input.stream.check_arn(&mut check);
    check.required_name("consumerName", text(input.consumer_name.as_ref()));
    if let Some(tags) = &input.tags {
        tags::check_map(&mut check, tags);
    }
    check.satisfied()?;

    let stream = input.stream.find(call)?;
    let name = input.consumer_name.map(|name| name.0).unwrap_or_default();
    let mut own_tags = BTreeMap::new();
    tags::add(&mut own_tags, input.tags.unwrap_or_default(), stream.name())?;
    let lifecycle = stream.lifecycle();
    let is_committed = call.kinesis.account().commitment(&call.region).is_enabled(call.kinesis.now_ms());
    let is_advantage = is_committed && stream.settings().mode == StreamMode::OnDemand;
    let most = if is_advantage { MOST_CONSUMERS_ADVANTAGE } else { MOST_CONSUMERS };
    let consumer = call.kinesis.update(&stream, |info| {
        if !stream.is_usable() {
            return stream.must_be_active().map(|()| None);
        }
        info.consumers.retain(|consumer| !consumer.is_gone(lifecycle));
        if let Some(consumer) = info.consumers.iter().find(|consumer| consumer.name == name) {
            return Err(ApiError::in_use(format!(
                "Consumer {name} with creation timestamp {} under stream: {} , account {ACCOUNT} already exists.",
                consumer.created_ms / 1000,
                stream.name()
            )));
        }
        let creating = info.consumers.iter().filter(|consumer| consumer.status(lifecycle) == Status::Creating).count();
        if info.consumers.len() >= most || creating >= MOST_CREATING {
            return Err(ApiError::limit_exceeded(format!(
                "Stream {} under account {ACCOUNT} cannot have more than {most} consumers, or more than \
                 {MOST_CREATING} in CREATING status.",
                stream.name()
            )));
        }
        let created_ms = lifecycle.now_ms();
        let consumer = ConsumerInfo { name, created_ms, deleting_ms: None, tags: own_tags, policy: None };
        info.consumers.push(consumer.clone());
        Ok(Some(consumer))
    })?;
    let consumer = consumer.ok_or_else(ApiError::internal)?;
    Ok(Output { consumer: consumer.output(&stream) })
}
