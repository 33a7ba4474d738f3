use std::error::Error;
use std::path::PathBuf;

/// Why the lease store could not do what it was asked for. `table`: the application's lease table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is a table of this name, but it is not a lease table.
    #[error(
        "table `{table}` is not a lease table: it has {found}, expected {expected}; \
         choose another application name, or delete that table if nothing needs it"
    )]
    WrongTable {
        /// The table.
        table: String,
        /// Its key schema.
        found: String,
        /// A lease table's key schema.
        expected: String,
    },
    /// The table went away.
    #[error("lease table `{table}` does not exist (any more); start the application again to create it")]
    TableMissing {
        /// The table.
        table: String,
    },
    /// The table was created or is being changed and did not become usable in time.
    #[error("lease table `{table}` is {status} and did not become ACTIVE within {waited_s} s; try again later")]
    TableNotActive {
        /// The table.
        table: String,
        /// Its status.
        status: String,
        /// How long it was waited for, in seconds.
        waited_s: u64,
    },
    /// The credentials are good but may not do this.
    #[error("no permission for {operation} on lease table `{table}`: {message}; allow dynamodb:{operation}")]
    AccessDenied {
        /// The table.
        table: String,
        /// The API operation.
        operation: &'static str,
        /// What the service said.
        message: String,
    },
    /// There are no credentials, or the service does not know them.
    #[error(
        "no usable credentials for lease table `{table}`: {message}; check the access key, the secret key and the token"
    )]
    Credentials {
        /// The table.
        table: String,
        /// What the service or the credentials provider said.
        message: String,
    },
    /// No connection, or no answer in time.
    #[error("cannot reach lease table `{table}` at {endpoint}: {message}; check the endpoint and the network")]
    Unreachable {
        /// The table.
        table: String,
        /// Where it was looked for.
        endpoint: String,
        /// The cause.
        message: String,
    },
    /// More requests than the table or the account may take.
    #[error("too many requests for lease table `{table}` ({operation})")]
    Throttled {
        /// The table.
        table: String,
        /// The API operation.
        operation: &'static str,
    },
    /// A row that is not a lease as the KCL writes it.
    #[error("row `{key}` of lease table `{table}` is not a lease: {problem}; correct or delete the row")]
    BadItem {
        /// The table.
        table: String,
        /// The row's key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file that can't be opened, read or written as a lease store.
    #[error("the lease store `{}` can't be used: {message}; check the folder, the permissions and the file", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Anything else the service says.
    #[error("{operation} on lease table `{table}` failed: {code}: {message}")]
    Service {
        /// The table.
        table: String,
        /// The API operation.
        operation: &'static str,
        /// The service's error code.
        code: String,
        /// What the service said.
        message: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody's help.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            StoreError::Unreachable { .. }
                | StoreError::Throttled { .. }
                | StoreError::TableNotActive { .. }
                | StoreError::Service { .. }
        )
    }
}

/// An error and all its causes in one line, each said once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let causes = std::iter::successors(Some(error), |cause| (*cause).source());
    for text in causes.map(|cause| cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ")) {
        if !texts.iter().any(|said| said.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}
