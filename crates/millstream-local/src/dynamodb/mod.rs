//! DynamoDB, by the embedded `dynoxide` engine over SQLite.
//!
//! The database runs in write-ahead mode with SQLite's default `synchronous=FULL`: a write is synced before its
//! answer. It does one thing at a time behind its own lock, so only a few requests are let in to wait for it there;
//! the others wait here without holding a thread.

mod dispatch;

use std::sync::Arc;

use bytes::Bytes;
use dynoxide::Database;
use tokio::sync::Semaphore;

use crate::api_error::ApiError;
use crate::error::LocalError;
use crate::format::Format;
use crate::http::Reply;
use crate::storage::DataDir;

/// The format of DynamoDB's answers.
pub(crate) const FORMAT: Format = Format::Json10;

/// Requests that parse, run or are written out at a time.
const CONCURRENT_CALLS: usize = 4;

pub(crate) struct DynamoDb {
    database: Database,
    calls: Arc<Semaphore>,
}

impl DynamoDb {
    /// Opens the database of the data directory, or one in memory.
    pub(crate) fn open(data: Option<&DataDir>) -> Result<Self, LocalError> {
        let database = match data {
            Some(data) => Database::new(&data.path().join("dynamodb.sqlite").to_string_lossy()),
            None => Database::memory(),
        };
        let database = database.map_err(|error| LocalError::DynamoDb { message: error.to_string() })?;
        Ok(Self { database, calls: Arc::new(Semaphore::new(CONCURRENT_CALLS)) })
    }

    pub(crate) async fn answer(&self, operation: &str, body: Bytes) -> Reply {
        let slot = Arc::clone(&self.calls).acquire_owned().await.ok();
        let database = self.database.clone();
        let operation = operation.to_owned();
        let answered = tokio::task::spawn_blocking(move || {
            let answer = dispatch::call(&database, &operation, &body);
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
