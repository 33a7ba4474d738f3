//! The Kinesis service: streams by region, and the changes to them.

mod account;
mod answer;
mod changes;
mod constraints;
mod consumer;
mod digits;
mod due;
mod hash_key;
mod input;
mod iterator;
mod lifecycle;
mod limits;
mod md5_lanes;
mod metric;
mod ops;
mod output;
mod page;
mod position;
mod region;
mod reshard;
mod sealed;
mod sequence;
mod shard;
mod store;
mod stream;
mod subscription;
mod tags;
mod traffic;
mod trim;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;

pub(crate) use consumer::consumers_of;
pub(crate) use input::is_structure;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use ops::OPERATIONS;
pub(crate) use ops::{knows, unknown};
pub(crate) use output::ShardOutput;
pub(crate) use region::Region;
pub(crate) use stream::{Stream, shard_id};
pub(crate) use trim::trim_regularly;

use self::account::AccountInfo;
use self::lifecycle::Lifecycle;
use self::limits::Limits;
use self::region::ACCOUNT;
use self::store::Store;
use self::stream::StreamInfo;
use self::subscription::Subscriptions;
use crate::api_error::ApiError;
use crate::clock::Clock;
use crate::config::LocalConfig;
use crate::error::LocalError;
use crate::faults::Target;
use crate::format::Format;
use crate::http::{Buffers, Reply};
use crate::storage::DataDir;

type Streams = BTreeMap<Region, BTreeMap<String, Arc<Stream>>>;

/// All streams of the account.
#[derive(Debug)]
pub(crate) struct Kinesis {
    streams: RwLock<Streams>,
    /// Held while streams or shards come and go, so that one change is written down before the next. Taken before
    /// `streams` and before the topology of a stream, and never across an await.
    changes: Mutex<()>,
    account: Mutex<AccountInfo>,
    lifecycle: Lifecycle,
    limits: Limits,
    /// When the next stream is to be deleted or resharded; late if there is none.
    next_due_ms: AtomicU64,
    store: Store,
    subscriptions: Subscriptions,
    buffers: Buffers,
}

impl Kinesis {
    /// Reads the streams of the data directory; without one there are none.
    pub(crate) fn open(data: Option<Arc<DataDir>>, clock: Clock, config: &LocalConfig) -> Result<Self, LocalError> {
        let lifecycle = Lifecycle::new(clock, config.state_delay);
        let limits = Limits::new(config.enforce_limits);
        let (store, found) = Store::open(data, config.fsync, &lifecycle)?;
        let account = Mutex::new(store.account()?);
        let mut streams = Streams::new();
        for stream in found {
            let region = streams.entry(stream.settings().region.clone()).or_default();
            region.insert(stream.name().to_owned(), Arc::new(stream));
        }
        let next_due_ms = AtomicU64::new(0);
        Ok(Self {
            streams: RwLock::new(streams),
            changes: Mutex::new(()),
            account,
            lifecycle,
            limits,
            next_due_ms,
            store,
            subscriptions: Subscriptions::default(),
            buffers: Buffers::default(),
        })
    }

    /// Answers one API call.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        region: Region,
        format: Format,
        operation: &str,
        body: Bytes,
    ) -> Reply {
        self.settle().await;
        let named = || ops::target_of(format, &body).stream;
        let within = self.limits.call(operation, &region, named, self.now_ms());
        let answered = match within {
            Ok(()) => ops::run(ops::Call { kinesis: Arc::clone(self), region, format }, operation, body).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(reply) => reply,
            Err(error) => error.into_reply(format),
        }
    }

    /// The consumers that records are pushed to.
    pub(crate) fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    /// What large answers are written into.
    pub(crate) fn buffers(&self) -> Buffers {
        self.buffers.clone()
    }

    /// Makes a stream unless there is one of that name.
    pub(crate) async fn create_if_missing(
        self: &Arc<Self>,
        region: &Region,
        name: &str,
        shards: u32,
    ) -> Result<(), ApiError> {
        if self.stream(region, name).is_ok() {
            return Ok(());
        }
        let call = ops::Call { kinesis: Arc::clone(self), region: region.clone(), format: Format::Json11 };
        let request = serde_json::json!({"StreamName": name, "ShardCount": shards});
        ops::run(call, "CreateStream", request.to_string().into()).await.map(drop)
    }

    /// The stream and the shard that a request is about.
    pub(crate) fn target_of(&self, format: Format, body: &[u8]) -> Target {
        ops::target_of(format, body)
    }

    pub(crate) fn stream(&self, region: &Region, name: &str) -> Result<Arc<Stream>, ApiError> {
        let found = self.streams().get(region).and_then(|streams| streams.get(name)).cloned();
        found.ok_or_else(|| ApiError::not_found(format!("Stream {name} under account {ACCOUNT} not found.")))
    }

    pub(crate) fn stream_by_id(&self, region: &Region, id: &str) -> Result<Arc<Stream>, ApiError> {
        let mut streams = self.streams_in(region);
        streams.retain(|stream| stream.settings().id == id);
        streams.pop().ok_or_else(|| ApiError::not_found(format!("Stream {id} under account {ACCOUNT} not found.")))
    }

    /// What has been used of the quotas.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.lifecycle.now_ms()
    }

    /// The streams of a region in the order of their names.
    pub(crate) fn streams_in(&self, region: &Region) -> Vec<Arc<Stream>> {
        self.streams().get(region).map(|streams| streams.values().cloned().collect()).unwrap_or_default()
    }

    /// The streams of all regions.
    pub(crate) fn all_streams(&self) -> Vec<Arc<Stream>> {
        self.streams().values().flat_map(BTreeMap::values).cloned().collect()
    }

    /// What is written down about the account.
    pub(crate) fn account(&self) -> AccountInfo {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
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
