//! An error of DynamoDB as it goes over the wire.

use dynoxide::DynoxideError;
use serde_json::json;

pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Failure {
    /// An exception that the engine does not know.
    pub(super) fn new(exception: &str, message: &str) -> Self {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{exception}");
        Self { status: 400, body: json!({"__type": kind, "message": message}).to_string() }
    }

    pub(super) fn unknown_operation() -> Self {
        let body = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
        Self { status: 400, body: body.to_owned() }
    }
}

impl From<DynoxideError> for Failure {
    fn from(error: DynoxideError) -> Self {
        Self { status: error.status_code(), body: error.to_json() }
    }
}
