//! DescribeStreamConsumer.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::named::{Named, consumer_by_arn};
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::consumer::{ConsumerInfo, ConsumerOutput, consumers_of, no_such_consumer, split_arn};
use crate::kinesis::input::Word;
use crate::kinesis::stream::Stream;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    consumer_name: Option<Word>,
    #[serde(rename = "ConsumerARN")]
    consumer_arn: Option<Word>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    consumer_description: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    #[serde(flatten)]
    consumer: ConsumerOutput,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let (stream, consumer) = input.find(call)?;
    let stream_arn = stream.arn().to_owned();
    Ok(Output { consumer_description: Description { consumer: consumer.output(&stream), stream_arn } })
}

impl Input {
    /// The consumer that is meant: by its ARN, or by its name and its stream.
    pub(super) fn find(&self, call: &Call) -> Result<(Arc<Stream>, ConsumerInfo), ApiError> {
        let (name, arn) = (text(self.consumer_name.as_ref()), text(self.consumer_arn.as_ref()));
        let mut check = Constraints::default();
        self.stream.check_optional_arn(&mut check);
        check.name("consumerName", name);
        check.consumer_arn(arn);
        check.satisfied()?;
        let by_name = match (self.stream.is_none(), name) {
            (false, Some(name)) => {
                let stream = self.stream.find(call)?;
                let found = consumers_of(&stream).into_iter().find(|consumer| consumer.name == name);
                Some((stream, found.ok_or_else(|| no_such_consumer(name))?))
            }
            _ => None,
        };
        let by_arn = match arn {
            Some(arn) => {
                let (stream_arn, _) = split_arn(arn).ok_or_else(|| no_such_consumer(arn))?;
                let stream = call.stream(None, Some(stream_arn), None)?;
                let consumer = consumer_by_arn(&stream, arn)?;
                Some((stream, consumer))
            }
            None => None,
        };
        match (by_name, by_arn) {
            (Some((_, named)), Some((_, found))) if named != found => {
                let message = "ConsumerARN and StreamARN with ConsumerName do not match.";
                Err(ApiError::invalid_argument(message))
            }
            (found, None) | (_, found) => found.ok_or_else(|| {
                let message = "Either ConsumerARN or both StreamARN and ConsumerName must be provided.";
                ApiError::invalid_argument(message)
            }),
        }
    }
}
