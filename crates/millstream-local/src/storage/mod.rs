//! Bytes at rest: the data directory and its metadata file, and the logs that hold a shard's records.
//!
//! ```text
//! data_dir/VERSION           what wrote it
//! data_dir/LOCK              held while a server runs
//! data_dir/dynamodb.sqlite
//! data_dir/continuous-backups.json
//! data_dir/kinesis/streams.json
//! data_dir/kinesis/<stream id>/<shard number>.log
//! ```

mod data_dir;
pub(crate) mod frame;
mod log;
mod recovery;

pub(crate) use data_dir::DataDir;
pub(crate) use data_dir::{read_json, replace, sync_dir};
pub(crate) use log::{AppendError, Log};
pub(crate) use recovery::recover;
