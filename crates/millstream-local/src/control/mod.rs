//! The service's own HTTP interface, beside AWS's: `/_millstream/…`, in JSON, and the pages that are made of it.

mod clock;
mod decoded;
mod faults;
mod pages;
mod put;
mod status;

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use millstream_pages::Asset;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::cloudwatch::CloudWatch;
use crate::faults::Faults;
use crate::http::{Body, ControlCall, Reply};
use crate::kinesis::{Kinesis, Region};

const JSON: &str = "application/json";

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
        let (get, post) = (call.method == Method::GET, call.method == Method::POST);
        let (first, rest) = call.path.split_once('/').unwrap_or((&call.path, ""));
        let asset = match first {
            "" => Some(pages::STREAMS),
            "pages" => pages::page(rest),
            "static" => pages::file(rest),
            _ => None,
        };
        if let Some(Asset { content_type, content }) = asset.filter(|_| get) {
            return Reply { status: 200, content_type, body: Body::Whole(Bytes::from_static(content)) };
        }
        let answered = match (first, rest) {
            ("faults", rest) => faults::answer(&self.faults, call, rest),
            ("clock", "") => clock::answer(&self.clock, call),
            ("status", "") if get => Ok(status::all(&self.kinesis)),
            ("shards", rest) if get => status::shards(&self.kinesis, rest),
            ("consumers", rest) if get => status::consumers(&self.kinesis, rest),
            ("records", rest) if get => status::records(&self.kinesis, rest).await,
            ("metrics", "") if get => Ok(json!({"metrics": self.cloudwatch.newest()})),
            ("put", rest) if post => put::answer(&self.kinesis, call, rest).await,
            ("put", _) => Err(Refused::method(&call.method)),
            ("status" | "shards" | "consumers" | "records" | "metrics", _) if !get => {
                Err(Refused::method(&call.method))
            }
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

/// `REGION/STREAM`.
fn region_and_name(rest: &str) -> (Region, &str) {
    let (region, name) = rest.split_once('/').unwrap_or_default();
    (Region::from(region), name)
}

/// The JSON of a request. A page of another site can't send this media type without asking first.
fn body_of(call: &ControlCall) -> Result<Value, Refused> {
    if call.content_type != JSON {
        return Err(Refused { status: 415, reason: format!("the Content-Type has to be {JSON}") });
    }
    serde_json::from_slice(&call.body).map_err(|error| Refused::bad_request(format!("this is no JSON: {error}")))
}
