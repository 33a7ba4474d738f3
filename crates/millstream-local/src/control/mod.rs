//! The service's own HTTP interface, beside AWS's: `/_millstream/…`, in JSON.

mod faults;

use std::sync::Arc;

use hyper::Method;

use crate::faults::Faults;
use crate::http::{ControlCall, Reply};

const JSON: &str = "application/json";

/// What the interface shows and changes.
pub(crate) struct Control {
    faults: Arc<Faults>,
}

/// Why a request was not carried out.
struct Refused {
    status: u16,
    reason: String,
}

impl Control {
    pub(crate) fn new(faults: Arc<Faults>) -> Self {
        Self { faults }
    }

    pub(crate) fn answer(&self, call: &ControlCall) -> Reply {
        let answered = match call.path.split_once('/').unwrap_or((&call.path, "")) {
            ("faults", rest) => faults::answer(&self.faults, call, rest),
            _ => Err(Refused::not_found(&call.path)),
        };
        let (status, value) = match answered {
            Ok(value) => (200, value),
            Err(refused) => (refused.status, serde_json::json!({"error": refused.reason})),
        };
        Reply { status, content_type: JSON, body: value.to_string().into_bytes().into() }
    }
}

impl Refused {
    fn not_found(path: &str) -> Self {
        Self { status: 404, reason: format!("there is no /_millstream/{path}; see docs/local.md") }
    }

    fn method(method: &Method) -> Self {
        Self { status: 405, reason: format!("{method} is not for this path; see docs/local.md") }
    }

    fn bad_request(reason: impl Into<String>) -> Self {
        Self { status: 400, reason: reason.into() }
    }
}

/// The JSON of a request. A page of another site can't send this media type without asking first.
fn json(call: &ControlCall) -> Result<serde_json::Value, Refused> {
    if call.content_type != JSON {
        return Err(Refused { status: 415, reason: format!("the Content-Type has to be {JSON}") });
    }
    serde_json::from_slice(&call.body).map_err(|error| Refused::bad_request(format!("this is no JSON: {error}")))
}
