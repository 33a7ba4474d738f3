//! The service's own HTTP interface, beside AWS's: `/_millstream/…`, in JSON, and the page at `/`.

mod clock;
mod faults;
mod status;

use std::sync::Arc;

use hyper::Method;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::cloudwatch::CloudWatch;
use crate::faults::Faults;
use crate::http::{ControlCall, Reply};
use crate::kinesis::Kinesis;

const JSON: &str = "application/json";
/// One file with its style and its script: the page loads nothing from elsewhere.
const PAGE: &str = include_str!("page.html");

/// What the interface shows and changes.
pub(crate) struct Control {
    faults: Arc<Faults>,
    kinesis: Arc<Kinesis>,
    cloudwatch: Arc<CloudWatch>,
    clock: Clock,
}

/// Why a request was not carried out.
struct Refused {
    status: u16,
    reason: String,
}

impl Control {
    pub(crate) fn new(faults: Arc<Faults>, kinesis: Arc<Kinesis>, cloudwatch: Arc<CloudWatch>, clock: Clock) -> Self {
        Self { faults, kinesis, cloudwatch, clock }
    }

    pub(crate) async fn answer(&self, call: &ControlCall) -> Reply {
        let get = call.method == Method::GET;
        let answered = match call.path.split_once('/').unwrap_or((&call.path, "")) {
            ("", "") => {
                return Reply {
                    status: 200,
                    content_type: "text/html; charset=utf-8",
                    body: PAGE.as_bytes().to_vec().into(),
                };
            }
            ("faults", rest) => faults::answer(&self.faults, call, rest),
            ("clock", "") => clock::answer(&self.clock, call),
            ("status", "") if get => Ok(status::all(&self.kinesis)),
            ("shards", rest) if get => status::shards(&self.kinesis, rest),
            ("records", rest) if get => status::records(&self.kinesis, rest).await,
            ("metrics", "") if get => Ok(json!({"metrics": self.cloudwatch.newest()})),
            ("status" | "shards" | "records" | "metrics", _) if !get => Err(Refused::method(&call.method)),
            _ => Err(Refused::not_found(&call.path)),
        };
        let (status, value) = match answered {
            Ok(value) => (200, value),
            Err(refused) => (refused.status, json!({"error": refused.reason})),
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
fn body_of(call: &ControlCall) -> Result<Value, Refused> {
    if call.content_type != JSON {
        return Err(Refused { status: 415, reason: format!("the Content-Type has to be {JSON}") });
    }
    serde_json::from_slice(&call.body).map_err(|error| Refused::bad_request(format!("this is no JSON: {error}")))
}
