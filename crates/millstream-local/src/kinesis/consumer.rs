//! Consumers with enhanced fan-out, which are registered with a stream.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lifecycle::{Lifecycle, Status};
use super::output::Time;
use super::region::ACCOUNT;
use super::stream::Stream;
use crate::api_error::ApiError;

/// What is written down about a consumer, with its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConsumerInfo {
    pub(crate) name: String,
    pub(crate) created_ms: u64,
    /// When it was asked to go.
    #[serde(default)]
    pub(crate) deleting_ms: Option<u64>,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) policy: Option<String>,
}

/// A consumer as answers show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConsumerOutput {
    consumer_name: String,
    #[serde(rename = "ConsumerARN")]
    consumer_arn: String,
    consumer_status: Status,
    consumer_creation_timestamp: Time,
}

impl ConsumerInfo {
    /// `<stream ARN>/consumer/<name>:<second of its creation>`.
    pub(crate) fn arn(&self, stream: &Stream) -> String {
        format!("{}/consumer/{}:{}", stream.arn(), self.name, self.created_ms / 1000)
    }

    pub(crate) fn status(&self, lifecycle: &Lifecycle) -> Status {
        if self.deleting_ms.is_some() {
            Status::Deleting
        } else if lifecycle.is_over(self.created_ms) {
            Status::Active
        } else {
            Status::Creating
        }
    }

    /// Deleted, and no longer to be seen.
    pub(crate) fn is_gone(&self, lifecycle: &Lifecycle) -> bool {
        self.deleting_ms.is_some_and(|began_ms| lifecycle.is_over(began_ms))
    }

    pub(crate) fn output(&self, stream: &Stream) -> ConsumerOutput {
        ConsumerOutput {
            consumer_name: self.name.clone(),
            consumer_arn: self.arn(stream),
            consumer_status: self.status(stream.lifecycle()),
            consumer_creation_timestamp: Time(self.created_ms / 1000 * 1000),
        }
    }
}

/// The consumers of a stream that are not gone.
pub(crate) fn consumers_of(stream: &Stream) -> Vec<ConsumerInfo> {
    let mut consumers = stream.settings().consumers.clone();
    consumers.retain(|consumer| !consumer.is_gone(stream.lifecycle()));
    consumers
}

/// The stream's ARN in a consumer's, or in an ARN of a stream all of it; `None` for any other ARN.
pub(crate) fn split_arn(arn: &str) -> Option<(&str, Option<&str>)> {
    let (_, resource) = arn.split_once(":stream/")?;
    match resource.split_once("/consumer/") {
        None => Some((arn, None)),
        Some((_, consumer)) => Some((&arn[..arn.len() - consumer.len() - "/consumer/".len()], Some(consumer))),
    }
}

pub(crate) fn no_such_consumer(consumer: &str) -> ApiError {
    ApiError::not_found(format!("Consumer {consumer}, account {ACCOUNT} not found."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_that_of_a_stream_or_of_a_consumer() {
        let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        assert_eq!(split_arn(stream), Some((stream, None)));
        assert_eq!(split_arn(&format!("{stream}/consumer/c:1")), Some((stream, Some("c:1"))));
        assert_eq!(split_arn("arn:aws:kinesis:us-east-1:000000000000:channel/s"), None);
    }
}
