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
    #[error("neither XDG_DATA_HOME nor HOME is set: give --data-dir, or --memory to keep nothing")]
    NoDataDir,
    #[error(
        "can't run {interpreter}: {source}; install Python 3.11 and `pip install millstream`, or set PYSPARK_PYTHON"
    )]
    Python { interpreter: String, source: io::Error },
}
