//! `/_millstream/faults`: GET lists the faults in force, POST injects one, PUT sets the seed, DELETE removes all or one.

use std::time::Duration;

use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Refused, body_of};
use crate::faults::{Fault, FaultKind, Faults, InForce};
use crate::http::ControlCall;

/// A fault as JSON.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default = "always")]
    probability: f64,
    /// Of an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Of a latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    milliseconds: Option<u64>,
    /// Bytes or messages that are sent before the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<usize>,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Error,
    Throttle,
    ExpiredIterator,
    Latency,
    DropConnection,
    Truncate,
    StopEventStream,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    seed: u64,
}

fn always() -> f64 {
    1.0
}

/// `rest` is what follows the path.
pub(super) fn answer(faults: &Faults, call: &ControlCall, rest: &str) -> Result<Value, Refused> {
    let wrong = |error: serde_json::Error| Refused::bad_request(error.to_string());
    match (&call.method, rest) {
        (&Method::GET, "") => Ok(json!({"faults": faults.list().iter().map(shown).collect::<Vec<_>>()})),
        (&Method::POST, "") => {
            let wire: Wire = serde_json::from_value(body_of(call)?).map_err(wrong)?;
            Ok(json!({"id": faults.inject(wire.fault()?)}))
        }
        (&Method::PUT, "") => {
            let Seed { seed } = serde_json::from_value(body_of(call)?).map_err(wrong)?;
            faults.seed(seed);
            Ok(json!({"seed": seed}))
        }
        (&Method::DELETE, "") => {
            faults.clear();
            Ok(json!({}))
        }
        (&Method::DELETE, id) => match id.parse() {
            Ok(id) if faults.remove(id) => Ok(json!({})),
            _ => Err(Refused { status: 404, reason: format!("no fault {id} is in force") }),
        },
        (method, _) => Err(Refused::method(method)),
    }
}

impl Wire {
    fn fault(self) -> Result<Fault, Refused> {
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(Refused::bad_request("probability has to be from 0 to 1"));
        }
        let needs = |member: &str| Refused::bad_request(format!("this kind of fault needs \"{member}\""));
        let kind = match self.kind {
            Kind::Error => FaultKind::Error {
                code: self.code.ok_or_else(|| needs("code"))?,
                status: self.status.unwrap_or(400),
                message: self.message.unwrap_or_else(|| "This is an injected fault.".to_owned()),
            },
            Kind::Throttle => FaultKind::throttled(),
            Kind::ExpiredIterator => FaultKind::expired_iterator(),
            Kind::Latency => {
                FaultKind::Latency(Duration::from_millis(self.milliseconds.ok_or_else(|| needs("milliseconds"))?))
            }
            Kind::DropConnection => FaultKind::DropConnection,
            Kind::Truncate => FaultKind::Truncate { after: self.after.ok_or_else(|| needs("after"))? },
            Kind::StopEventStream => FaultKind::StopEventStream { after: self.after.ok_or_else(|| needs("after"))? },
        };
        let Self { operation, stream, shard, times, probability, .. } = self;
        Ok(Fault { operation, stream, shard, kind, times, probability })
    }
}

fn shown(injected: &InForce) -> Value {
    let Fault { operation, stream, shard, kind, times, probability } = injected.fault.clone();
    let mut wire = Wire {
        kind: Kind::DropConnection,
        operation,
        stream,
        shard,
        times,
        probability,
        code: None,
        status: None,
        message: None,
        milliseconds: None,
        after: None,
    };
    match kind {
        FaultKind::Error { code, status, message } => {
            wire.kind = Kind::Error;
            (wire.code, wire.status, wire.message) = (Some(code), Some(status), Some(message));
        }
        FaultKind::Latency(delay) => {
            wire.kind = Kind::Latency;
            wire.milliseconds = u64::try_from(delay.as_millis()).ok();
        }
        FaultKind::DropConnection => {}
        FaultKind::Truncate { after } => (wire.kind, wire.after) = (Kind::Truncate, Some(after)),
        FaultKind::StopEventStream { after } => (wire.kind, wire.after) = (Kind::StopEventStream, Some(after)),
    }
    json!({"id": injected.id, "used": injected.used, "fault": wire})
}
