//! `/_millstream/clock`: GET tells the service's time, POST puts it ahead.

use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refused, body_of};
use crate::clock::Clock;
use crate::http::ControlCall;

/// Ten years: more than any retention, and no sum of a few overflows a time.
const MOST_SECONDS: u64 = 10 * 365 * 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ahead {
    advance_seconds: u64,
}

pub(super) fn answer(clock: &Clock, call: &ControlCall) -> Result<Value, Refused> {
    match call.method {
        Method::GET => {}
        Method::POST => {
            let ahead: Ahead =
                serde_json::from_value(body_of(call)?).map_err(|error| Refused::bad_request(error.to_string()))?;
            if ahead.advance_seconds > MOST_SECONDS {
                return Err(Refused::bad_request(format!("advance_seconds must be at most {MOST_SECONDS}")));
            }
            clock.advance(Duration::from_secs(ahead.advance_seconds));
        }
        _ => return Err(Refused::method(&call.method)),
    }
    Ok(json!({"now_ms": clock.now_ms()}))
}
