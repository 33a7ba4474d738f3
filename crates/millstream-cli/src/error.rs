//! Why a command failed.

use std::io;
use std::path::PathBuf;

use millstream_kinesis::{KinesisError, ProducerError};
use millstream_lease::StoreError;
use millstream_local::LocalError;

/// A failed command; printed as one line behind `millstream: `.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("the runtime could not be started: {0}")]
    Runtime(io::Error),
    #[error("{0}")]
    Local(#[from] LocalError),
    #[error("{0}")]
    Kinesis(#[from] KinesisError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Producer(#[from] ProducerError),
    #[error("can't read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("can't write to standard output: {0}")]
    Write(io::Error),
    #[error("line {line} of {path} is not a JSON object: {text}")]
    NotAnObject { path: PathBuf, line: u64, text: String },
    #[error("line {line} of {path} has no field '{field}' that is a number or text that is not empty: {text}")]
    NoKey { path: PathBuf, line: u64, field: String, text: String },
    #[error("line {line} of {path} is no row of CSV: {message}")]
    BadCsv { path: PathBuf, line: u64, message: String },
    #[error("{path} has no column '{field}'; its first row names {columns}")]
    NoColumn { path: PathBuf, field: String, columns: String },
    #[error("line {line} of {path} is no record as `tail --output json` prints it ({problem}): {text}")]
    NotARecord { path: PathBuf, line: u64, problem: String, text: String },
    #[error("stream `{stream}` has no shard `{shard}`; `millstream shards {stream}` lists those it has")]
    NoShard { stream: String, shard: String },
    #[error(
        "stream `{stream}` is ON_DEMAND: Kinesis itself decides its number of shards; make it PROVISIONED first (UpdateStreamMode)"
    )]
    OnDemand { stream: String },
    #[error("stream `{stream}` is {status}; it can be resharded when it is ACTIVE (see `millstream streams`)")]
    NotActive { stream: String, status: String },
    #[error(
        "stream `{stream}` is {status} with {open_shards} open shards and not yet ACTIVE with {shards}; it may still become so (see `millstream streams`), or give a longer --timeout"
    )]
    ReshardTimeout { stream: String, status: String, open_shards: u32, shards: u32 },
    #[error("name the stream that `{application}` reads: --stream NAME; its lease table does not tell")]
    NoStreamGiven { application: String },
    #[error(
        "the leases of `{application}` are not those of stream `{stream}` (as it is now); `millstream leases {application}` and `millstream shards {stream}` show both"
    )]
    NotReadByApplication { application: String, stream: String },
    #[error("`{application}` has no leases: it begins where its own settings say")]
    NoLeases { application: String },
    #[error("`{application}` has no lease `{lease}`; `millstream leases {application}` lists those it has")]
    NoLease { application: String, lease: String },
    #[error("there are several leases `{lease}`: give the whole key, one of {keys}")]
    SeveralLeases { lease: String, keys: String },
    #[error("the shard of lease `{lease}` is processed to its end: nobody needs it")]
    LeaseEnded { lease: String },
    #[error("lease `{lease}` is being handed over to `{next}` already; try again when that is done")]
    HandoffPending { lease: String, next: String },
    #[error(
        "`{reader}` has not given lease `{lease}` over to `{worker}` yet; it may still do so (see `millstream leases`), or give a longer --timeout"
    )]
    HandoffTimeout { lease: String, reader: String, worker: String },
    #[error("nothing is known of a worker `{worker}` of `{application}`; --force asks for it all the same")]
    NoWorker { application: String, worker: String },
    #[error(
        "workers of `{application}` live: {workers}; stop them first, or --force it (they lose their leases then, and what they have in hand is read again)"
    )]
    WorkersLive { application: String, workers: String },
    #[error("`{application}` is not being migrated from the KCL 2 to the KCL 3: its tables have no row for that")]
    NoMigration { application: String },
    #[error("the migration of `{application}` is in {state}: {why}")]
    CantMigrate { application: String, state: String, why: &'static str },
    #[error("not confirmed: nothing was changed (--yes answers beforehand)")]
    NotConfirmed,
    #[error("these leases have changed meanwhile and stay as they are: {leases}; run it again")]
    LeasesMoved { leases: String },
    #[error("interrupted: {done}")]
    Interrupted { done: String },
    #[error("{wrong} of the checks failed")]
    Unwell { wrong: usize },
    #[error("neither XDG_DATA_HOME nor HOME is set: give --data-dir, or --memory to keep nothing")]
    NoDataDir,
    #[error(
        "can't run {interpreter}: {source}; install Python 3.11 and `pip install millstream`, or set PYSPARK_PYTHON"
    )]
    Python { interpreter: String, source: io::Error },
}

impl CliError {
    /// What the process ends with; `docs/commands.md` lists the codes.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            CliError::WorkersLive { .. }
            | CliError::NotConfirmed
            | CliError::OnDemand { .. }
            | CliError::NotActive { .. }
            | CliError::LeaseEnded { .. }
            | CliError::HandoffPending { .. }
            | CliError::CantMigrate { .. } => REFUSED,
            CliError::Store(StoreError::AccessDenied { .. } | StoreError::Credentials { .. }) => NO_ACCESS,
            CliError::Store(StoreError::Unreachable { .. }) => UNREACHABLE,
            _ => match self.of_kinesis() {
                Some(KinesisError::AccessDenied { .. }) => NO_ACCESS,
                Some(KinesisError::Unreachable { .. }) => UNREACHABLE,
                _ => FAILED,
            },
        }
    }

    /// What Kinesis said, wherever it was called.
    pub(crate) fn of_kinesis(&self) -> Option<&KinesisError> {
        match self {
            CliError::Kinesis(error) | CliError::Producer(ProducerError::Call { cause: error, .. }) => Some(error),
            _ => None,
        }
    }
}

const FAILED: u8 = 1;
/// Nothing was changed.
const REFUSED: u8 = 3;
const NO_ACCESS: u8 = 4;
const UNREACHABLE: u8 = 5;
