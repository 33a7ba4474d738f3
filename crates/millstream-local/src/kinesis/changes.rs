//! Changes to streams and to the account: one at a time, each written down before it shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use uuid::Uuid;

use super::Kinesis;
use super::account::AccountInfo;
use super::hash_key;
use super::lifecycle::Status;
use super::region::{ACCOUNT, Region};
use super::reshard::Reshard;
use super::shard::ShardInfo;
use super::stream::{Distribution, Stream, StreamInfo, StreamMode};
use crate::api_error::ApiError;

/// By how much AWS dates the shards of a new stream back, in seconds: three to six, seen in sequence numbers.
const OPENED_BEFORE_SECS: u64 = 3;

/// What CreateStream asks for.
pub(crate) struct NewStream {
    pub(crate) name: String,
    pub(crate) mode: StreamMode,
    pub(crate) shards: u32,
    pub(crate) max_record_kib: u32,
    pub(crate) warm_throughput: Option<u32>,
    pub(crate) distribution: Distribution,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Kinesis {
    /// Makes a stream. Writes to the disk.
    pub(crate) fn create(&self, region: &Region, new: NewStream) -> Result<(), ApiError> {
        let _changing = self.changing();
        if self.stream(region, &new.name).is_ok() {
            let message = format!("Stream {} under account {ACCOUNT} already exists.", new.name);
            return Err(ApiError::in_use(message));
        }
        let now_ms = self.now_ms();
        let shards = hash_key::even_ranges(new.shards).zip(0..).map(|((start_hash, end_hash), number)| ShardInfo {
            number,
            parents: Vec::new(),
            start_hash,
            end_hash,
            opened_secs: (now_ms / 1000).saturating_sub(OPENED_BEFORE_SECS),
            opened_ms: now_ms,
            closed_ms: None,
        });
        let info = StreamInfo {
            region: region.clone(),
            name: new.name,
            id: new_stream_id(),
            created_ms: now_ms,
            mode: new.mode,
            retention_hours: 24,
            max_record_kib: new.max_record_kib,
            updated_ms: 0,
            deleting_ms: None,
            resharding: Vec::new(),
            horizon_ms: 0,
            metrics: BTreeSet::new(),
            encryption: None,
            warm_throughput: new.warm_throughput,
            distribution: new.distribution,
            tags: new.tags,
            policy: None,
            consumers: Vec::new(),
            shards: shards.collect(),
        };
        let shards = self.store.new_shards(&info.id, info.shards.clone());
        let mut infos = self.infos();
        infos.push(info.clone());
        self.save(&infos)?;
        let name = info.name.clone();
        let stream = Arc::new(Stream::new(info, shards, self.lifecycle.clone()));
        self.streams
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(region.clone())
            .or_default()
            .insert(name, stream);
        Ok(())
    }

    /// Removes a stream, or begins to. Writes to the disk.
    pub(crate) fn delete(&self, stream: &Stream) -> Result<(), ApiError> {
        let _changing = self.changing();
        if self.lifecycle.is_immediate() {
            return self.remove(stream);
        }
        if stream.status() == Status::Deleting {
            return stream.must_be_active();
        }
        let began_ms = self.now_ms();
        self.replace(stream, StreamInfo { deleting_ms: Some(began_ms), ..stream.info() })?;
        self.due(began_ms);
        Ok(())
    }

    /// Changes the settings of a stream as `change` decides while no other change is made. Writes to the disk.
    pub(crate) fn update<T>(
        &self,
        stream: &Stream,
        change: impl FnOnce(&mut StreamInfo) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let _changing = self.changing();
        let mut info = stream.info();
        let result = change(&mut info)?;
        self.replace(stream, info)?;
        Ok(result)
    }

    /// As [`Kinesis::update`], for a change that takes AWS a while: the stream has to be ACTIVE and is UPDATING then.
    pub(crate) fn update_slowly<T>(
        &self,
        stream: &Stream,
        change: impl FnOnce(&mut StreamInfo) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.update(stream, |info| {
            stream.must_be_active()?;
            let before = info.clone();
            let result = change(info)?;
            // What changes nothing takes no time.
            if *info != before {
                info.updated_ms = self.now_ms();
            }
            Ok(result)
        })
    }

    /// Changes the shards of a stream as `plan` decides while no other change is made. Writes to the disk.
    pub(crate) fn reshard(
        &self,
        stream: &Stream,
        plan: impl FnOnce() -> Result<Vec<Reshard>, ApiError>,
    ) -> Result<(), ApiError> {
        let _changing = self.changing();
        stream.must_be_active()?;
        let steps = plan()?;
        if self.lifecycle.is_immediate() {
            return self.carry_out(stream, &steps);
        }
        let began_ms = self.now_ms();
        self.replace(stream, StreamInfo { updated_ms: began_ms, resharding: steps, ..stream.info() })?;
        self.due(began_ms);
        Ok(())
    }

    /// Carries out splits and merges. The caller holds `changes`.
    ///
    /// The change is written down before it takes effect, so that after a crash a child never lacks its parent's end.
    /// A record that is put to the parent in between keeps its place: its sequence number is below the end.
    pub(super) fn carry_out(&self, stream: &Stream, steps: &[Reshard]) -> Result<(), ApiError> {
        let now_ms = self.now_ms();
        let mut info = stream.info();
        info.resharding.clear();
        let old = info.shards.len();
        for step in steps {
            // At AWS children are opened in the second after their parents' end.
            let mut opened_secs = now_ms / 1000 + 1;
            for shard in info.shards.iter_mut().filter(|shard| step.closing.contains(&shard.number)) {
                shard.closed_ms = Some(now_ms);
                opened_secs = opened_secs.max(shard.opened_secs + 1);
            }
            let first = u32::try_from(info.shards.len()).unwrap_or(u32::MAX);
            info.shards.extend(step.children.iter().zip(first..).map(|(range, number)| ShardInfo {
                number,
                parents: step.closing.clone(),
                start_hash: range.start,
                end_hash: range.end,
                opened_secs,
                opened_ms: now_ms,
                closed_ms: None,
            }));
        }
        let shards = self.store.new_shards(&info.id, info.shards.split_off(old));
        info.shards.extend(shards.iter().map(|shard| shard.info()));
        self.replace(stream, info)?;
        let closing: Vec<u32> = steps.iter().flat_map(|step| step.closing.iter().copied()).collect();
        stream.topology_mut().replace(&closing, now_ms, shards);
        Ok(())
    }

    /// Writes down a stream in place of what was written before, then shows it. The caller holds `changes`.
    fn replace(&self, stream: &Stream, info: StreamInfo) -> Result<(), ApiError> {
        let mut infos = self.infos();
        let Some(written) = infos.iter_mut().find(|written| written.id == info.id) else {
            // Deleted since it was looked up.
            let message = format!("Stream {} under account {ACCOUNT} not found.", info.name);
            return Err(ApiError::not_found(message));
        };
        *written = info.clone();
        self.save(&infos)?;
        stream.set(info);
        self.subscriptions.look_again();
        Ok(())
    }

    /// Takes a stream away for good. The caller holds `changes`.
    pub(super) fn remove(&self, stream: &Stream) -> Result<(), ApiError> {
        let settings = stream.settings();
        let StreamInfo { region, name, id, .. } = &*settings;
        let mut infos = self.infos();
        infos.retain(|info| info.id != *id);
        self.save(&infos)?;
        if let Some(streams) = self.streams.write().unwrap_or_else(PoisonError::into_inner).get_mut(region) {
            // Another request may have deleted it first and a third made it anew.
            if streams.get(name).is_some_and(|found| found.settings().id == *id) {
                streams.remove(name);
            }
        }
        self.subscriptions.look_again();
        self.store.remove(stream);
        Ok(())
    }

    /// Changes what is written down about the account. Writes to the disk.
    pub(crate) fn update_account<T>(
        &self,
        change: impl FnOnce(&mut AccountInfo) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let _changing = self.changing();
        let mut account = self.account();
        let result = change(&mut account)?;
        self.store
            .save_account(&account)
            .map_err(|error| ApiError::storage("write the metadata of the account", &error))?;
        *self.account.lock().unwrap_or_else(PoisonError::into_inner) = account;
        Ok(result)
    }
}

/// A stream id in AWS's form: twenty letters or digits, a hyphen, and three more.
fn new_stream_id() -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!("{}-{}", &id[..20], &id[20..23])
}
