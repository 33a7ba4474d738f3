//! Why the service could not start.

use std::io;
use std::path::PathBuf;

/// Why [`crate::LocalService::start`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The address could not be bound.
    #[error("cannot listen on {address}: {source}; is another server running there?")]
    Listen {
        /// The address asked for.
        address: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A stream could not be made.
    #[error("cannot create the stream {name}: {reason}")]
    Stream {
        /// Its name.
        name: String,
        /// What Kinesis would say.
        reason: String,
    },
    /// The credentials file can't be read or understood.
    #[error("cannot use the credentials in {path}: {reason}")]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What is wrong, without what is secret.
        reason: String,
    },
    /// Another server holds the data directory.
    #[error("the data directory {path} is in use by another server; stop it or choose another directory")]
    DataDirInUse {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory was written by another version.
    #[error("the data directory {path} has version {found:?}, this program reads {expected:?}")]
    DataDirVersion {
        /// The directory.
        path: PathBuf,
        /// What its version file says.
        found: String,
        /// What this program writes and reads.
        expected: &'static str,
    },
    /// The data directory or a file in it cannot be used.
    #[error("cannot use {path}: {source}")]
    DataDir {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A metadata file does not hold what this program writes.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No certificate for TLS could be made.
    #[error("cannot make a certificate for TLS: {message}")]
    Certificate {
        /// The reason.
        message: String,
    },
    /// The DynamoDB database cannot be opened.
    #[error("cannot open the DynamoDB database: {message}")]
    DynamoDb {
        /// The database's reason.
        message: String,
    },
}
