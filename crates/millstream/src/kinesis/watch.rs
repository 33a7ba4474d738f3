//! The shards of a Kinesis input as the dashboard shows them.

use crate::kinesis::KinesisInput;
use async_trait::async_trait;
use millstream_consumer::{LeaseOverview, Observer, Overview};
use millstream_dashboard::StatusSource;
use millstream_dashboard::status::{LeaseStatus, ReadingStatus, ShardStatus, StreamStatus};
use millstream_kinesis::{HashKeyRange, ShardId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Sees the shards of a [`KinesisSource`](crate::kinesis::KinesisSource), from its start to its end.
#[derive(Clone)]
pub struct KinesisWatch {
    application: Arc<str>,
    stream: Arc<str>,
    observer: Arc<OnceLock<Observer>>,
    /// By shard: records of earlier batches that were read once more. Written by the source.
    again: Arc<Mutex<BTreeMap<ShardId, u64>>>,
}

impl KinesisWatch {
    pub(super) fn new(input: &KinesisInput) -> Self {
        let (application, stream) = (input.application.as_str().into(), input.consumer.streams.name().as_ref().into());
        Self { application, stream, observer: Arc::default(), again: Arc::default() }
    }

    /// The source has started. A source starts once.
    pub(super) fn begin(&self, observer: Observer) {
        let _ = self.observer.set(observer);
    }

    /// So many records of a shard were read once more, for a batch of an earlier run.
    pub(super) fn read_again(&self, shard: &ShardId, records: u64) {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        *again.entry(shard.clone()).or_default() += records;
    }
}

#[async_trait]
impl StatusSource for KinesisWatch {
    async fn status(&self) -> Option<StreamStatus> {
        let overview = self.observer.get()?.look().await?;
        let again = self.again.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(status(&self.application, &self.stream, overview, &again))
    }

    fn failure(&self) -> Option<String> {
        Some(self.observer.get()?.failure()?.to_string())
    }
}

/// Puts together what is known of each shard: of leases that other streams have in the table nothing is shown.
fn status(application: &str, stream: &str, overview: Overview, again: &BTreeMap<ShardId, u64>) -> StreamStatus {
    let Overview { worker, leases, listed, reading, error, .. } = overview;
    let mut shards: BTreeMap<ShardId, ShardStatus> = BTreeMap::new();
    for shard in listed {
        let known = shards.entry(shard.id).or_default();
        known.parents = names(&shard.parents);
        known.hash_keys = Some(hash_keys(shard.hash_range));
    }
    for overview in leases {
        let lease = &overview.lease;
        let known = shards.entry(ShardId::from(lease.key.as_str())).or_default();
        known.hash_keys = known.hash_keys.or(lease.hash_range.map(hash_keys));
        if known.parents.is_empty() {
            known.parents = names(&lease.parents);
        }
        known.lease = Some(lease_status(overview));
    }
    for shard in reading {
        let Some(known) = shards.get_mut(&shard.shard).filter(|known| is_held(known)) else { continue };
        known.reading = Some(ReadingStatus {
            position: shard.cut.to_string(),
            behind_ms: shard.millis_behind,
            queued: shard.queued as u64,
            records_read: shard.counts.records_read,
            bytes_read: shard.counts.bytes_read,
            records_given: shard.counts.records_handed_out,
            bytes_given: shard.counts.bytes_handed_out,
            throttles: shard.counts.throttles,
            records_again: shard.counts.records_again + again.get(&shard.shard).copied().unwrap_or_default(),
            has_ended: shard.ended,
        });
    }
    for id in ended(&shards) {
        shards.entry(id).or_default().has_ended = true;
    }
    let shards = shards.into_iter().map(|(id, shard)| ShardStatus { shard: id.as_str().to_owned(), ..shard }).collect();
    StreamStatus { application: application.to_owned(), stream: stream.to_owned(), worker, shards, error }
}

/// Whether this worker holds the lease: what is left of a shard that was handed over says nothing.
fn is_held(shard: &ShardStatus) -> bool {
    shard.lease.as_ref().is_some_and(|lease| ["reading", "handing over", "releasing"].contains(&lease.state))
}

/// Shards whose lease says so, and those without a lease of which some descendant has one: theirs is gone.
fn ended(shards: &BTreeMap<ShardId, ShardStatus>) -> BTreeSet<ShardId> {
    let is_ended = |shard: &ShardStatus| shard.lease.as_ref().is_some_and(|lease| lease.state == "ended");
    let mut ended: BTreeSet<ShardId> =
        shards.iter().filter(|(_, shard)| is_ended(shard)).map(|(id, _)| id.clone()).collect();
    let mut begun: Vec<&ShardStatus> = shards.values().filter(|shard| shard.lease.is_some()).collect();
    while let Some(shard) = begun.pop() {
        for parent in shard.parents.iter().map(|parent| ShardId::from(parent.as_str())) {
            if let Some(known) = shards.get(&parent).filter(|known| known.lease.is_none())
                && ended.insert(parent)
            {
                begun.push(known);
            }
        }
    }
    ended
}

fn lease_status(overview: LeaseOverview) -> LeaseStatus {
    let LeaseOverview { lease, status, processed, failures, last_error } = overview;
    LeaseStatus {
        state: word(status),
        owner: lease.actual_owner().map(str::to_owned),
        next_owner: lease.checkpoint_owner.as_ref().and(lease.owner.clone()),
        checkpoint: lease.checkpoint.to_string(),
        processed,
        failures,
        last_error,
    }
}

fn word(status: millstream_lease::LeaseStatus) -> &'static str {
    match status {
        millstream_lease::LeaseStatus::Creating => "creating",
        millstream_lease::LeaseStatus::Elsewhere => "elsewhere",
        millstream_lease::LeaseStatus::Waiting => "waiting",
        millstream_lease::LeaseStatus::Reading => "reading",
        millstream_lease::LeaseStatus::HandingOver => "handing over",
        millstream_lease::LeaseStatus::Releasing => "releasing",
        millstream_lease::LeaseStatus::Ended => "ended",
    }
}

fn names(shards: &[ShardId]) -> Vec<String> {
    shards.iter().map(|shard| shard.as_str().to_owned()).collect()
}

fn hash_keys(range: HashKeyRange) -> (u128, u128) {
    (range.start.value(), range.end.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parents: &[&str], state: Option<&'static str>) -> (ShardId, ShardStatus) {
        let parents = parents.iter().map(|&parent| parent.to_owned()).collect();
        let lease = state.map(|state| LeaseStatus { state, ..LeaseStatus::default() });
        (ShardId::from(id), ShardStatus { parents, lease, ..ShardStatus::default() })
    }

    #[test]
    fn a_shard_is_read_by_who_holds_its_lease() {
        let [reading, elsewhere, none] =
            [Some("reading"), Some("elsewhere"), None].map(|state| shard("0", &[], state).1);
        assert_eq!([reading, elsewhere, none].map(|shard| is_held(&shard)), [true, false, false]);
    }

    #[test]
    fn a_shard_without_a_lease_has_ended_or_not_begun() {
        let shards = BTreeMap::from([
            shard("0", &[], None),
            shard("1", &["0"], None),
            shard("2", &["0", "gone"], Some("ended")),
            shard("3", &["1"], Some("reading")),
            shard("4", &["3"], None),
            shard("5", &["2", "3"], Some("waiting")),
        ]);
        let names: Vec<String> = ended(&shards).iter().map(ShardId::to_string).collect();
        assert_eq!(names, ["0", "1", "2"]);
    }
}
