use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};
use tokio::task::spawn_blocking;

use super::StoreError;
use super::document::{Document, read_sessions, sessions_to_text};
use super::rows::{Change, Rows};
use super::rules::Rule;
use crate::{Lease, SessionAnswer, SessionWrite, Sessions};

/// How long a write waits for that of another process: an answer must come well before a lease expires.
const PATIENCE: Duration = Duration::from_secs(2);

const CREATE: &str = "CREATE TABLE IF NOT EXISTS lease (
    application TEXT NOT NULL, lease_key TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (application, lease_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (application TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID";

/// Leases in an SQLite file, which several processes of one machine share; a file may hold several applications.
///
/// Not for a network file system: SQLite's locks are not to be relied on there. Each write is synced before it is answered.
#[derive(Debug, Clone)]
pub struct SqliteLeaseStore {
    connection: Arc<Mutex<Connection>>,
    path: PathBuf,
    application: Arc<str>,
}

impl SqliteLeaseStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// The folder is missing, the file may not be written, or it is no SQLite file.
    pub async fn open(path: impl AsRef<Path>, application: &str) -> Result<Self, StoreError> {
        let (path, application) = (path.as_ref().to_owned(), Arc::from(application));
        let opened = path.clone();
        let connection = blocking(move || {
            let connection = Connection::open(opened)?;
            connection.busy_timeout(PATIENCE)?;
            // Readers do not wait for the writer; a commit is on disk when it is answered.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            Ok(connection)
        });
        match connection.await {
            Ok(connection) => Ok(SqliteLeaseStore { connection: Arc::new(Mutex::new(connection)), path, application }),
            Err(failure) => Err(failure.into_error("open", &path, &application)),
        }
    }

    /// Runs `work` on the connection, on a thread that may block.
    async fn with<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Connection, &str) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (connection, application) = (self.connection.clone(), self.application.clone());
        let done = blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection, &application)
        });
        done.await.map_err(|failure| failure.into_error(operation, &self.path, &self.application))
    }
}

#[async_trait]
impl Rows for SqliteLeaseStore {
    async fn ensure(&self) -> Result<(), StoreError> {
        self.with("CREATE TABLE", |connection, _| Ok(connection.execute_batch(CREATE)?)).await
    }

    async fn all(&self) -> Result<Vec<Lease>, StoreError> {
        self.with("SELECT", |connection, application| {
            let mut select =
                connection.prepare_cached("SELECT lease_key, document FROM lease WHERE application = ?1")?;
            let rows =
                select.query_map([application], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            rows.iter().map(|(key, text)| Ok(Document::read(application, key, text)?.1)).collect()
        })
        .await
    }

    async fn find(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        let key = key.to_owned();
        self.with("SELECT", move |connection, application| {
            Ok(select(connection, application, &key)?.map(|(_, lease)| lease))
        })
        .await
    }

    async fn insert(&self, lease: &Lease) -> Result<bool, StoreError> {
        let (key, text) = (lease.key.clone(), Document::of(lease).to_text());
        self.with("INSERT", move |connection, application| {
            let mut insert =
                connection.prepare_cached("INSERT INTO lease VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
            Ok(insert.execute([application, &key, &text])? == 1)
        })
        .await
    }

    async fn change(&self, key: &str, rule: Rule) -> Result<Change, StoreError> {
        let key = key.to_owned();
        self.with("UPDATE", move |connection, application| {
            // Immediate: nobody else writes between the look and the change.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Some((document, mut lease)) = select(&transaction, application, &key)? else {
                return Ok(Change::Refused(None));
            };
            if !rule(&mut lease) {
                return Ok(Change::Refused(Some(lease)));
            }
            transaction
                .prepare_cached("UPDATE lease SET document = ?3 WHERE application = ?1 AND lease_key = ?2")?
                .execute(params![application, key, document.with(&lease).to_text()])?;
            transaction.commit()?;
            Ok(Change::Done(lease))
        })
        .await
    }

    async fn sessions(&self) -> Result<Sessions, StoreError> {
        self.with("SELECT", |connection, application| select_sessions(connection, application)).await
    }

    async fn change_sessions(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError> {
        let write = write.clone();
        self.with("UPDATE", move |connection, application| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let before = select_sessions(&transaction, application)?;
            let mut sessions = before.clone();
            let is_done = write.apply(&mut sessions);
            if sessions != before {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO session VALUES (?1, ?2)")?
                    .execute(params![application, sessions_to_text(&sessions)])?;
                transaction.commit()?;
            }
            Ok(SessionAnswer { is_done, sessions })
        })
        .await
    }

    async fn remove(&self, key: &str, counter: u64) -> Result<bool, StoreError> {
        let key = key.to_owned();
        self.with("DELETE", move |connection, application| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let is_met = select(&transaction, application, &key)?.is_none_or(|(_, lease)| lease.counter == counter);
            if is_met {
                transaction
                    .execute("DELETE FROM lease WHERE application = ?1 AND lease_key = ?2", [application, &key])?;
                transaction.commit()?;
            }
            Ok(is_met)
        })
        .await
    }
}

fn select(connection: &Connection, application: &str, key: &str) -> Result<Option<(Document, Lease)>, Failure> {
    let text: Option<String> = connection
        .prepare_cached("SELECT document FROM lease WHERE application = ?1 AND lease_key = ?2")?
        .query_row([application, key], |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| Document::read(application, key, &text)).transpose()?)
}

fn select_sessions(connection: &Connection, application: &str) -> Result<Sessions, Failure> {
    let text: Option<String> = connection
        .prepare_cached("SELECT document FROM session WHERE application = ?1")?
        .query_row([application], |row| row.get(0))
        .optional()?;
    Ok(read_sessions(application, text.as_deref())?)
}

/// Why work on the file failed.
enum Failure {
    Sqlite(rusqlite::Error),
    Row(StoreError),
    Panicked(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure::Row(error)
    }
}

impl Failure {
    fn into_error(self, operation: &'static str, path: &Path, application: &str) -> StoreError {
        let (code, message) = match self {
            Failure::Row(error) => return error,
            Failure::Panicked(message) => ("panic".to_owned(), message),
            Failure::Sqlite(error) => match error.sqlite_error_code() {
                Some(
                    ErrorCode::CannotOpen
                    | ErrorCode::NotADatabase
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::ReadOnly
                    | ErrorCode::PermissionDenied,
                ) => return StoreError::BadFile { path: path.to_owned(), message: error.to_string() },
                code => (code.map_or("SQLite".to_owned(), |code| format!("{code:?}")), error.to_string()),
            },
        };
        StoreError::Service { table: application.to_owned(), operation, code, message }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    spawn_blocking(work).await.unwrap_or_else(|panic| Err(Failure::Panicked(panic.to_string())))
}
