//! An answer, before it is HTTP.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::Body;
use crate::format::Format;

/// AWS's second id of a request.
pub(super) const OTHER_ID: &str = "x-amz-id-2";

/// What is sent back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Empty if there is none.
    pub(crate) content_type: &'static str,
    pub(crate) body: Body,
}

/// The connection is to be closed without an answer, or in the middle of one.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped before the end of an answer")]
pub(crate) struct Dropped;

impl Reply {
    /// An answer whose end is not yet known.
    pub(crate) fn pieces(content_type: &'static str, from: mpsc::Receiver<Bytes>) -> Self {
        Self { status: 200, content_type, body: Body::Pieces { from, drop: None } }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        // A fault may ask for any number; what is no HTTP status becomes 500.
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if !self.content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        if self.content_type == Format::RpcCbor.content_type() {
            headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
        }
        let id = Uuid::new_v4();
        // AWS's second id is of 64 bytes and more, in base64.
        let second = base64_simd::STANDARD.encode_to_string([id.into_bytes(); 4].as_flattened());
        for (name, id) in [("x-amzn-requestid", id.to_string()), (OTHER_ID, second)] {
            if let Ok(id) = HeaderValue::from_str(&id) {
                headers.insert(name, id);
            }
        }
        response
    }
}
