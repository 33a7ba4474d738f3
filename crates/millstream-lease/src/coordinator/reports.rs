//! What is reported about the leases this worker reads.

use millstream_kinesis::{Checkpoint, ChildShard, ShardId};

use super::Coordinator;
use crate::{Lease, lease_key, split_key};

impl Coordinator {
    pub(super) fn processed(&mut self, key: &str, checkpoint: Checkpoint) {
        let Some(hold) = self.held_mut(key) else {
            return;
        };
        if checkpoint == Checkpoint::ShardEnd {
            hold.is_finished = true;
        } else if hold.processed.as_ref().is_none_or(|before| *before < checkpoint) {
            hold.processed = Some(checkpoint);
        }
        self.advance(key);
    }

    pub(super) fn prepare(&mut self, key: &str, pending: Checkpoint, state: Option<Vec<u8>>) {
        if let Some(hold) = self.held_mut(key) {
            hold.prepare = Some((pending, state));
            self.advance(key);
        }
    }

    pub(super) fn bytes_processed(&mut self, key: &str, bytes: u64) {
        if let Some(hold) = self.held_mut(key) {
            hold.bytes += bytes;
        }
    }

    pub(super) fn flush(&mut self, key: Option<&str>) {
        for (found, entry) in &mut self.leases {
            if let Some(hold) = &mut entry.hold
                && key.is_none_or(|key| key == found)
            {
                hold.flush_to = hold.processed.clone();
            }
        }
        self.advance_all();
    }

    /// The shard is read to its end: its children get leases, before the end is written.
    pub(super) fn reader_ended(&mut self, key: &str, children: Vec<ChildShard>) {
        let Some(hold) = self.held_mut(key) else {
            return;
        };
        hold.children = Some(children.clone());
        hold.deferred.clone_from(&children);
        if children.is_empty()
            && let Some(stream) = self.streams.get_mut(split_key(key).0)
        {
            stream.list.hurry(self.now);
        }
        self.advance(key);
    }

    /// Creates the leases of an ended shard's children. That of a merged shard waits until its other parent has a lease, too:
    /// a worker of the KCL takes a parent without one for a shard that was read long ago (KCL `ShutdownTask`).
    pub(super) fn create_children(&mut self, key: &str) {
        let Some(entry) = self.leases.get_mut(key) else {
            return;
        };
        // Before the initial time there may be records in the children, too.
        let start = match entry.lease.checkpoint {
            Checkpoint::AtTimestamp => Checkpoint::AtTimestamp,
            _ => Checkpoint::TrimHorizon,
        };
        let Some(deferred) = entry.hold.as_mut().map(|hold| std::mem::take(&mut hold.deferred)) else {
            return;
        };
        let stream = split_key(key).0;
        let (missing, ready): (Vec<_>, Vec<_>) =
            deferred.into_iter().partition(|child| self.lacks_a_parent(stream, child));
        for child in ready {
            let key = lease_key(stream, child.id.as_str()).into_owned();
            if !self.leases.contains_key(&key) {
                self.create(Lease { key, ..Lease::of_child(&child, start.clone()) });
            }
        }
        if let Some(hold) = self.held_mut(key) {
            hold.deferred = missing;
        }
    }

    /// Whether a shard without a lease has a parent without one that the stream still lists.
    fn lacks_a_parent(&mut self, stream: &str, child: &ChildShard) -> bool {
        let key = lease_key(stream, child.id.as_str());
        if self.leases.contains_key(&*key) {
            return false;
        }
        let is_known = |parent: &ShardId| self.leases.contains_key(&*lease_key(stream, parent.as_str()));
        let lacks = child.parents.iter().any(|parent| !is_known(parent) && !self.is_gone(&key, parent));
        if lacks {
            self.want_listed(&key);
        }
        lacks
    }
}
