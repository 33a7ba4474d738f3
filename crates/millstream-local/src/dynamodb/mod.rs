//! DynamoDB, by the embedded `dynoxide` engine over SQLite.
//!
//! The database runs in write-ahead mode with SQLite's default `synchronous=FULL`: a write is synced before its
//! answer. It does one thing at a time behind its own lock, so only a few requests are let in to wait for it there;
//! the others wait here without holding a thread.

mod backups;
mod dispatch;
mod failure;

use std::sync::Arc;

use bytes::Bytes;
use dynoxide::Database;
use tokio::sync::Semaphore;

use self::backups::Backups;
use self::failure::Failure;
use crate::api_error::ApiError;
use crate::clock::Clock;
use crate::error::LocalError;
use crate::format::Format;
use crate::http::Reply;
use crate::storage::DataDir;

/// The format of DynamoDB's answers.
pub(crate) const FORMAT: Format = Format::Json10;

/// Requests that parse, run or are written out at a time.
const CONCURRENT_CALLS: usize = 4;

/// The quotas of an account and of a table in the regions of AWS (quotas in the DynamoDB developer guide).
const LIMITS: &str = r#"{"AccountMaxReadCapacityUnits":80000,"AccountMaxWriteCapacityUnits":80000,"TableMaxReadCapacityUnits":40000,"TableMaxWriteCapacityUnits":40000}"#;

pub(crate) struct DynamoDb {
    tables: Arc<Tables>,
    calls: Arc<Semaphore>,
}

struct Tables {
    database: Database,
    backups: Backups,
}

impl DynamoDb {
    /// Opens the database of the data directory, or one in memory.
    pub(crate) fn open(data: Option<Arc<DataDir>>, clock: Clock) -> Result<Self, LocalError> {
        let database = match &data {
            Some(data) => Database::new(&data.path().join("dynamodb.sqlite").to_string_lossy()),
            None => Database::memory(),
        };
        let database = database.map_err(|error| LocalError::DynamoDb { message: error.to_string() })?;
        let tables = Arc::new(Tables { database, backups: Backups::open(data, clock)? });
        Ok(Self { tables, calls: Arc::new(Semaphore::new(CONCURRENT_CALLS)) })
    }

    pub(crate) async fn answer(&self, operation: &str, body: Bytes) -> Reply {
        let slot = Arc::clone(&self.calls).acquire_owned().await.ok();
        let tables = Arc::clone(&self.tables);
        let operation = operation.to_owned();
        let answered = tokio::task::spawn_blocking(move || {
            let answer = tables.answer(&operation, &body);
            drop(slot);
            answer
        });
        let (status, body) = match answered.await {
            Ok(Ok(body)) => (200, body),
            Ok(Err(failure)) => (failure.status, failure.body),
            Err(error) => {
                tracing::error!(%error, "a DynamoDB operation did not finish");
                return ApiError::internal().into_reply(FORMAT);
            }
        };
        Reply { status, content_type: FORMAT.content_type(), body: body.into_bytes().into() }
    }
}

impl Tables {
    /// What the engine lacks, and the engine.
    fn answer(&self, operation: &str, body: &[u8]) -> Result<String, Failure> {
        match operation {
            "DescribeContinuousBackups" => self.backups.describe(&self.database, body),
            "DescribeLimits" => Ok(LIMITS.to_owned()),
            "UpdateContinuousBackups" => self.backups.update(&self.database, body),
            _ => dispatch::call(&self.database, operation, body),
        }
    }
}
