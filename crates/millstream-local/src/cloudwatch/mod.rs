//! CloudWatch's PutMetricData. The newest data points are kept in memory and shown; there are no alarms and no queries.

mod datum;

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

use self::datum::Datum;
pub(crate) use self::datum::Point;
use crate::api_error::ApiError;
use crate::clock::Clock;
use crate::format::Format;
use crate::http::{ApiCall, MAX_BODY_BYTES, Reply};
use crate::query::{self, Form};

const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";
/// Data points that are kept.
const KEPT: usize = 1000;

/// The newest data points.
pub(crate) struct CloudWatch {
    clock: Clock,
    newest: Mutex<VecDeque<Point>>,
}

/// How a request is written, and so its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Query,
    Json,
    /// Smithy's RPC with CBOR, which today's SDKs speak.
    RpcCbor,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    namespace: Option<String>,
    metric_data: Vec<Datum>,
    entity_metric_data: Vec<EntityData>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EntityData {
    metric_data: Vec<Datum>,
}

impl CloudWatch {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, newest: Mutex::default() }
    }

    /// Carries out one call for a region.
    pub(crate) fn answer(&self, protocol: Protocol, region: &str, operation: &str, call: &ApiCall) -> Reply {
        match self.put(protocol, region, operation, call) {
            Ok(()) => match protocol {
                Protocol::Query => query::answer(NAMESPACE, operation, ""),
                Protocol::Json => reply(Format::Json10, b"{}".to_vec()),
                Protocol::RpcCbor => reply(Format::RpcCbor, vec![0xbf, 0xff]),
            },
            Err(error) => protocol.error(error),
        }
    }

    /// The newest data points, the newest first.
    pub(crate) fn newest(&self) -> Vec<Point> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    fn put(&self, protocol: Protocol, region: &str, operation: &str, call: &ApiCall) -> Result<(), ApiError> {
        if operation != "PutMetricData" {
            return Err(ApiError::unknown_operation(format!("{operation} is not supported by this service")));
        }
        let body = plain_body(call)?;
        let input: Input = match protocol {
            Protocol::Query => Form::read(&body).input()?,
            Protocol::Json => {
                serde_json::from_slice(&body).map_err(|error| ApiError::serialization(error.to_string()))?
            }
            Protocol::RpcCbor => {
                let value: Value =
                    millstream_cbor::from_slice(&body).map_err(|error| ApiError::serialization(error.to_string()))?;
                serde_json::from_value(value).map_err(|error| ApiError::serialization(error.to_string()))?
            }
        };
        let required = |member: &str| {
            ApiError::new("MissingRequiredParameterException", 400, format!("The parameter {member} is required."))
        };
        let namespace = input.namespace.filter(|name| !name.is_empty()).ok_or_else(|| required("Namespace"))?;
        let entities = input.entity_metric_data.into_iter().flat_map(|entity| entity.metric_data);
        let mut points = Vec::new();
        for datum in input.metric_data.into_iter().chain(entities) {
            let point = datum.point(self.clock.now_ms(), region, &namespace);
            points.push(point.ok_or_else(|| required("MetricData.member.1.MetricName"))?);
        }
        if points.is_empty() {
            return Err(required("MetricData"));
        }
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.extend(points);
        let surplus = newest.len().saturating_sub(KEPT);
        newest.drain(..surplus);
        Ok(())
    }
}

impl Protocol {
    /// An error as this protocol writes it.
    pub(crate) fn error(self, error: ApiError) -> Reply {
        match self {
            Self::Query => query::error(NAMESPACE, &error),
            Self::Json => error.into_reply(Format::Json10),
            Self::RpcCbor => error.into_reply(Format::RpcCbor),
        }
    }
}

fn reply(format: Format, body: Vec<u8>) -> Reply {
    Reply { status: 200, content_type: format.content_type(), body: body.into() }
}

/// The body, which SDKs compress when it is large.
fn plain_body(call: &ApiCall) -> Result<Vec<u8>, ApiError> {
    if call.header("content-encoding") != Some("gzip") {
        return Ok(call.body.to_vec());
    }
    let mut plain = Vec::new();
    let most = MAX_BODY_BYTES as u64;
    let read = GzDecoder::new(&*call.body).take(most + 1).read_to_end(&mut plain);
    if read.is_err() || plain.len() as u64 > most {
        return Err(ApiError::serialization("the body is not gzip, or larger than any operation allows"));
    }
    Ok(plain)
}
