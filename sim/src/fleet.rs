//! What workers of the KCL 3 keep beside the leases: a row for each that reports, and the leader's lock. A Java worker that
//! can be given nothing (it measures a metric that fails) makes ours a led fleet while it is there; one of ours leads.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use millstream_lease::StoreError;
use millstream_lease::fleet::{Fleet, FleetWorker, Layout, LeaderLock, Utilisation};
use millstream_lease::migration::{ClientVersion, MigrationStep};
use millstream_lease::store::FleetStore;

use crate::link::Link;
use crate::mutant::Mutant;
use crate::remote::call_table;

const LOCK_DURATION_MS: u64 = 120_000;
/// Between two looks of a worker at a fleet in which nothing happens.
const LOOK_INTERVAL_MS: u64 = 10_000;

/// The rows.
#[derive(Default)]
pub(crate) struct Rows(Mutex<State>);

#[derive(Default)]
struct State {
    now_ms: u64,
    is_java_there: bool,
    /// When each worker wrote its row last.
    written_ms: BTreeMap<String, u64>,
    /// When each worker that is gone took its row back.
    retired_ms: BTreeMap<String, u64>,
    lock: Option<LeaderLock>,
    versions: u64,
}

impl Rows {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of the world.
    pub(crate) fn set_clock_ms(&self, now_ms: u64) {
        self.state().now_ms = now_ms;
    }

    /// When a worker that is gone took its row back.
    pub(crate) fn retired_ms(&self, worker: &str) -> Option<u64> {
        self.state().retired_ms.get(worker).copied()
    }

    /// Whether the Java worker is there from now on.
    pub(crate) fn set_java(&self, is_there: bool) {
        self.state().is_java_there = is_there;
    }
}

impl State {
    fn fleet(&self) -> Fleet {
        let row = |id: &str, written_ms: u64, is_ours| FleetWorker {
            id: id.to_owned(),
            age_s: (self.now_ms - written_ms) / 1_000,
            is_ours,
            support: 1,
            is_in_legacy_table: false,
            utilisation: is_ours.then(Utilisation::new),
        };
        let java = self.is_java_there.then(|| row("java", self.now_ms, false));
        let ours = self.written_ms.iter().map(|(id, written_ms)| row(id, *written_ms, true));
        Fleet {
            workers: java.into_iter().chain(ours).collect(),
            client_version: Some(ClientVersion::V3x),
            lock: self.lock.clone(),
            ..Fleet::default()
        }
    }

    fn lock(&mut self, worker: &str) -> String {
        self.versions += 1;
        let version = self.versions.to_string();
        self.lock = Some(LeaderLock {
            owner: worker.to_owned(),
            version: version.clone(),
            duration_ms: LOCK_DURATION_MS,
            is_released: false,
        });
        version
    }

    fn holds(&self, worker: &str, version: &str) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.owner == worker && lock.version == version && !lock.is_released)
    }
}

/// The rows at the other end of the wire.
pub(crate) struct RemoteFleet {
    link: Link,
    mutant: Option<Mutant>,
    /// When it was seen, by the process's own time; for the mutant.
    last: Mutex<Option<(u64, Fleet)>>,
}

impl RemoteFleet {
    pub(crate) fn new(link: Link, mutant: Option<Mutant>) -> Self {
        Self { link, mutant, last: Mutex::default() }
    }

    fn last(&self) -> MutexGuard<'_, Option<(u64, Fleet)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        call_table(&self.link, operation, None, move |server| Ok(work(&mut server.fleet.state()))).await
    }
}

#[async_trait]
impl FleetStore for RemoteFleet {
    async fn look(&self) -> Result<Fleet, StoreError> {
        let own_ms = self.link.own_ms();
        let is_recent = |seen_ms: u64| self.mutant == Some(Mutant::StaleFleet) && own_ms < seen_ms + LOOK_INTERVAL_MS;
        let recent = self.last().clone().filter(|(seen_ms, _)| is_recent(*seen_ms));
        if let Some((_, fleet)) = recent {
            return Ok(fleet);
        }
        let fleet = self.call("look", |state| state.fleet()).await?;
        *self.last() = Some((own_ms, fleet.clone()));
        Ok(fleet)
    }

    async fn report(&self, worker: &str, _: Layout) -> Result<(), StoreError> {
        let worker = worker.to_owned();
        self.call("report", |state| {
            state.written_ms.insert(worker, state.now_ms);
        })
        .await
    }

    async fn take_lead(
        &self,
        worker: &str,
        seen: Option<&LeaderLock>,
        _: Layout,
    ) -> Result<Option<String>, StoreError> {
        let (worker, seen) = (worker.to_owned(), seen.cloned());
        self.call("take_lead", move |state| (state.lock == seen).then(|| state.lock(&worker))).await
    }

    async fn keep_lead(&self, worker: &str, version: &str, _: Layout) -> Result<Option<String>, StoreError> {
        let (worker, version) = (worker.to_owned(), version.to_owned());
        self.call("keep_lead", move |state| state.holds(&worker, &version).then(|| state.lock(&worker))).await
    }

    async fn resign(&self, worker: &str, version: &str, _: Layout) -> Result<(), StoreError> {
        let (worker, version) = (worker.to_owned(), version.to_owned());
        self.call("resign", move |state| {
            if state.holds(&worker, &version)
                && let Some(lock) = &mut state.lock
            {
                lock.is_released = true;
            }
        })
        .await
    }

    async fn retire(&self, worker: &str, _: Layout) -> Result<(), StoreError> {
        let worker = worker.to_owned();
        self.call("retire", move |state| {
            state.written_ms.remove(&worker);
            state.retired_ms.insert(worker, state.now_ms);
        })
        .await
    }

    async fn migrate(&self, _: &str, _: MigrationStep, _: Layout) -> Result<bool, StoreError> {
        // There is nothing to move: the fleet is one of version 3, with one table.
        Ok(false)
    }
}
