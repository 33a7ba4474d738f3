//! Bytes at rest: the data directory and its metadata files, and the logs that hold a shard's records.
//!
//! ```text
//! data_dir/VERSION              what wrote it
//! data_dir/LOCK                 held while a server runs
//! data_dir/dynamodb.sqlite
//! data_dir/continuous-backups.json
//! data_dir/journal/             what makes records safe before their segments are
//! data_dir/kinesis/streams.json
//! data_dir/kinesis/<stream id>/<shard number>/<first index>-<first arrival>.segment and .marks
//! ```
//!
//! The way of a record: `log` gives it an index and keeps it with others of its shard; `committer`, one at a time, writes
//! such groups to their segments, makes them safe by the `journal` and shows them to readers, who find the newest in memory
//! (`recent`), and what several of them read as it stands in their answers (`passage`).

mod committer;
mod data_dir;
pub(crate) mod frame;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod journal;
mod log;
mod marks;
mod passage;
mod recent;
mod segment;
mod upgrade;

pub(crate) use committer::{Committer, CommitterThread};
pub(crate) use data_dir::DataDir;
pub(crate) use data_dir::{finish_replacing, read_json, replace, sync_dir};
pub(crate) use journal::{Journal, Replayed, replay};
pub(crate) use log::{Appended, LogId, NotWritten, ShardLog, Submission, Take, Wanted};
pub(crate) use passage::Passage;
pub(crate) use recent::Block;
