use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;
use super::document::{Document, read_sessions, sessions_to_text};
use super::rows::{Change, Rows};
use super::rules::Rule;
use crate::{Lease, SessionAnswer, SessionWrite, Sessions};

/// An answer must come well before a lease expires, so that a retry still helps.
const PATIENCE: Duration = Duration::from_secs(5);

/// A change that finds the row changed since it was looked at looks again, so often.
const ATTEMPTS: u32 = 4;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS millstream_lease (
    application TEXT NOT NULL, lease_key TEXT NOT NULL, version BIGINT NOT NULL, document JSONB NOT NULL,
    PRIMARY KEY (application, lease_key)
);
CREATE TABLE IF NOT EXISTS millstream_session (
    application TEXT PRIMARY KEY, version BIGINT NOT NULL, document JSONB NOT NULL
)";

/// Leases in the table `millstream_lease` of a Postgres database, which may hold several applications.
///
/// A row is changed where it is still as it was looked at (`version`), so that no lock is held between two requests.
#[derive(Clone)]
pub struct PostgresLeaseStore {
    config: Config,
    endpoint: Arc<str>,
    application: Arc<str>,
    /// Taken anew when the connection was lost.
    client: Arc<Mutex<Option<Arc<Client>>>>,
}

impl PostgresLeaseStore {
    /// A store in the database of this URL, `postgresql://user:password@host:port/database?sslmode=require`. Calls
    /// nothing yet: see [`LeaseStore::ensure`](super::LeaseStore::ensure). TLS is used where the server offers it, unless
    /// `sslmode=disable`; its certificate must be one that this machine trusts.
    ///
    /// # Errors
    /// The URL is none.
    pub fn new(url: &str, application: &str) -> Result<Self, tokio_postgres::Error> {
        let mut config: Config = url.parse()?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        config.application_name("millstream");
        let endpoint = endpoint(&config).into();
        Ok(PostgresLeaseStore { config, endpoint, application: application.into(), client: Arc::default() })
    }

    /// The connection in use, or a new one. Two callers at once may make two; the later one stays.
    async fn client(&self) -> Result<Arc<Client>, StoreError> {
        let current = || self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = current().as_ref().filter(|client| !client.is_closed()) {
            return Ok(client.clone());
        }
        let client = Arc::new(self.connect().await.map_err(|error| self.error("connect", &error))?);
        *current() = Some(client.clone());
        Ok(client)
    }

    async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        let lost = |error: tokio_postgres::Error| tracing::warn!(%error, "the connection to Postgres was lost");
        if let Ok((tls, _)) = MakeRustlsConnect::with_native_certs() {
            let (client, connection) = self.config.connect(tls).await?;
            tokio::spawn(async move { connection.await.unwrap_or_else(lost) });
            return Ok(client);
        }
        let (client, connection) = self.config.connect(NoTls).await?;
        tokio::spawn(async move { connection.await.unwrap_or_else(lost) });
        Ok(client)
    }

    /// One request, with a limit to its time.
    async fn ask<T>(
        &self,
        operation: &'static str,
        request: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        match timeout(PATIENCE, request).await {
            Ok(answer) => answer.map_err(|error| self.error(operation, &error)),
            Err(_) => Err(self.unreachable(format!("no answer to {operation} within {} s", PATIENCE.as_secs()))),
        }
    }

    async fn row(&self, client: &Client, key: &str) -> Result<Option<(i64, Document, Lease)>, StoreError> {
        const SELECT: &str =
            "SELECT version, document::text FROM millstream_lease WHERE application = $1 AND lease_key = $2";
        let row = self.ask("SELECT", client.query_opt(SELECT, &[&&*self.application, &key])).await?;
        row.map(|row| {
            let (document, lease) = self.read(key, &row, 1)?;
            let version = row.try_get(0).map_err(|error| self.error("SELECT", &error))?;
            Ok((version, document, lease))
        })
        .transpose()
    }

    fn read(&self, key: &str, row: &Row, column: usize) -> Result<(Document, Lease), StoreError> {
        let text: String = row.try_get(column).map_err(|error| self.error("SELECT", &error))?;
        Document::read(&self.application, key, &text)
    }

    /// The version of the row, which is not there at 0, and the sessions.
    async fn session_row(&self, client: &Client) -> Result<(i64, Sessions), StoreError> {
        const SELECT: &str = "SELECT version, document::text FROM millstream_session WHERE application = $1";
        let row = self.ask("SELECT", client.query_opt(SELECT, &[&&*self.application])).await?;
        let Some(row) = row else { return Ok((0, Sessions::default())) };
        let failed = |error: tokio_postgres::Error| self.error("SELECT", &error);
        let (version, text): (i64, String) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        Ok((version, read_sessions(&self.application, Some(&text))?))
    }

    fn error(&self, operation: &'static str, error: &tokio_postgres::Error) -> StoreError {
        let table = self.application.to_string();
        let Some(said) = error.as_db_error() else {
            return self.unreachable(super::error::chain(error));
        };
        let (code, message) = (said.code().code(), said.message().to_owned());
        match code {
            // Undefined table, undefined column.
            "42P01" | "42703" => StoreError::TableMissing { table },
            // Invalid authorization, invalid password.
            "28000" | "28P01" => StoreError::Credentials { table, message },
            "42501" => StoreError::AccessDenied { table, operation, message },
            code => StoreError::Service { table, operation, code: code.to_owned(), message },
        }
    }

    fn unreachable(&self, message: String) -> StoreError {
        StoreError::Unreachable { table: self.application.to_string(), endpoint: self.endpoint.to_string(), message }
    }

    fn contended(&self, operation: &'static str) -> StoreError {
        StoreError::Throttled { table: self.application.to_string(), operation }
    }
}

#[async_trait]
impl Rows for PostgresLeaseStore {
    async fn ensure(&self) -> Result<(), StoreError> {
        let client = self.client().await?;
        match self.ask("CREATE TABLE", client.batch_execute(CREATE)).await {
            // Two workers that start at once both find it missing: one of them then violates a catalogue's uniqueness.
            Err(StoreError::Service { code, .. }) if code == "23505" || code == "42P07" => Ok(()),
            created => created,
        }
    }

    async fn all(&self) -> Result<Vec<Lease>, StoreError> {
        const SELECT: &str = "SELECT lease_key, document::text FROM millstream_lease WHERE application = $1";
        let client = self.client().await?;
        let rows = self.ask("SELECT", client.query(SELECT, &[&&*self.application])).await?;
        let lease = |row: &Row| {
            let key: String = row.try_get(0).map_err(|error| self.error("SELECT", &error))?;
            Ok(self.read(&key, row, 1)?.1)
        };
        rows.iter().map(lease).collect()
    }

    async fn find(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        let client = self.client().await?;
        Ok(self.row(&client, key).await?.map(|(_, _, lease)| lease))
    }

    async fn insert(&self, lease: &Lease) -> Result<bool, StoreError> {
        const INSERT: &str = "INSERT INTO millstream_lease VALUES ($1, $2, 0, $3::text::jsonb) ON CONFLICT DO NOTHING";
        let client = self.client().await?;
        let text = Document::of(lease).to_text();
        Ok(self.ask("INSERT", client.execute(INSERT, &[&&*self.application, &lease.key, &text])).await? == 1)
    }

    async fn change(&self, key: &str, rule: Rule) -> Result<Change, StoreError> {
        const UPDATE: &str = "UPDATE millstream_lease SET version = version + 1, document = $4::text::jsonb \
                              WHERE application = $1 AND lease_key = $2 AND version = $3";
        let client = self.client().await?;
        for _ in 0..ATTEMPTS {
            let Some((version, document, mut lease)) = self.row(&client, key).await? else {
                return Ok(Change::Refused(None));
            };
            if !rule(&mut lease) {
                return Ok(Change::Refused(Some(lease)));
            }
            let text = document.with(&lease).to_text();
            if self.ask("UPDATE", client.execute(UPDATE, &[&&*self.application, &key, &version, &text])).await? == 1 {
                return Ok(Change::Done(lease));
            }
        }
        Err(self.contended("UPDATE"))
    }

    async fn sessions(&self) -> Result<Sessions, StoreError> {
        let client = self.client().await?;
        Ok(self.session_row(&client).await?.1)
    }

    async fn change_sessions(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError> {
        // The first one makes the row; who comes second finds another version.
        const WRITE: &str = "INSERT INTO millstream_session AS stored VALUES ($1, $2::bigint + 1, $3::text::jsonb) \
                             ON CONFLICT (application) DO UPDATE SET version = $2 + 1, document = $3::text::jsonb \
                             WHERE stored.version = $2";
        let client = self.client().await?;
        for _ in 0..ATTEMPTS {
            let (version, before) = self.session_row(&client).await?;
            let mut sessions = before.clone();
            let is_done = write.apply(&mut sessions);
            let text = sessions_to_text(&sessions);
            if sessions == before
                || self.ask("UPDATE", client.execute(WRITE, &[&&*self.application, &version, &text])).await? == 1
            {
                return Ok(SessionAnswer { is_done, sessions });
            }
        }
        Err(self.contended("UPDATE"))
    }

    async fn remove(&self, key: &str, counter: u64) -> Result<bool, StoreError> {
        const DELETE: &str = "DELETE FROM millstream_lease WHERE application = $1 AND lease_key = $2 AND version = $3";
        let client = self.client().await?;
        for _ in 0..ATTEMPTS {
            let Some((version, _, lease)) = self.row(&client, key).await? else {
                return Ok(true);
            };
            if lease.counter != counter {
                return Ok(false);
            }
            if self.ask("DELETE", client.execute(DELETE, &[&&*self.application, &key, &version])).await? == 1 {
                return Ok(true);
            }
        }
        Err(self.contended("DELETE"))
    }
}

/// Where the server is, for people: never the password.
fn endpoint(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    let ports = config.get_ports().iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    format!(
        "postgresql://{hosts}:{}/{}",
        if ports.is_empty() { "5432" } else { &ports },
        config.get_dbname().unwrap_or("")
    )
}
