//! What a request asks for: the operation, the region and the body.

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Method;
use hyper::Request;
use hyper::body;
use hyper::header::AUTHORIZATION;

/// The largest body that is read: 10 MiB of record data in base64, and its keys.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// A request as it came over the wire, of any kind.
pub(crate) enum Incoming {
    /// `GET /health`.
    Health,
    /// A call of the service's own interface.
    Control(ControlCall),
    /// An AWS API call.
    Call(ApiCall),
    /// Something this service does not answer.
    Refused(Refusal),
}

/// Why a request is not an API call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not a POST: AWS cannot tell what is asked for.
    NoOperation,
    /// The body is larger than any operation allows.
    TooLarge,
    /// The body could not be read.
    Broken,
}

/// A request below `/_millstream/`.
pub(crate) struct ControlCall {
    pub(crate) method: Method,
    /// What follows `/_millstream/`.
    pub(crate) path: String,
    /// The media type without its parameters, in lower case.
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// A POST with its AWS headers.
pub(crate) struct ApiCall {
    /// The `X-Amz-Target`, such as `Kinesis_20131202.PutRecord`; empty if there is none.
    pub(crate) target: String,
    /// The media type without its parameters, in lower case.
    pub(crate) content_type: String,
    /// The `Authorization` header, if there is one.
    pub(crate) authorization: Option<String>,
    /// The JSON.
    pub(crate) body: Bytes,
}

impl Incoming {
    pub(crate) async fn read(request: Request<body::Incoming>) -> Self {
        if request.method() == Method::GET && request.uri().path() == "/health" {
            return Self::Health;
        }
        let control = request.uri().path().strip_prefix("/_millstream/").map(str::to_owned);
        if request.method() != Method::POST && control.is_none() {
            return Self::Refused(Refusal::NoOperation);
        }
        let method = request.method().clone();
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let target = header("x-amz-target").unwrap_or_default().to_owned();
        let media_type = header("content-type").unwrap_or_default();
        let content_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let authorization = header(AUTHORIZATION.as_str()).map(str::to_owned);
        match Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await {
            Ok(body) => match control {
                Some(path) => Self::Control(ControlCall { method, path, content_type, body: body.to_bytes() }),
                None => Self::Call(ApiCall { target, content_type, authorization, body: body.to_bytes() }),
            },
            Err(error) if error.is::<LengthLimitError>() => Self::Refused(Refusal::TooLarge),
            Err(_) => Self::Refused(Refusal::Broken),
        }
    }
}

impl ApiCall {
    /// The region of the credential scope, `…Credential=KEY/20260102/REGION/kinesis/aws4_request…`.
    pub(crate) fn region(&self) -> Option<&str> {
        let credential = self.authorization.as_deref()?.split("Credential=").nth(1)?;
        let scope = credential.split([',', ' ']).next()?;
        // Counted from the end: an access key may hold slashes, a scope does not.
        let region = scope.rsplit('/').nth(2)?;
        let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (!region.is_empty() && region.len() <= 64 && region.bytes().all(valid)).then_some(region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_that_of_the_credential_scope() {
        let region = |authorization: &str| {
            let call = ApiCall {
                target: String::new(),
                content_type: String::new(),
                authorization: Some(authorization.to_owned()),
                body: Bytes::new(),
            };
            call.region().map(str::to_owned)
        };
        let scope = "AWS4-HMAC-SHA256 Credential=KEY/20260102/eu-west-1/kinesis/aws4_request, SignedHeaders=host";
        assert_eq!(region(scope).as_deref(), Some("eu-west-1"));
        let slashed = "AWS4-HMAC-SHA256 Credential=K/E/Y/20260102/us-east-2/kinesis/aws4_request";
        assert_eq!(region(slashed).as_deref(), Some("us-east-2"));
        assert_eq!(region("Bearer token"), None);
        assert_eq!(region("AWS4-HMAC-SHA256 Credential=KEY/../x"), None);
    }
}
