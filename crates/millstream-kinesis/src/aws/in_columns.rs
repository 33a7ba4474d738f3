//! Lets a call of GetRecords speak CBOR, and hand over its answer as [`records::parse`] has read it.
//!
//! In CBOR an answer is a quarter smaller, and nothing is in base64. The AWS SDKs for Java speak it to Kinesis by default; that for
//! Rust speaks JSON alone.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use http_body::{Body, Frame};

use super::decode::malformed;
use super::records::{self, Written};
use crate::{GetRecords, KinesisError, ShardId};

/// The media type of CBOR as Kinesis has it.
const CBOR: &str = "application/x-amz-cbor-1.1";

/// For one call: takes the records out of the answer's body before the SDK reads it, which then finds an answer without any.
/// Answers that are errors are left to it, in JSON.
#[derive(Debug, Clone)]
pub(super) struct InColumns {
    stream: Arc<str>,
    shard: ShardId,
    asked: Written,
    answer: Arc<Mutex<Answer>>,
}

/// Written while the answer is read.
#[derive(Debug, Default)]
struct Answer {
    records: Option<Result<GetRecords, KinesisError>>,
    /// What was asked in CBOR was refused in something else.
    is_misunderstood: bool,
}

impl InColumns {
    pub(super) fn new(stream: &str, shard: &ShardId, asked: Written) -> Self {
        InColumns { stream: stream.into(), shard: shard.clone(), asked, answer: Arc::default() }
    }

    /// What was answered, after the call has succeeded.
    pub(super) fn take(self) -> Result<GetRecords, KinesisError> {
        self.answer().records.take().unwrap_or_else(|| Err(malformed("the answer has no body")))
    }

    /// Whether the service seems to know no CBOR, after the call has failed.
    pub(super) fn is_misunderstood(&self) -> bool {
        self.answer().is_misunderstood
    }

    fn answer(&self) -> MutexGuard<'_, Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[dyn_dispatch_hint]
impl Intercept for InColumns {
    fn name(&self) -> &'static str {
        "InColumns"
    }

    /// Before the SDK keeps the request for further attempts.
    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.asked == Written::Cbor {
            let request = context.request_mut();
            let cbor = in_cbor(request.body().bytes().unwrap_or_default())?;
            request.headers_mut().insert("content-type", CBOR);
            request.headers_mut().insert("content-length", cbor.len().to_string());
            *request.body_mut() = SdkBody::from(cbor);
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let is_cbor = response.headers().get("content-type").is_some_and(|media_type| media_type.starts_with(CBOR));
        let written = if is_cbor { Written::Cbor } else { Written::Json };
        let is_error = !response.status().is_success();
        self.answer().is_misunderstood = is_error && self.asked == Written::Cbor && !is_cbor;
        if is_cbor || !is_error {
            let body = std::mem::replace(response.body_mut(), SdkBody::taken());
            let read = Vec::with_capacity(body.content_length().and_then(|len| len.try_into().ok()).unwrap_or(0));
            let taken = Taken { body, read: Some(read), written, is_error, call: self.clone() };
            *response.body_mut() = SdkBody::from_body_1_x(taken);
        }
        Ok(())
    }
}

/// A request that the SDK has written in JSON, in CBOR.
fn in_cbor(json: &[u8]) -> Result<Vec<u8>, BoxError> {
    let request: serde_json::Value = serde_json::from_slice(json)?;
    Ok(millstream_cbor::to_vec(&request)?)
}

/// An error in JSON, as the SDK reads it.
fn in_json(cbor: &[u8]) -> Result<Vec<u8>, BoxError> {
    let error: serde_json::Value = millstream_cbor::from_slice(cbor)?;
    Ok(error.to_string().into_bytes())
}

/// A body that is read to its end, and gives an empty answer in its place, or the error in JSON.
struct Taken {
    body: SdkBody,
    read: Option<Vec<u8>>,
    written: Written,
    is_error: bool,
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
        let for_the_sdk = if taken.is_error {
            in_json(read).map(Bytes::from)
        } else {
            let answer = records::parse(taken.written, read, &taken.call.stream, &taken.call.shard);
            taken.call.answer().records = Some(answer);
            Ok(Bytes::from_static(b"{\"Records\":[]}"))
        };
        taken.read = None;
        Poll::Ready(Some(for_the_sdk.map(Frame::data)))
    }
}
