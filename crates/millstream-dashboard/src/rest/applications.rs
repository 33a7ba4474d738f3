//! `/applications`: this one program.

use serde_json::{Value, json};

use super::date::Date;
use crate::Application;

/// Spark's `ApplicationInfo`. A program that runs has ended a millisecond before the epoch.
pub(super) fn answer(application: &Application, now_ms: u64) -> Value {
    json!({
        "id": application.id,
        "name": application.name,
        "attempts": [{
            "startTime": Date(application.started_ms),
            "endTime": "1969-12-31T23:59:59.999GMT",
            "lastUpdated": Date(now_ms),
            "duration": now_ms.saturating_sub(application.started_ms),
            "sparkUser": application.user,
            "completed": false,
            "appSparkVersion": application.spark_version,
            "startTimeEpoch": application.started_ms,
            "endTimeEpoch": -1,
            "lastUpdatedEpoch": now_ms,
        }],
    })
}

pub(super) fn version(application: &Application) -> Value {
    json!({"spark": application.spark_version, "millstream": env!("CARGO_PKG_VERSION")})
}
