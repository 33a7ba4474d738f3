//! What is reported about the leases this worker reads.

use millstream_kinesis::{Checkpoint, ChildShard};

use super::Coordinator;
use crate::Lease;

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
        let Some(entry) = self.leases.get_mut(key) else {
            return;
        };
        let Some(hold) = &mut entry.hold else {
            return;
        };
        // Before the initial time there may be records in the children, too.
        let start = match entry.lease.checkpoint {
            Checkpoint::AtTimestamp => Checkpoint::AtTimestamp,
            _ => Checkpoint::TrimHorizon,
        };
        hold.children = Some(children.clone());
        if children.is_empty() {
            self.list.hurry(self.now);
        }
        for child in children {
            if !self.leases.contains_key(child.id.as_str()) {
                self.create(Lease::of_child(&child, start.clone()));
            }
        }
        self.advance(key);
    }
}
