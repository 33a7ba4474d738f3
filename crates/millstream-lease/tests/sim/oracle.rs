use std::collections::{BTreeMap, BTreeSet};

use millstream_kinesis::Checkpoint;
use millstream_lease::Lease;

use super::stream::Stream;

/// Knows what really happened, and fails the test when a worker writes what is not true.
#[derive(Default)]
pub(super) struct Oracle {
    processed: BTreeSet<u64>,
    /// Records up to here need not be read: the shard was started at `LATEST` behind them.
    skipped: BTreeMap<String, u64>,
    /// Who wrote a lease's last checkpoint: the process, not only its name.
    writers: BTreeMap<String, usize>,
}

impl Oracle {
    pub(super) fn processed(&mut self, records: &[u64]) {
        self.processed.extend(records);
    }

    pub(super) fn started(&mut self, key: &str, checkpoint: &Checkpoint, stream: &Stream) -> u64 {
        match checkpoint {
            Checkpoint::At(position) => position.sequence.as_str().parse().unwrap(),
            Checkpoint::Latest => {
                let last = stream.get(key).records.last().copied().unwrap_or(0);
                self.skipped.insert(key.to_owned(), last);
                last
            }
            _ => 0,
        }
    }

    /// A shard read from its beginning comes after its parents.
    pub(super) fn check_parents(key: &str, checkpoint: &Checkpoint, stream: &Stream, table: &[Lease]) {
        if *checkpoint == Checkpoint::TrimHorizon {
            for parent in &stream.get(key).parents {
                let lease = table.iter().find(|lease| lease.key == parent.as_str());
                let has_ended = lease.is_some_and(Lease::is_ended);
                assert!(has_ended, "{key} is read before its parent {parent} has ended: {lease:?}");
            }
        }
    }

    /// A checkpoint was written: `held` is the lease as the writer knew it.
    pub(super) fn check_checkpoint(
        &mut self,
        writer: (usize, &str),
        held: &Lease,
        before: &Lease,
        after: &Lease,
        stream: &Stream,
        table: &[Lease],
    ) {
        let key = &held.key;
        let (process, name) = writer;
        assert_eq!(before.actual_owner(), Some(name), "{key} checkpointed by a worker that does not own it");
        assert!(after.checkpoint >= before.checkpoint, "{key} goes back: {before:?} {after:?}");
        let last_writer = self.writers.insert(key.clone(), process);
        assert!(
            held.checkpoint == before.checkpoint || last_writer == Some(process),
            "{key}: {name} checkpoints from {}, another worker has already written {}",
            held.checkpoint,
            before.checkpoint
        );
        let skipped = self.skipped.get(key).copied().unwrap_or(0);
        let shard = stream.get(key);
        for record in shard.records.iter().filter(|record| **record > skipped) {
            let is_covered = super::node::at(*record) <= after.checkpoint;
            let is_processed = self.processed.contains(record);
            assert!(!is_covered || is_processed, "{key}: record {record} is lost by {}", after.checkpoint);
        }
        if after.is_ended() {
            assert!(!shard.children.is_empty(), "{key} is open, but was ended");
            assert_eq!(after.children, shard.children);
            for child in &shard.children {
                let has_lease = table.iter().any(|lease| lease.key == child.as_str());
                assert!(has_lease, "{key} ended before its child {child} had a lease");
            }
        }
    }

    /// In the end every record is processed and checkpointed.
    pub(super) fn check_complete(&self, stream: &Stream, table: &[Lease]) {
        for (key, shard) in stream.all() {
            let Some(lease) = table.iter().find(|lease| lease.key == *key) else {
                continue;
            };
            if !shard.children.is_empty() {
                assert!(lease.is_ended(), "{key} is closed and was not read to its end: {lease:?}");
            }
            let skipped = self.skipped.get(key).copied().unwrap_or(0);
            for record in shard.records.iter().filter(|record| **record > skipped) {
                assert!(self.processed.contains(record), "{key}: record {record} was never processed");
                assert!(super::node::at(*record) <= lease.checkpoint, "{key}: {record} is not written: {lease:?}");
            }
        }
    }
}
