//! How requests say what they are about.

use std::sync::Arc;

use serde::Deserialize;

use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::consumer::{ConsumerInfo, consumers_of, no_such_consumer, split_arn};
use crate::kinesis::input::Word;
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::stream::{Stream, StreamInfo};

/// A stream, by its name, its ARN or its id, or by several of them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Named {
    stream_name: Option<Word>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
    stream_id: Option<Word>,
}

impl Named {
    pub(super) fn check(&self, check: &mut Constraints) {
        check.stream(text(self.stream_name.as_ref()), self.arn(), self.id());
    }

    /// For the operations that have no stream name.
    pub(super) fn check_arn(&self, check: &mut Constraints) {
        check.required("streamARN", self.stream_arn.is_some() || self.stream_id.is_some());
        self.check_optional_arn(check);
    }

    /// For the operations in which a consumer's ARN may stand for that of its stream.
    pub(super) fn check_optional_arn(&self, check: &mut Constraints) {
        check.stream_arn(self.arn());
        check.stream_id(self.id());
    }

    pub(super) fn is_none(&self) -> bool {
        self.stream_name.is_none() && self.stream_arn.is_none() && self.stream_id.is_none()
    }

    pub(super) fn find(&self, call: &Call) -> Result<Arc<Stream>, ApiError> {
        call.stream(text(self.stream_name.as_ref()), self.arn(), self.id())
    }

    fn arn(&self) -> Option<&str> {
        text(self.stream_arn.as_ref())
    }

    fn id(&self) -> Option<&str> {
        text(self.stream_id.as_ref())
    }
}

/// A stream or one of its consumers, by its ARN.
pub(super) struct Resource {
    pub(super) stream: Arc<Stream>,
    /// The ARN, if it is that of a consumer.
    consumer: Option<String>,
}

impl Resource {
    /// The constraints of the ARN have been checked.
    pub(super) fn find(call: &Call, arn: Option<&str>) -> Result<Self, ApiError> {
        let arn = arn.unwrap_or_default();
        let (stream_arn, consumer) = split_arn(arn)
            .ok_or_else(|| ApiError::not_found(format!("Resource {arn} under account {ACCOUNT} not found.")))?;
        let stream = call.stream(None, Some(stream_arn), None)?;
        let resource = Self { stream, consumer: consumer.map(|_| arn.to_owned()) };
        resource.look(|_| (), |_| ())?;
        Ok(resource)
    }

    /// The name of the stream, for messages.
    pub(super) fn stream_name(&self) -> &str {
        self.stream.name()
    }

    /// What is to be seen of the resource.
    pub(super) fn look<T>(
        &self,
        stream: impl FnOnce(&StreamInfo) -> T,
        consumer: impl FnOnce(&ConsumerInfo) -> T,
    ) -> Result<T, ApiError> {
        match &self.consumer {
            None => Ok(stream(&self.stream.settings())),
            Some(arn) => consumer_by_arn(&self.stream, arn).map(|found| consumer(&found)),
        }
    }

    /// Changes the resource. Writes to the disk.
    pub(super) fn update<T>(
        &self,
        call: &Call,
        stream: impl FnOnce(&mut StreamInfo) -> Result<T, ApiError>,
        consumer: impl FnOnce(&mut ConsumerInfo) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        call.kinesis.update(&self.stream, |info| match &self.consumer {
            None => stream(info),
            Some(arn) => {
                let wanted = consumer_by_arn(&self.stream, arn)?;
                let found = info.consumers.iter_mut().find(|found| **found == wanted);
                consumer(found.ok_or_else(|| no_such_consumer(arn))?)
            }
        })
    }
}

pub(super) fn consumer_by_arn(stream: &Stream, arn: &str) -> Result<ConsumerInfo, ApiError> {
    let found = consumers_of(stream).into_iter().find(|consumer| consumer.arn(stream) == arn);
    found.ok_or_else(|| no_such_consumer(arn))
}
