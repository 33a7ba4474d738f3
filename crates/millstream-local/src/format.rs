//! The formats of requests and answers, by their media types.

use serde::Serialize;

use crate::api_error::ApiError;

/// How requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// AWS JSON 1.0, of DynamoDB.
    Json10,
    /// AWS JSON 1.1, of Kinesis.
    Json11,
    /// CBOR in place of that JSON: what the AWS SDKs for Java speak to Kinesis.
    Cbor11,
    /// CBOR of Smithy's RPC protocol, of CloudWatch.
    RpcCbor,
}

impl Format {
    /// The media type of answers.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json10 => "application/x-amz-json-1.0",
            Self::Json11 => "application/x-amz-json-1.1",
            Self::Cbor11 => "application/x-amz-cbor-1.1",
            Self::RpcCbor => "application/cbor",
        }
    }

    /// Writes an answer or an error.
    pub(crate) fn write(self, value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
        let written = match self {
            Self::Json10 | Self::Json11 => serde_json::to_vec(value).map_err(|error| error.to_string()),
            Self::Cbor11 | Self::RpcCbor => millstream_cbor::to_vec(value).map_err(|error| error.to_string()),
        };
        written.map_err(|error| {
            tracing::error!(error, "an answer does not serialise");
            ApiError::internal()
        })
    }
}
