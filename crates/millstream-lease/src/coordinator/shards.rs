//! The streams' shards: which leases are missing, which parents have ended, which leases are left over.

use std::collections::{BTreeMap, BTreeSet};

use millstream_kinesis::{Checkpoint, HashKeyRange, InitialPosition, Shard, ShardId};

use super::Coordinator;
use super::periodic::Retry;
use super::state::{Entry, Operation};
use super::streams::Stream;
use crate::lineage::{missing_leases, waits_for_parents};
use crate::{Lease, lease_key, split_key};

/// An ended lease stays for so many failover times: longer than any worker makes use of an older listing.
const KEPT_FOR: u64 = 2;

/// A lease that is being created.
#[derive(Debug)]
pub(super) struct Creating {
    pub(super) lease: Lease,
    pub(super) is_in_flight: bool,
    pub(super) retry: Retry,
}

/// A stream's shards as last listed.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) shards: BTreeMap<ShardId, Shard>,
    started_step: u64,
    answered_step: u64,
    started_ms: u64,
    is_synchronised: bool,
}

/// The leases of a stream, which stand together.
fn of_stream<'a>(
    leases: &'a BTreeMap<String, Entry>,
    stream: &'a str,
) -> impl Iterator<Item = (&'a String, &'a Entry)> + Clone {
    let from = if stream.is_empty() { String::new() } else { format!("{stream}:") };
    let leases = leases.range(from..).take_while(move |(key, _)| key.starts_with(stream));
    leases.filter(move |(key, _)| split_key(key).0 == stream)
}

impl Coordinator {
    /// Takes in the shards. They are compared with a scan that starts after this: an older one might not show
    /// the lease of a shard's ancestor, and the shard would not be known as a descendant.
    pub(super) fn shards_listed(&mut self, stream: &str, shards: Vec<Shard>) {
        let answered_step = self.step;
        let Some(stream) = self.streams.get_mut(stream) else {
            return;
        };
        let Some(started_step) = stream.list.answered() else {
            return;
        };
        if stream.start.initial == InitialPosition::Latest {
            // Of a shard that the stream has forgotten nothing is wanted.
            let listed: BTreeSet<&ShardId> = shards.iter().map(|shard| &shard.id).collect();
            stream.were_open.retain(|shard| listed.contains(shard));
            stream.were_open.extend(shards.iter().filter(|shard| !shard.is_closed()).map(|shard| shard.id.clone()));
        }
        stream.listing = Some(Listing {
            shards: shards.into_iter().map(|shard| (shard.id.clone(), shard)).collect(),
            started_step,
            answered_step,
            started_ms: stream.list.started_ms,
            is_synchronised: false,
        });
        self.scan.hurry(self.now);
        self.advance_all();
    }

    pub(super) fn list_failed(&mut self, stream: &str, reason: String) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.list.failed(self.now, reason);
        }
    }

    /// Creates the leases that are missing, and deletes those whose shards are gone, once for each listing.
    pub(super) fn synchronise(&mut self, scan_step: u64) {
        let is_new = |listing: &Listing| !listing.is_synchronised && scan_step >= listing.answered_step;
        let streams = self.streams.iter().filter(|(_, stream)| stream.listing.as_ref().is_some_and(is_new));
        for stream in streams.map(|(stream, _)| stream.clone()).collect::<Vec<_>>() {
            self.synchronise_one(&stream);
        }
    }

    fn synchronise_one(&mut self, name: &str) {
        let Some(Stream { start, list, listing: Some(listing), were_open }) = self.streams.get_mut(name) else {
            return;
        };
        let start = *start;
        listing.is_synchronised = true;
        // A shard that was open then may have been read to its end since, and its lease deleted.
        if self.now >= listing.started_ms + self.config.failover_ms {
            list.hurry(self.now);
            return;
        }
        let leases = of_stream(&self.leases, name).map(|(_, entry)| (entry.lease.shard(), &entry.lease)).collect();
        let missing = missing_leases(&listing.shards, &leases, start.initial, were_open);
        self.tell_of_ended_but_open(name);
        // An ended lease tells that its line was read: it stays until all its descendants have leases.
        let is_complete = missing.is_empty() && !self.creating.keys().any(|key| split_key(key).0 == name);
        let left_over = if is_complete { self.left_over(name) } else { Vec::new() };
        for mut lease in missing {
            lease.key = lease_key(name, &lease.key).into_owned();
            lease.latest_since_ms = start.latest_since_ms.filter(|_| lease.checkpoint == Checkpoint::Latest);
            tracing::info!(lease = lease.key, checkpoint = %lease.checkpoint, "a shard without a lease");
            self.create(lease);
        }
        for key in left_over {
            self.send(&key, Operation::Delete);
        }
    }

    /// Logs the leases that ended long before the shards were listed, of shards that are open all the same.
    fn tell_of_ended_but_open(&self, stream: &str) {
        let Some(listing) = self.listing(stream) else { return };
        let is_open = |shard: &str| listing.shards.get(shard).is_some_and(|shard| !shard.is_closed());
        for (lease, entry) in of_stream(&self.leases, stream) {
            if entry.lease.is_ended() && is_open(entry.lease.shard()) && self.is_unmoved_for(lease, KEPT_FOR) {
                tracing::error!(
                    lease,
                    "nobody reads this shard: its lease says that it has ended, and it is open; the stream was deleted and made \
                     again. `millstream leases APPLICATION reset` lets it be read"
                );
            }
        }
    }

    /// Ended leases that nobody needs (KCL `LeaseCleanupManager`): of shards whose children are all being read, oldest first;
    /// and of shards that are not listed any more, where no child waits for them.
    fn left_over(&self, stream: &str) -> Vec<String> {
        let Some(listing) = self.listing(stream).filter(|listing| !listing.shards.is_empty()) else {
            return Vec::new();
        };
        let leases = of_stream(&self.leases, stream);
        let is_needed = |shard: &str| {
            let mut waiting = leases.clone().filter(|(_, entry)| waits_for_parents(&entry.lease));
            waiting.any(|(_, entry)| entry.lease.parents.iter().any(|parent| parent.as_str() == shard))
        };
        let ended = leases.clone().filter(|(key, entry)| {
            let shard = entry.lease.shard();
            let is_forgotten =
                entry.first_step < listing.started_step && !listing.shards.contains_key(shard) && !is_needed(shard);
            entry.lease.is_ended()
                && self.is_unmoved_for(key, KEPT_FOR)
                && entry.hold.is_none()
                && entry.in_flight.is_none()
                && (is_forgotten || self.is_superseded(&entry.lease))
        });
        ended.map(|(key, _)| key.clone()).collect()
    }

    /// Whether all children of an ended lease's shard are being read. Something of each is checkpointed then: the table does
    /// not become a fresh one, where shards found later would start at `LATEST`.
    fn is_superseded(&self, ended: &Lease) -> bool {
        let is_read =
            |child: &ShardId| self.leases.get(&*ended.sibling(child)).is_some_and(|child| !child.lease.is_untouched());
        !ended.children.is_empty()
            && ended.children.iter().all(is_read)
            && !ended.parents.iter().any(|parent| self.leases.contains_key(&*ended.sibling(parent)))
    }

    /// Whether a lease's shard may be read: not from its beginning, or after all its parents.
    pub(super) fn parents_have_ended(&mut self, key: &str) -> bool {
        let Some(entry) = self.leases.get(key) else {
            return false;
        };
        if !waits_for_parents(&entry.lease) {
            return true;
        }
        let parents = entry.lease.parents.iter();
        let (known, unknown): (Vec<_>, Vec<_>) =
            parents.map(|id| (id, self.leases.get(&*entry.lease.sibling(id)))).partition(|(_, lease)| lease.is_some());
        let have_ended = known.iter().all(|(_, parent)| parent.is_some_and(|parent| parent.lease.is_ended()))
            && unknown.iter().all(|(parent, _)| self.is_gone(key, parent));
        if !unknown.is_empty() {
            self.want_listed(key);
        }
        have_ended
    }

    /// The last listing of a lease's stream.
    fn listing_of(&self, key: &str) -> Option<&Listing> {
        self.listing(split_key(key).0)
    }

    fn listing(&self, stream: &str) -> Option<&Listing> {
        self.streams.get(stream)?.listing.as_ref()
    }

    /// Whether the last listing tells of the parents of this shard: it has the shard itself, or is younger than its lease.
    pub(super) fn has_listed(&self, key: &str) -> bool {
        let first_step = self.leases.get(key).map_or(u64::MAX, |entry| entry.first_step);
        self.listing_of(key)
            .is_some_and(|listing| listing.shards.contains_key(split_key(key).1) || listing.started_step > first_step)
    }

    /// Lists the shards soon, if the last listing tells nothing of the parents of this one.
    pub(super) fn want_listed(&mut self, key: &str) {
        if !self.has_listed(key)
            && let Some(stream) = self.streams.get_mut(split_key(key).0)
            && stream.list.started_step.is_none()
        {
            stream.list.hurry(self.now);
        }
    }

    /// Whether the stream has forgotten a parent of this shard.
    pub(super) fn is_gone(&self, key: &str, parent: &ShardId) -> bool {
        let is_listed = self.listing_of(key).is_some_and(|listing| listing.shards.contains_key(parent));
        let parent = lease_key(split_key(key).0, parent.as_str());
        self.has_listed(key) && !is_listed && !self.creating.contains_key(&*parent)
    }

    /// The hash keys of a shard, as last listed.
    pub(super) fn listed_range(&self, key: &str) -> Option<HashKeyRange> {
        Some(self.listing_of(key)?.shards.get(split_key(key).1)?.hash_range)
    }

    /// Asks for a new lease, unless that was done already.
    pub(super) fn create(&mut self, lease: Lease) {
        self.creating.entry(lease.key.clone()).or_insert_with(|| Creating {
            lease,
            is_in_flight: false,
            retry: Retry::default(),
        });
    }

    /// Sends the creations that are due.
    pub(super) fn create_due(&mut self) {
        for creating in self.creating.values_mut() {
            if !creating.is_in_flight && self.now >= creating.retry.not_before_ms {
                creating.is_in_flight = true;
                self.actions.push(super::Action::Create(creating.lease.clone()));
            }
        }
    }

    /// After the last of several creations the table is scanned: the new leases want owners.
    pub(super) fn created(&mut self, key: &str) {
        if self.creating.remove(key).is_some() && self.creating.is_empty() {
            self.scan.hurry(self.now);
        }
        self.advance_all();
    }
}
