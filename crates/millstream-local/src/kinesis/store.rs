//! Where streams are kept: the metadata file and the directories of logs, or nowhere.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::account::AccountInfo;
use super::committed::Committed;
use super::lifecycle::Lifecycle;
use super::shard::{Shard, ShardInfo};
use super::stream::{Stream, StreamInfo};
use crate::error::LocalError;
use crate::storage::{DataDir, Log, read_json, recover, replace, sync_dir};

/// The `kinesis` directory of a data directory, or memory.
#[derive(Debug)]
pub(crate) struct Store {
    data: Option<Arc<DataDir>>,
}

impl Store {
    /// Opens the store and reads the streams in it.
    pub(crate) fn open(data: Option<Arc<DataDir>>, lifecycle: &Lifecycle) -> Result<(Self, Vec<Stream>), LocalError> {
        let store = Self { data };
        let Some(root) = store.root() else { return Ok((store, Vec::new())) };
        let failed = |source| LocalError::DataDir { path: root.clone(), source };
        fs::create_dir_all(&root).map_err(failed)?;
        let infos: Vec<StreamInfo> = read_json(root.join("streams.json"))?;
        remove_orphans(&root, &infos).map_err(failed)?;
        let streams = infos.into_iter().map(|info| read_stream(&root, info, lifecycle)).collect::<Result<_, _>>()?;
        Ok((store, streams))
    }

    /// Makes the log of a new shard, and its name durable.
    pub(crate) fn new_shards(&self, stream_id: &str, infos: Vec<ShardInfo>) -> io::Result<Vec<Arc<Shard>>> {
        let Some(root) = self.root() else {
            let in_memory = |info| Arc::new(Shard::new(info, Log::in_memory(), Committed::default()));
            return Ok(infos.into_iter().map(in_memory).collect());
        };
        let directory = root.join(stream_id);
        fs::create_dir_all(&directory)?;
        let mut shards = Vec::with_capacity(infos.len());
        for info in infos {
            let log = Log::create(log_path(&directory, info.number))?;
            shards.push(Arc::new(Shard::new(info, log, Committed::default())));
        }
        sync_dir(&directory)?;
        sync_dir(&root)?;
        Ok(shards)
    }

    /// Writes down all streams, in place of what was written before.
    pub(crate) fn save(&self, streams: &[StreamInfo]) -> io::Result<()> {
        let Some(root) = self.root() else { return Ok(()) };
        replace(&root.join("streams.json"), &serde_json::to_vec_pretty(streams)?)
    }

    /// Reads what is written down about the account.
    pub(crate) fn account(&self) -> Result<AccountInfo, LocalError> {
        self.root().map_or_else(|| Ok(AccountInfo::default()), |root| read_json(root.join("account.json")))
    }

    /// Writes down what there is to the account.
    pub(crate) fn save_account(&self, account: &AccountInfo) -> io::Result<()> {
        let Some(root) = self.root() else { return Ok(()) };
        replace(&root.join("account.json"), &serde_json::to_vec_pretty(account)?)
    }

    /// Removes the logs of a stream that is no longer written down.
    pub(crate) fn remove(&self, stream: &Stream) {
        let Some(root) = self.root() else { return };
        if let Err(error) = fs::remove_dir_all(root.join(&stream.settings().id)) {
            // The next start removes it.
            tracing::warn!(%error, stream = stream.name(), "cannot remove the logs of a deleted stream");
        }
    }

    fn root(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|data| data.path().join("kinesis"))
    }
}

fn log_path(directory: &Path, shard: u32) -> PathBuf {
    directory.join(format!("{shard}.log"))
}

fn read_stream(root: &Path, info: StreamInfo, lifecycle: &Lifecycle) -> Result<Stream, LocalError> {
    let directory = root.join(&info.id);
    let mut shards = Vec::with_capacity(info.shards.len());
    for shard in &info.shards {
        let path = log_path(&directory, shard.number);
        let mut committed = Committed::default();
        committed.end = recover(&path, |offset, record| committed.recover(offset, record))
            .map_err(|source| LocalError::DataDir { path: path.clone(), source })?;
        shards.push(Arc::new(Shard::new(shard.clone(), Log::existing(path), committed)));
    }
    Ok(Stream::new(info, shards, lifecycle.clone()))
}

/// Removes the directories of streams whose creation or deletion was cut short.
fn remove_orphans(root: &Path, infos: &[StreamInfo]) -> io::Result<()> {
    let known: BTreeSet<&str> = infos.iter().map(|info| info.id.as_str()).collect();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() && !name.to_str().is_some_and(|name| known.contains(name)) {
            tracing::warn!(directory = %entry.path().display(), "removing logs that belong to no stream");
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
