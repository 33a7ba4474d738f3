//! Where streams are kept: the metadata file and the directories of logs, or nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::account::AccountInfo;
use super::lifecycle::Lifecycle;
use super::shard::{Shard, ShardInfo};
use super::stream::{Stream, StreamInfo};
use crate::config::Fsync;
use crate::error::LocalError;
use crate::storage::{
    Committer, CommitterThread, DataDir, Journal, LogId, Replayed, ShardLog, read_json, replace, replay,
};

/// The `kinesis` directory of a data directory, or memory.
#[derive(Debug)]
pub(crate) struct Store {
    disk: Option<Disk>,
}

#[derive(Debug)]
struct Disk {
    /// The directory that holds the metadata, and one for each stream.
    root: PathBuf,
    committer: Arc<Committer>,
    /// Ends before the directory is given up.
    _thread: CommitterThread,
    _data: Arc<DataDir>,
}

impl Store {
    /// Opens the store and reads the streams in it.
    pub(crate) fn open(
        data: Option<Arc<DataDir>>,
        fsync: Fsync,
        lifecycle: &Lifecycle,
    ) -> Result<(Self, Vec<Stream>), LocalError> {
        let Some(data) = data else { return Ok((Self { disk: None }, Vec::new())) };
        let root = data.path().join("kinesis");
        let failed = |source| LocalError::DataDir { path: root.clone(), source };
        fs::create_dir_all(&root).map_err(failed)?;
        let infos: Vec<StreamInfo> = read_json(root.join("streams.json"))?;
        remove_orphans(&root, &infos).map_err(failed)?;

        let journal_path = data.path().join("journal");
        let failed = |source| LocalError::DataDir { path: journal_path.clone(), source };
        let mut replayed = replay_journal(&journal_path, &root, &infos).map_err(failed)?;
        let committer = Committer::new(fsync);
        let open = |info: StreamInfo| {
            let shard = |shard: &ShardInfo| Arc::new(open_shard(&root, &info.id, shard.clone(), &committer));
            let shards = info.shards.iter().map(shard).collect();
            Stream::new(info, shards, lifecycle.clone())
        };
        let streams: Vec<Stream> = infos.into_iter().map(open).collect();
        if !replayed.was_clean {
            // What a crash left at the ends of segments may have been shown to readers.
            for stream in &streams {
                let paths =
                    stream.topology().shards().iter().filter_map(|shard| shard.active_path()).collect::<Vec<_>>();
                paths.into_iter().for_each(|path| replayed.dirty.found(path));
            }
        }
        let journal = Journal::new(journal_path.clone(), replayed);
        let thread = Arc::clone(&committer).start(journal).map_err(failed)?;
        Ok((Self { disk: Some(Disk { root, committer, _thread: thread, _data: data }) }, streams))
    }

    /// Makes the logs of new shards. Their directories come with their first records.
    pub(crate) fn new_shards(&self, stream_id: &str, infos: Vec<ShardInfo>) -> Vec<Arc<Shard>> {
        let new = |info| match &self.disk {
            None => Arc::new(Shard::new(info, ShardLog::in_memory())),
            Some(disk) => Arc::new(open_shard(&disk.root, stream_id, info, &disk.committer)),
        };
        infos.into_iter().map(new).collect()
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
        stream.topology().shards().iter().for_each(|shard| shard.give_up());
        let Some(root) = self.root() else { return };
        match fs::remove_dir_all(root.join(&stream.settings().id)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // The next start removes it.
            Err(error) => {
                tracing::warn!(%error, stream = stream.name(), "cannot remove the logs of a deleted stream");
            }
        }
    }

    fn root(&self) -> Option<&Path> {
        self.disk.as_ref().map(|disk| disk.root.as_path())
    }
}

fn open_shard(root: &Path, stream_id: &str, info: ShardInfo, committer: &Arc<Committer>) -> Shard {
    let id = LogId { stream_id: stream_id.into(), shard: info.number };
    let directory = log_directory(root, &id);
    Shard::new(info, ShardLog::open(id, directory, Arc::clone(committer)))
}

fn log_directory(root: &Path, id: &LogId) -> PathBuf {
    root.join(&*id.stream_id).join(id.shard.to_string())
}

/// Writes what the journal has of the streams that are written down to their segments.
fn replay_journal(journal: &Path, root: &Path, infos: &[StreamInfo]) -> io::Result<Replayed> {
    let shards: BTreeMap<&str, usize> = infos.iter().map(|info| (info.id.as_str(), info.shards.len())).collect();
    replay(journal, |id| {
        let known = shards.get(&*id.stream_id).is_some_and(|count| (id.shard as usize) < *count);
        known.then(|| log_directory(root, id))
    })
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
