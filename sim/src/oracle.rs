//! Knows what really happened, and says so when a worker does what it must never do.

use std::collections::BTreeMap;

use millstream_kinesis::Checkpoint;
use millstream_lease::Lease;

use crate::fleet::Rows;
use crate::streams::{EPOCH_MS, Fate, Streams};
use crate::world::is_peer;

/// How long two processes may read one shard after the lease has changed hands: the failover time, and what clocks differ.
const OVERLAP_MS: u64 = 12_000;

/// From a leader's look at the fleet to its assignment: an answer and a call on their way.
const ASSIGNING_MS: u64 = 100;

/// What is watched.
#[derive(Debug)]
pub(crate) struct Oracle {
    /// Whether records of a key must come in order: not where a program goes on after a failure.
    is_ordered: bool,
    /// By key: how many of its records were processed or skipped, in order.
    frontier: Vec<usize>,
    /// By shard: how many of its records lie before its checkpoint and are all processed.
    covered: BTreeMap<String, usize>,
    /// The process that took a lease last; none, where it was dead by then: one of the same name finds that it has the lease.
    holders: BTreeMap<String, Option<usize>>,
    /// Who may read a shard, and since when.
    readers: BTreeMap<String, (Option<String>, u64)>,
    /// When a lease was assigned by a leader, and not taken yet.
    assigned: BTreeMap<String, u64>,
    /// Records processed more than once.
    pub(crate) repeated: u64,
    pub(crate) handoffs: u64,
    pub(crate) takes: u64,
    pub(crate) violation: Option<String>,
}

/// A write to a lease that was carried out.
pub(crate) struct Write<'a> {
    pub(crate) process: usize,
    /// Whether it lives, now that its call is carried out.
    pub(crate) lives: bool,
    /// What its clock of the day shows too much.
    pub(crate) skew_ms: i64,
    pub(crate) name: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) key: &'a str,
    pub(crate) before: Option<&'a Lease>,
    pub(crate) after: Option<&'a Lease>,
}

impl Oracle {
    pub(crate) fn new(keys: usize, is_ordered: bool) -> Self {
        Oracle {
            is_ordered,
            frontier: vec![0; keys],
            covered: BTreeMap::new(),
            holders: BTreeMap::new(),
            readers: BTreeMap::new(),
            assigned: BTreeMap::new(),
            repeated: 0,
            handoffs: 0,
            takes: 0,
            violation: None,
        }
    }

    fn require(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds && self.violation.is_none() {
            self.violation = Some(otherwise());
        }
    }

    /// Outputs have succeeded.
    pub(crate) fn processed(&mut self, name: &str, records: &[u64], streams: &mut Streams) {
        for number in records {
            let Some(record) = streams.records.get_mut(*number as usize) else {
                self.require(false, || format!("{name} has processed record {number}, which was never put"));
                return;
            };
            if record.fate == Fate::Processed {
                self.repeated += 1;
                continue;
            }
            let (key, was_skipped) = (record.key, record.fate == Fate::Skipped);
            record.fate = Fate::Processed;
            let numbers = &streams.keys[key];
            let frontier = &mut self.frontier[key];
            while numbers.get(*frontier).is_some_and(|number| streams.records[*number].fate != Fate::Wanted) {
                *frontier += 1;
            }
            let first = numbers.get(*frontier).copied();
            let is_next = first.is_none_or(|first| first > *number as usize);
            self.require(is_next || was_skipped || !self.is_ordered, || {
                format!("{name} has processed record {number} of key {key} before record {first:?}")
            });
        }
    }

    /// A lease was written.
    pub(crate) fn wrote(&mut self, write: &Write<'_>, now_ms: u64, streams: &mut Streams, rows: &[Lease]) {
        self.watch_owners(write, now_ms);
        let (key, name) = (write.key, write.name);
        let Some(after) = write.after else {
            self.check_deletion(write, rows, streams);
            return;
        };
        match write.before {
            None => self.created(after, write.skew_ms, now_ms, streams),
            Some(before) => {
                self.require(after.checkpoint >= before.checkpoint, || {
                    format!("{key}: the checkpoint goes back from {} to {}", before.checkpoint, after.checkpoint)
                });
            }
        }
        if write.operation != "checkpoint" {
            return;
        }
        let owner = self.readers.get(key).and_then(|reader| reader.0.clone());
        self.require(owner.as_deref() == Some(name), || {
            format!("{key}: {name} writes the checkpoint {}, but the owner is {owner:?}", after.checkpoint)
        });
        let holder = self.holders.get(key).copied();
        self.require(holder.is_some_and(|holder| holder.is_none_or(|holder| holder == write.process)), || {
            format!("{key}: process {} writes a checkpoint, but process {holder:?} has taken the lease", write.process)
        });
        self.check_covered(key, &after.checkpoint, streams);
        if after.is_ended() {
            self.check_end(after, rows, streams);
        }
    }

    /// Who may read now: who has taken the lease last, whatever a Java worker has left of an older handoff in the row.
    fn watch_owners(&mut self, write: &Write<'_>, now_ms: u64) {
        self.assigned.remove(write.key);
        if write.operation == "assign" {
            self.assigned.insert(write.key.to_owned(), now_ms);
        }
        let owner = |row: Option<&Lease>| row.and_then(Lease::actual_owner).map(str::to_owned);
        if write.operation == "take" {
            self.takes += 1;
            self.readers.insert(write.key.to_owned(), (Some(write.name.to_owned()), now_ms));
            self.holders.insert(write.key.to_owned(), write.lives.then_some(write.process));
        } else if owner(write.before) != owner(write.after) {
            self.readers.insert(write.key.to_owned(), (owner(write.after), now_ms));
            self.holders.remove(write.key);
        }
        self.handoffs += u64::from(write.operation == "request_handoff");
    }

    /// `LATEST` says which records are not wanted: those before that moment, by the writer's clock and by the right one.
    fn created(&mut self, lease: &Lease, skew_ms: i64, now_ms: u64, streams: &mut Streams) {
        if lease.checkpoint == Checkpoint::Latest {
            let since = lease.latest_since_ms.map_or(EPOCH_MS + now_ms as i64, |since| since.max(since - skew_ms));
            streams.skip_before(&lease.key, since);
        }
        let is_child = !streams.shards[&lease.key].parents.is_empty();
        let parents_are_read = self.covered.keys().any(|shard| streams.shards[&lease.key].parents.contains(shard));
        self.require(lease.checkpoint != Checkpoint::Latest || !is_child || !parents_are_read, || {
            format!("{}: the child of a shard that is read starts at LATEST", lease.key)
        });
    }

    fn check_covered(&mut self, key: &str, checkpoint: &Checkpoint, streams: &Streams) {
        let numbers = &streams.shards[key].records;
        let covered = self.covered.entry(key.to_owned()).or_default();
        let mut lost = None;
        while let Some(number) = numbers.get(*covered) {
            let record = &streams.records[*number];
            if Checkpoint::At(record.position.clone()) > *checkpoint {
                break;
            }
            if record.fate == Fate::Wanted {
                lost = Some(*number);
                break;
            }
            *covered += 1;
        }
        self.require(lost.is_none(), || {
            format!("{key}: the checkpoint {checkpoint} is behind record {lost:?}, which is not processed")
        });
    }

    fn check_end(&mut self, ended: &Lease, rows: &[Lease], streams: &Streams) {
        let children = &streams.shards[&ended.key].children;
        self.require(!children.is_empty(), || format!("{}: SHARD_END of an open shard", ended.key));
        for child in children {
            let has_lease = rows.iter().any(|row| row.key == *child);
            self.require(has_lease, || format!("{}: SHARD_END before the child {child} has a lease", ended.key));
        }
    }

    fn check_deletion(&mut self, write: &Write<'_>, rows: &[Lease], streams: &Streams) {
        let Some(before) = write.before else { return };
        self.require(before.is_ended(), || format!("{}: the lease of a shard that is read was deleted", write.key));
        for child in &streams.shards[write.key].children {
            let row = rows.iter().find(|row| row.key == *child);
            // Its own lease may be gone already, after it was read to its end.
            let was_read = self.covered.contains_key(child);
            self.require(was_read || row.is_some_and(|row| !row.is_untouched()), || {
                format!("{}: deleted before its child {child} is read: {row:?}", write.key)
            });
        }
    }

    /// A process reads a shard. `runs_since_ms`: since when it has not stood still.
    pub(crate) fn reads(&mut self, name: &str, shard: &str, now_ms: u64, runs_since_ms: u64) {
        let Some((owner, since_ms)) = self.readers.get(shard).cloned() else { return };
        let overlap_ms = now_ms.saturating_sub(since_ms.max(runs_since_ms));
        self.require(owner.as_deref() == Some(name) || overlap_ms <= OVERLAP_MS, || {
            format!("{name} still reads {shard} {overlap_ms} ms after it became {owner:?}'s")
        });
    }

    /// In the end every record is processed, and every lease says so.
    pub(crate) fn check_complete(&mut self, streams: &Streams, rows: &[Lease]) {
        for (id, shard) in &streams.shards {
            let row = rows.iter().find(|row| row.key == *id);
            let lost = shard.records.iter().find(|number| streams.records[**number].fate == Fate::Wanted);
            self.require(lost.is_none(), || {
                let put_ms = lost.map(|number| streams.records[*number].put_ms);
                format!("{id}: record {lost:?}, put at {put_ms:?}, was never processed; its lease: {row:?}")
            });
            let last = shard.records.iter().rev().find(|number| streams.records[**number].fate == Fate::Processed);
            let Some(row) = row else { continue };
            if !shard.children.is_empty() {
                self.require(row.is_ended(), || format!("{id} is closed, but its lease is {row:?}"));
            }
            let is_written =
                last.is_none_or(|last| Checkpoint::At(streams.records[*last].position.clone()) <= row.checkpoint);
            self.require(is_written, || format!("{id}: record {last:?} is processed, but its lease is {row:?}"));
        }
    }

    /// Every open shard has a living owner.
    pub(crate) fn check_owned(&mut self, streams: &Streams, rows: &[Lease], living: &[&str]) {
        for shard in streams.open_shards() {
            let row = rows.iter().find(|row| row.key == shard);
            let reader = self.readers.get(&shard).and_then(|reader| reader.0.as_deref());
            let is_owned = row.is_some() && reader.is_some_and(|reader| living.contains(&reader));
            self.require(is_owned, || format!("{shard}: nobody who lives reads it: {row:?}"));
        }
    }

    /// After a shutdown of all no lease has an owner, but one that a leader has assigned while its owner took its row back.
    pub(crate) fn check_released(&mut self, rows: &[Lease], fleet: &Rows) {
        for row in rows.iter().filter(|row| !row.is_ended()) {
            // A peer gives nothing back, nor does it end a handoff that a worker has asked it for before it died.
            let of_peer = |owner: &Option<String>| owner.as_deref().is_some_and(is_peer);
            let is_given_back = row.actual_owner().is_none() || of_peer(&row.owner) || of_peer(&row.checkpoint_owner);
            let retired_ms = row.owner.as_deref().and_then(|owner| fleet.retired_ms(owner));
            let is_just_assigned =
                self.assigned.get(&row.key).zip(retired_ms).is_some_and(|(assigned_ms, retired_ms)| {
                    (retired_ms..=retired_ms + ASSIGNING_MS).contains(assigned_ms)
                });
            self.require(is_given_back || is_just_assigned, || format!("not released: {row:?}"));
        }
    }

    /// Where nothing goes wrong, nothing is processed twice.
    pub(crate) fn check_repeated(&mut self, is_faulty: bool) {
        let repeated = self.repeated;
        self.require(is_faulty || repeated == 0, || {
            format!("{repeated} records were processed once more for no reason")
        });
    }

    pub(crate) fn fail(&mut self, text: String) {
        self.require(false, || text);
    }
}
