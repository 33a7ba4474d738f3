use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use super::{LeaseStore, StoreError};

/// Where leases are kept, other than in DynamoDB: `sqlite:///var/lib/app/leases.db`, or `postgresql://user@host/database`.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A database; the URL may hold a password, and is never printed.
    Postgres(String),
}

/// A text that names no lease store of this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStoreUrl {
    /// Not a known kind of store.
    #[error("the lease store `{scheme}` is unknown: expected sqlite:///PATH or postgresql://USER@HOST/DATABASE")]
    Scheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// A file without a name.
    #[error("the lease store has no file: expected sqlite:///PATH")]
    NoFile,
    /// A store that this build was made without.
    #[error("this build has no lease store in {store}: build it with the feature `{feature}`")]
    LeftOut {
        /// The store.
        store: &'static str,
        /// The Cargo feature of `millstream-lease`.
        feature: &'static str,
    },
    /// A URL that Postgres does not understand.
    #[error("the URL of the lease store in Postgres is wrong: {0}")]
    Postgres(String),
}

impl FromStr for StoreUrl {
    type Err = InvalidStoreUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        match url.split_once("://") {
            Some(("sqlite", "")) => Err(InvalidStoreUrl::NoFile),
            Some(("sqlite", path)) if cfg!(feature = "sqlite") => Ok(StoreUrl::Sqlite(path.into())),
            Some(("sqlite", _)) => Err(InvalidStoreUrl::LeftOut { store: "SQLite", feature: "sqlite" }),
            Some(("postgres" | "postgresql", _)) => check_postgres(url),
            // What follows may be a secret.
            found => Err(InvalidStoreUrl::Scheme { scheme: found.map_or("", |(scheme, _)| scheme).to_owned() }),
        }
    }
}

#[cfg(feature = "postgres")]
fn check_postgres(url: &str) -> Result<StoreUrl, InvalidStoreUrl> {
    super::PostgresLeaseStore::new(url, "").map_err(|error| InvalidStoreUrl::Postgres(super::error::chain(&error)))?;
    Ok(StoreUrl::Postgres(url.to_owned()))
}

#[cfg(not(feature = "postgres"))]
fn check_postgres(_: &str) -> Result<StoreUrl, InvalidStoreUrl> {
    Err(InvalidStoreUrl::LeftOut { store: "Postgres", feature: "postgres" })
}

impl StoreUrl {
    /// The leases of this application in the store.
    ///
    /// # Errors
    /// An SQLite file that can't be used; of a database it is told by [`LeaseStore::ensure`].
    pub async fn open(&self, application: &str) -> Result<Arc<dyn LeaseStore>, StoreError> {
        match self {
            #[cfg(feature = "sqlite")]
            StoreUrl::Sqlite(path) => Ok(Arc::new(super::SqliteLeaseStore::open(path, application).await?)),
            #[cfg(feature = "postgres")]
            StoreUrl::Postgres(url) => match super::PostgresLeaseStore::new(url, application) {
                Ok(store) => Ok(Arc::new(store)),
                Err(error) => Err(left_out(application, &super::error::chain(&error))),
            },
            #[allow(unreachable_patterns)]
            _ => Err(left_out(application, "this build was made without it")),
        }
    }
}

/// A URL that was not made by parsing.
fn left_out(application: &str, message: &str) -> StoreError {
    let (table, message) = (application.to_owned(), message.to_owned());
    StoreError::Service { table, operation: "open", code: "unknown lease store".to_owned(), message }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreUrl::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            StoreUrl::Postgres(_) => f.write_str("postgresql://…"),
        }
    }
}
