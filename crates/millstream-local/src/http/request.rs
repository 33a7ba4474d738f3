//! What a request asks for: the operation, the region and the body.

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Method;
use hyper::Request;
use hyper::body;
use hyper::header::{ACCEPT, AUTHORIZATION};
use hyper::http::request::Parts;

/// The largest body that is read: 10 MiB of record data in base64, and its keys.
pub(crate) const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// Before the paths of the service's own interface.
pub(super) const CONTROL: &str = "/_millstream/";

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
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
}

impl Incoming {
    pub(crate) async fn read(request: Request<body::Incoming>) -> Self {
        if request.method() == Method::GET && request.uri().path() == "/health" {
            return Self::Health;
        }
        let path = request.uri().path();
        // AWS refuses a GET of `/`; a browser says that it wants HTML.
        let accepted = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let page = (request.method() == Method::GET && path == "/" && accepted.contains("text/html")).then_some("");
        let control = path.strip_prefix(CONTROL).or(page).map(str::to_owned);
        if request.method() != Method::POST && control.is_none() {
            return Self::Refused(Refusal::NoOperation);
        }
        let (parts, body) = request.into_parts();
        match Limited::new(body, MAX_BODY_BYTES).collect().await {
            Ok(body) => {
                let call = ApiCall { parts, body: body.to_bytes() };
                match control {
                    Some(path) => Self::Control(ControlCall {
                        path,
                        content_type: call.content_type(),
                        method: call.parts.method,
                        body: call.body,
                    }),
                    None => Self::Call(call),
                }
            }
            Err(error) if error.is::<LengthLimitError>() => Self::Refused(Refusal::TooLarge),
            Err(_) => Self::Refused(Refusal::Broken),
        }
    }
}

impl ApiCall {
    /// The value of a header, if it is one and text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The `X-Amz-Target`, such as `Kinesis_20131202.PutRecord`; empty if there is none.
    pub(crate) fn target(&self) -> &str {
        self.header("x-amz-target").unwrap_or_default()
    }

    /// The media type without its parameters, in lower case.
    pub(crate) fn content_type(&self) -> String {
        let media_type = self.header("content-type").unwrap_or_default();
        media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.header(AUTHORIZATION.as_str())
    }
}
