//! What lets pages of other sites call the API, as at AWS. The service's own interface is not for them.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN,
};
use hyper::{Method, Request, Response};

use super::Body;
use super::reply::{OTHER_ID, Reply};
use super::request::CONTROL;

const ANY: HeaderValue = HeaderValue::from_static("*");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date");
/// Seconds for which a browser need not ask again: two days.
const MAX_AGE: HeaderValue = HeaderValue::from_static("172800");

/// Whether a page of another site may see the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cors(bool);

impl Cors {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        Self(request.headers().contains_key(ORIGIN) && !request.uri().path().starts_with(CONTROL))
    }

    /// The answer to a browser that asks whether it may send a request.
    pub(super) fn preflight<B>(self, request: &Request<B>) -> Option<Response<Body>> {
        if !self.0 || request.method() != Method::OPTIONS {
            return None;
        }
        let mut response = Reply { status: 200, content_type: "", body: Vec::new().into() }.into_response();
        let headers = response.headers_mut();
        headers.remove(OTHER_ID);
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        for (asked, allowed) in [
            (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
            (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
        ] {
            if let Some(value) = request.headers().get(asked) {
                headers.insert(allowed, value.clone());
            }
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Some(response)
    }

    /// Marks an answer.
    pub(super) fn allow(self, mut response: Response<Body>) -> Response<Body> {
        if self.0 {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
            response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
        response
    }
}
