//! Lets a call of GetRecords hand over its answer as [`records::parse`] has read it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use http_body::{Body, Frame};

use super::decode::malformed;
use super::records;
use crate::{GetRecords, KinesisError, ShardId};

type Answer = Arc<Mutex<Option<Result<GetRecords, KinesisError>>>>;

/// For one call: takes the records out of the answer's body before the SDK reads it, which then finds an answer without any.
/// Answers that are errors are left to it.
#[derive(Debug, Clone)]
pub(super) struct InColumns {
    stream: Arc<str>,
    shard: ShardId,
    answer: Answer,
}

impl InColumns {
    pub(super) fn new(stream: &str, shard: &ShardId) -> Self {
        InColumns { stream: stream.into(), shard: shard.clone(), answer: Answer::default() }
    }

    /// What was answered, after the call has succeeded.
    pub(super) fn take(self) -> Result<GetRecords, KinesisError> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.unwrap_or_else(|| Err(malformed("the answer has no body")))
    }
}

#[dyn_dispatch_hint]
impl Intercept for InColumns {
    fn name(&self) -> &'static str {
        "InColumns"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let body = std::mem::replace(response.body_mut(), SdkBody::taken());
            let read = Vec::with_capacity(body.content_length().and_then(|len| len.try_into().ok()).unwrap_or(0));
            *response.body_mut() = SdkBody::from_body_1_x(Taken { body, read: Some(read), call: self.clone() });
        }
        Ok(())
    }
}

/// A body that is read to its end, and gives an empty answer in its place.
struct Taken {
    body: SdkBody,
    read: Option<Vec<u8>>,
    call: InColumns,
}

impl Body for Taken {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let taken = &mut *self;
        let Some(read) = &mut taken.read else { return Poll::Ready(None) };
        while let Some(frame) = ready!(Pin::new(&mut taken.body).poll_frame(context)) {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => read.extend_from_slice(&data),
                Ok(Err(_trailers)) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        let answer = records::parse(read, &taken.call.stream, &taken.call.shard);
        *taken.call.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        taken.read = None;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{\"Records\":[]}")))))
    }
}
