//! The leases that an engine holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use millstream_kinesis::{Checkpoint, Kinesis, Shard, ShardId};
use millstream_lease::{Lease, LeaseStore, RenewOutcome};
use tokio::time::Instant;

use super::PublishError;

/// Writes under way at a time.
const WRITES: usize = 32;

pub(super) struct Table {
    kinesis: Arc<dyn Kinesis>,
    store: Arc<dyn LeaseStore>,
    stream: String,
    worker: String,
    failover: Duration,
    is_ready: bool,
    /// What is processed, of shards whose leases do not say so yet.
    waiting: BTreeMap<ShardId, Checkpoint>,
    held: BTreeMap<String, Lease>,
    /// Leases of others: their counters, and since when these have not moved.
    foreign: BTreeMap<String, (u64, Instant)>,
    renewed: Instant,
}

impl Table {
    pub(super) fn new(
        kinesis: Arc<dyn Kinesis>,
        store: Arc<dyn LeaseStore>,
        stream: String,
        worker: String,
        failover: Duration,
    ) -> Self {
        let (waiting, held, foreign) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Table {
            kinesis,
            store,
            stream,
            worker,
            failover,
            is_ready: false,
            waiting,
            held,
            foreign,
            renewed: Instant::now(),
        }
    }

    /// Notes what is to be written.
    pub(super) fn processed(&mut self, places: BTreeMap<ShardId, Checkpoint>) {
        let is_written = |shard: &ShardId, at: &Checkpoint| {
            self.held.get(shard.as_str()).is_some_and(|lease| lease.checkpoint >= *at)
        };
        self.waiting.extend(places.into_iter().filter(|(shard, at)| !is_written(shard, at)));
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_written(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Writes what waits. A lease whose owner may still live stays as it is for now.
    pub(super) async fn write(&mut self) -> Result<(), PublishError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        if !self.is_ready {
            self.store.ensure().await?;
            self.is_ready = true;
        }
        let is_new = |(shard, _): (&ShardId, _)| !self.held.contains_key(shard.as_str());
        let is_end = |at: &Checkpoint| *at == Checkpoint::ShardEnd;
        if self.waiting.iter().any(is_new) || self.waiting.values().any(is_end) {
            let listed = self.kinesis.list_shards(&self.stream).await?;
            self.acquire(&listed).await?;
            return self.checkpoint(&listed).await;
        }
        self.checkpoint(&[]).await
    }

    /// Takes the leases that are not held yet, and makes those that are missing. A parent's lease may say that it has ended
    /// only after its children have theirs.
    async fn acquire(&mut self, listed: &[Shard]) -> Result<(), PublishError> {
        let mut stored: BTreeMap<String, Lease> =
            self.store.scan().await?.into_iter().map(|lease| (lease.key.clone(), lease)).collect();
        if let Some(lease) = stored.values().find(|lease| !lease.stream().is_empty()) {
            return Err(PublishError::SeveralStreams { lease: lease.key.clone() });
        }
        let ends = |shard: &ShardId| self.waiting.get(shard) == Some(&Checkpoint::ShardEnd);
        let wanted = listed.iter().filter_map(|shard| match self.waiting.get(&shard.id) {
            Some(Checkpoint::ShardEnd) if !stored.contains_key(shard.id.as_str()) => None,
            Some(at) => Some((shard, at.clone())),
            None => shard.parents.iter().any(ends).then_some((shard, Checkpoint::TrimHorizon)),
        });
        let wanted: Vec<(&Shard, Checkpoint)> = wanted.collect();
        // Of shards that are gone, and of those that ended before there was a table, nobody has anything to know.
        let is_known = |shard: &ShardId, at: &Checkpoint| {
            stored.contains_key(shard.as_str())
                || (*at != Checkpoint::ShardEnd && listed.iter().any(|listed| listed.id == *shard))
        };
        self.waiting.retain(|shard, at| is_known(shard, at));
        for (shard, at) in wanted {
            if self.held.contains_key(shard.id.as_str()) {
                continue;
            }
            let seen = match stored.remove(shard.id.as_str()) {
                Some(seen) => seen,
                None => {
                    let fresh = Lease::of_shard(shard, at);
                    self.store.create(&fresh).await?;
                    fresh
                }
            };
            if self.is_free(&seen)? {
                // None: somebody was faster, and it is looked at again.
                if let Some(taken) = self.store.take(&seen, &self.worker).await? {
                    self.held.insert(taken.key.clone(), taken);
                }
            }
        }
        Ok(())
    }

    /// Whether nobody holds the lease. One that is held may be its owner's for as long as it takes to see whether it lives.
    fn is_free(&mut self, seen: &Lease) -> Result<bool, PublishError> {
        let Some(owner) = seen.actual_owner().filter(|owner| *owner != self.worker) else { return Ok(true) };
        let now = Instant::now();
        match self.foreign.get(&seen.key) {
            Some((counter, since)) if *counter == seen.counter => Ok(now - *since >= self.failover),
            Some(_) => Err(PublishError::Held { lease: seen.key.clone(), owner: owner.to_owned() }),
            None => {
                tracing::info!(lease = %seen.key, owner, "a lease is held; whether its owner lives shows within the failover time");
                self.foreign.insert(seen.key.clone(), (seen.counter, now));
                Ok(false)
            }
        }
    }

    async fn checkpoint(&mut self, listed: &[Shard]) -> Result<(), PublishError> {
        let held =
            self.waiting.iter().filter_map(|(shard, at)| Some((self.held.get(shard.as_str())?.clone(), at.clone())));
        // What is ahead in the table was processed by another application, and is processed once more here.
        let (done, behind): (Vec<_>, Vec<_>) = held.partition(|(lease, at)| lease.checkpoint >= *at);
        done.iter().for_each(|(lease, _)| drop(self.waiting.remove(lease.key.as_str())));
        let writes: Vec<_> = behind.into_iter().map(|(lease, at)| self.write_one(lease, at, listed)).collect();
        let written: Vec<(Lease, Checkpoint, Option<u64>)> =
            stream::iter(writes).buffer_unordered(WRITES).try_collect().await?;
        for (mut lease, at, counter) in written {
            let Some(counter) = counter else { return Err(self.lost(&lease.key).await) };
            self.waiting.remove(lease.key.as_str());
            (lease.counter, lease.checkpoint) = (counter, at);
            self.held.insert(lease.key.clone(), lease);
        }
        Ok(())
    }

    /// Shows that the engine lives, as often as the KCL does.
    pub(super) async fn renew(&mut self) -> Result<(), PublishError> {
        if self.renewed.elapsed() < self.failover / 3 {
            return Ok(());
        }
        self.renewed = Instant::now();
        let open: Vec<Lease> = self.held.values().filter(|lease| !lease.is_ended()).cloned().collect();
        let renewals: Vec<_> = open.into_iter().map(|lease| renewal(self.store.clone(), lease)).collect();
        let renewed: Vec<(String, RenewOutcome)> =
            stream::iter(renewals).buffer_unordered(WRITES).try_collect().await?;
        for (key, outcome) in renewed {
            match outcome {
                RenewOutcome::Renewed { counter } => {
                    if let Some(lease) = self.held.get_mut(&key) {
                        lease.counter = counter;
                    }
                }
                RenewOutcome::HandoffRequested { lease } => {
                    let owner = lease.owner.clone().unwrap_or_default();
                    self.held.insert(key.clone(), lease);
                    return Err(PublishError::Wanted { lease: key, owner });
                }
                RenewOutcome::HandoffWithdrawn { lease } => drop(self.held.insert(key, lease)),
                RenewOutcome::Lost { .. } => return Err(self.lost(&key).await),
            }
        }
        Ok(())
    }

    async fn lost(&mut self, key: &str) -> PublishError {
        self.held.remove(key);
        let owner = match self.store.get(key).await {
            Ok(current) => current.and_then(|lease| lease.owner).unwrap_or_else(|| "unknown".to_owned()),
            Err(error) => return error.into(),
        };
        PublishError::Wanted { lease: key.to_owned(), owner }
    }

    /// Gives all leases back.
    pub(super) async fn release(&mut self) {
        let held = std::mem::take(&mut self.held).into_values();
        let releases: Vec<_> = held.map(|lease| give_back(self.store.clone(), lease)).collect();
        stream::iter(releases).buffer_unordered(WRITES).collect::<()>().await;
    }

    /// One checkpoint: its lease, what it says, and the new counter if the lease is still held.
    fn write_one(
        &self,
        lease: Lease,
        at: Checkpoint,
        listed: &[Shard],
    ) -> impl Future<Output = Result<(Lease, Checkpoint, Option<u64>), PublishError>> + use<> {
        let store = self.store.clone();
        let is_child = |shard: &&Shard| shard.parents.iter().any(|parent| parent.as_str() == lease.key);
        let mut children = Vec::new();
        if at == Checkpoint::ShardEnd {
            children.extend(listed.iter().filter(is_child).map(|child| child.id.clone()));
        }
        async move {
            let counter = store.checkpoint(&lease, &at, &children).await?;
            Ok((lease, at, counter))
        }
    }
}

async fn renewal(store: Arc<dyn LeaseStore>, lease: Lease) -> Result<(String, RenewOutcome), PublishError> {
    let outcome = store.renew(&lease).await?;
    Ok((lease.key, outcome))
}

async fn give_back(store: Arc<dyn LeaseStore>, lease: Lease) {
    let is_asked_for = lease.checkpoint_owner.is_some();
    let released = if is_asked_for { store.complete_handoff(&lease).await } else { store.release(&lease).await };
    if let Err(error) = released {
        tracing::warn!(lease = %lease.key, %error, "a lease could not be given back; it expires by itself");
    }
}
