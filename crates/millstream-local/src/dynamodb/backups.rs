//! Continuous backups, which KCL turns on for its tables with `leaseTablePitrEnabled`.
//!
//! Nothing is backed up. What a table was asked for is kept with it, also over a restart, and ends with it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::{Database, DynoxideError, Result};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::clock::{self, Clock};
use crate::error::LocalError;
use crate::storage::{DataDir, read_json, replace};

/// Days that a table can be restored to, unless the request says otherwise, and at most.
const MOST_DAYS: i64 = 35;
/// The newest moment that a table can be restored to is this long ago (PointInTimeRecoveryDescription in the DynamoDB
/// API reference).
const LAG_MS: u64 = 5 * 60_000;

/// The tables that have continuous backups, by name.
type Enabled = BTreeMap<String, Recovery>;

/// What a table was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Recovery {
    /// Another table of the same name does not have them.
    table_id: String,
    since_ms: u64,
    days: i64,
}

#[derive(Debug)]
pub(super) struct Backups {
    clock: Clock,
    /// The data directory keeps its lock for as long as the file may be written.
    data: Option<Arc<DataDir>>,
    enabled: Mutex<Enabled>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeInput {
    table_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateInput {
    table_name: Option<String>,
    point_in_time_recovery_specification: Option<Specification>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Specification {
    point_in_time_recovery_enabled: Option<bool>,
    recovery_period_in_days: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    continuous_backups_description: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    continuous_backups_status: &'static str,
    point_in_time_recovery_description: PointInTimeRecovery,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PointInTimeRecovery {
    point_in_time_recovery_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_period_in_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest_restorable_date_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_restorable_date_time: Option<f64>,
}

impl Backups {
    /// Reads what the tables of the data directory were asked for.
    pub(super) fn open(data: Option<Arc<DataDir>>, clock: Clock) -> std::result::Result<Self, LocalError> {
        let enabled = data.as_deref().map(|data| read_json(path(data))).transpose()?;
        Ok(Self { clock, data, enabled: Mutex::new(enabled.unwrap_or_default()) })
    }

    /// DescribeContinuousBackups.
    pub(super) fn describe(&self, database: &Database, body: &[u8]) -> std::result::Result<String, Failure> {
        let input: DescribeInput = super::dispatch::read(body)?;
        let (name, table_id) = table(database, input.table_name)?;
        let enabled = self.enabled.lock().unwrap_or_else(PoisonError::into_inner);
        self.output(enabled.get(&name).filter(|recovery| recovery.table_id == table_id))
    }

    /// UpdateContinuousBackups. Writes to the disk.
    pub(super) fn update(&self, database: &Database, body: &[u8]) -> std::result::Result<String, Failure> {
        let input: UpdateInput = super::dispatch::read(body)?;
        let required = |member: &str| {
            DynoxideError::ValidationException(format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be \
                 null"
            ))
        };
        let wanted =
            input.point_in_time_recovery_specification.ok_or_else(|| required("pointInTimeRecoverySpecification"))?;
        let is_enabled = wanted
            .point_in_time_recovery_enabled
            .ok_or_else(|| required("pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled"))?;
        check_days(wanted.recovery_period_in_days)?;
        let (name, table_id) = table(database, input.table_name)?;

        let mut enabled = self.enabled.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = enabled.clone();
        // Tables that are gone, or gone and made anew, leave nothing behind.
        next.retain(|name, recovery| id_of(database, name).is_ok_and(|id| id == recovery.table_id));
        if is_enabled {
            let now_ms = self.clock.now_ms();
            let recovery = next.entry(name.clone()).or_insert(Recovery { table_id, since_ms: now_ms, days: MOST_DAYS });
            recovery.days = wanted.recovery_period_in_days.unwrap_or(MOST_DAYS);
        } else {
            next.remove(&name);
        }
        self.save(&next)?;
        *enabled = next;
        self.output(enabled.get(&name))
    }

    fn save(&self, enabled: &Enabled) -> Result<()> {
        let Some(data) = self.data.as_deref() else { return Ok(()) };
        let written =
            serde_json::to_vec_pretty(enabled).map_err(Into::into).and_then(|json| replace(&path(data), &json));
        written.map_err(|error| {
            tracing::error!(%error, "cannot write which tables have continuous backups");
            DynoxideError::InternalServerError("Internal server error".to_owned())
        })
    }

    fn output(&self, recovery: Option<&Recovery>) -> std::result::Result<String, Failure> {
        let latest_ms = |recovery: &Recovery| self.clock.now_ms().saturating_sub(LAG_MS).max(recovery.since_ms);
        let earliest_ms = |recovery: &Recovery| {
            let period_ms = u64::try_from(recovery.days).unwrap_or(0) * 86_400_000;
            self.clock.now_ms().saturating_sub(period_ms).max(recovery.since_ms)
        };
        Ok(super::dispatch::write(&Output {
            continuous_backups_description: Description {
                continuous_backups_status: "ENABLED",
                point_in_time_recovery_description: PointInTimeRecovery {
                    point_in_time_recovery_status: if recovery.is_some() { "ENABLED" } else { "DISABLED" },
                    recovery_period_in_days: recovery.map(|recovery| recovery.days),
                    earliest_restorable_date_time: recovery.map(|recovery| clock::seconds(earliest_ms(recovery))),
                    latest_restorable_date_time: recovery.map(|recovery| clock::seconds(latest_ms(recovery))),
                },
            },
        })?)
    }
}

fn path(data: &DataDir) -> PathBuf {
    data.path().join("continuous-backups.json")
}

fn check_days(days: Option<i64>) -> Result<()> {
    let Some(days) = days else { return Ok(()) };
    let bound = match days {
        1..=MOST_DAYS => return Ok(()),
        ..1 => "greater than or equal to 1".to_owned(),
        _ => format!("less than or equal to {MOST_DAYS}"),
    };
    Err(DynoxideError::ValidationException(format!(
        "1 validation error detected: Value '{days}' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed \
         to satisfy constraint: Member must have value {bound}"
    )))
}

/// The name and the id of a table that a request names, by its name or its ARN.
fn table(database: &Database, named: Option<String>) -> std::result::Result<(String, String), Failure> {
    let named = named.ok_or_else(|| {
        let message = "The parameter 'TableName' is required but was not present in the request";
        DynoxideError::ValidationException(message.to_owned())
    })?;
    let name = named.rsplit_once(":table/").map_or(named.as_str(), |(_, name)| name);
    match id_of(database, name) {
        Ok(id) => Ok((name.to_owned(), id)),
        Err(DynoxideError::ResourceNotFoundException(_)) => {
            Err(Failure::new("TableNotFoundException", &format!("Table not found: {name}")))
        }
        Err(error) => Err(error.into()),
    }
}

fn id_of(database: &Database, name: &str) -> Result<String> {
    let described = database.describe_table(DescribeTableRequest { table_name: name.to_owned() })?;
    Ok(described.table.table_id.unwrap_or_default())
}
