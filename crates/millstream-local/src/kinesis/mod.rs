//! The Kinesis service: streams by region, and the changes to them.

mod clock;
mod committed;
mod constraints;
mod hash_key;
mod input;
mod iterator;
mod ops;
mod output;
mod region;
mod sealed;
mod sequence;
mod shard;
mod store;
mod stream;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;
use uuid::Uuid;

pub(crate) use region::Region;

use self::region::ACCOUNT;
use self::shard::ShardInfo;
use self::store::Store;
use self::stream::{Stream, StreamInfo, StreamMode};
use crate::api_error::ApiError;
use crate::error::LocalError;
use crate::http::Reply;
use crate::storage::DataDir;

/// The media type of Kinesis's answers.
pub(crate) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

type Streams = BTreeMap<Region, BTreeMap<String, Arc<Stream>>>;

/// All streams of the account.
#[derive(Debug)]
pub(crate) struct Kinesis {
    streams: RwLock<Streams>,
    /// Held while streams or shards come and go, so that one change is written down before the next. Taken before
    /// `streams` and before the topology of a stream, and never across an await.
    changes: Mutex<()>,
    store: Store,
}

/// What CreateStream asks for.
pub(crate) struct NewStream {
    pub(crate) name: String,
    pub(crate) mode: StreamMode,
    pub(crate) shards: u32,
    pub(crate) max_record_kib: u32,
}

/// What SplitShard and MergeShards do: close some shards and put others over the same hash keys.
pub(crate) struct Reshard {
    pub(crate) closing: Vec<u32>,
    /// First and last hash key of each new shard.
    pub(crate) children: Vec<(u128, u128)>,
}

impl Kinesis {
    /// Reads the streams of the data directory; without one there are none.
    pub(crate) fn open(data: Option<Arc<DataDir>>) -> Result<Self, LocalError> {
        let (store, found) = Store::open(data)?;
        let mut streams = Streams::new();
        for stream in found {
            let region = streams.entry(stream.settings().region.clone()).or_default();
            region.insert(stream.name().to_owned(), Arc::new(stream));
        }
        Ok(Self { streams: RwLock::new(streams), changes: Mutex::new(()), store })
    }

    /// Answers one API call.
    pub(crate) async fn answer(self: &Arc<Self>, region: Region, operation: &str, body: Bytes) -> Reply {
        match ops::run(ops::Call { kinesis: Arc::clone(self), region }, operation, body).await {
            Ok(body) => Reply { status: 200, content_type: CONTENT_TYPE, body },
            Err(error) => error.into_reply(CONTENT_TYPE),
        }
    }

    /// The name of the stream that a request is about.
    pub(crate) fn stream_named_in(&self, body: &[u8]) -> Option<String> {
        ops::stream_named_in(body)
    }

    pub(crate) fn stream(&self, region: &Region, name: &str) -> Result<Arc<Stream>, ApiError> {
        let found = self.streams().get(region).and_then(|streams| streams.get(name)).cloned();
        found.ok_or_else(|| ApiError::not_found(format!("Stream {name} under account {ACCOUNT} not found.")))
    }

    /// The streams of a region in the order of their names.
    pub(crate) fn streams_in(&self, region: &Region) -> Vec<Arc<Stream>> {
        self.streams().get(region).map(|streams| streams.values().cloned().collect()).unwrap_or_default()
    }

    /// Makes a stream. Writes to the disk.
    pub(crate) fn create(&self, region: &Region, new: NewStream) -> Result<(), ApiError> {
        let _changing = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stream(region, &new.name).is_ok() {
            let message = format!("Stream {} under account {ACCOUNT} already exists.", new.name);
            return Err(ApiError::in_use(message));
        }
        let now_ms = clock::now_ms();
        let shards = hash_key::even_ranges(new.shards).zip(0..).map(|((start_hash, end_hash), number)| ShardInfo {
            number,
            parents: Vec::new(),
            start_hash,
            end_hash,
            opened_secs: now_ms / 1000,
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
            shards: shards.collect(),
        };
        let shards = self
            .store
            .new_shards(&info.id, info.shards.clone())
            .map_err(|error| ApiError::storage("make the logs of a stream", &error))?;
        let mut infos = self.infos();
        infos.push(info.clone());
        self.save(&infos)?;
        let name = info.name.clone();
        let stream = Arc::new(Stream::new(info, shards));
        self.streams
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(region.clone())
            .or_default()
            .insert(name, stream);
        Ok(())
    }

    /// Removes a stream. Writes to the disk.
    pub(crate) fn delete(&self, stream: &Stream) -> Result<(), ApiError> {
        let _changing = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let StreamInfo { region, name, id, .. } = stream.settings();
        let mut infos = self.infos();
        infos.retain(|info| info.id != *id);
        self.save(&infos)?;
        if let Some(streams) = self.streams.write().unwrap_or_else(PoisonError::into_inner).get_mut(region) {
            // Another request may have deleted it first and a third made it anew.
            if streams.get(name).is_some_and(|found| found.settings().id == *id) {
                streams.remove(name);
            }
        }
        self.store.remove(stream);
        Ok(())
    }

    /// Changes the shards of a stream as `plan` decides while no other change is made. Writes to the disk.
    ///
    /// The change is written down before it takes effect, so that after a crash a child never lacks its parent's end.
    /// A record that is put to the parent in between keeps its place: its sequence number is below the end.
    pub(crate) fn reshard(
        &self,
        stream: &Stream,
        plan: impl FnOnce() -> Result<Reshard, ApiError>,
    ) -> Result<(), ApiError> {
        let _changing = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let Reshard { closing, children } = plan()?;
        let now_ms = clock::now_ms();
        let mut info = stream.info();
        let mut opened_secs = now_ms / 1000;
        for shard in info.shards.iter_mut().filter(|shard| closing.contains(&shard.number)) {
            shard.closed_ms = Some(now_ms);
            opened_secs = opened_secs.max(shard.opened_secs + 1);
        }
        let first = u32::try_from(info.shards.len()).unwrap_or(u32::MAX);
        let children = children.into_iter().zip(first..).map(|((start_hash, end_hash), number)| ShardInfo {
            number,
            parents: closing.clone(),
            start_hash,
            end_hash,
            opened_secs,
            opened_ms: now_ms,
            closed_ms: None,
        });
        let children: Vec<ShardInfo> = children.collect();
        info.shards.extend(children.iter().cloned());

        let shards = self
            .store
            .new_shards(&info.id, children)
            .map_err(|error| ApiError::storage("make the logs of new shards", &error))?;
        let mut infos = self.infos();
        let Some(written) = infos.iter_mut().find(|written| written.id == info.id) else {
            // Deleted since it was looked up.
            return self.stream(&info.region, &info.name).map(drop);
        };
        *written = info;
        self.save(&infos)?;
        stream.topology_mut().replace(&closing, now_ms, shards);
        Ok(())
    }

    fn streams(&self) -> RwLockReadGuard<'_, Streams> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn infos(&self) -> Vec<StreamInfo> {
        self.streams().values().flat_map(BTreeMap::values).map(|stream| stream.info()).collect()
    }

    fn save(&self, infos: &[StreamInfo]) -> Result<(), ApiError> {
        self.store.save(infos).map_err(|error| ApiError::storage("write the metadata of the streams", &error))
    }
}

/// A stream id in AWS's form: twenty letters or digits, a hyphen, and three more.
fn new_stream_id() -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!("{}-{}", &id[..20], &id[20..23])
}
