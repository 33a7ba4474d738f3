//! Which leases to create from the list of a stream's shards.
//!
//! The rules are those of the KCL's `HierarchicalShardSyncer`, with one difference: the initial position
//! holds for a fresh table only. What is found later starts at its oldest record, so that nothing is lost.

use std::collections::{BTreeMap, BTreeSet};

use millstream_kinesis::{Checkpoint, InitialPosition, Shard, ShardId};

use crate::Lease;

/// The leases to create now, in the order of their keys, which are the shards' ids: of one stream, whose `leases` are given by shard.
///
/// * A shard starts after its parents have ended, so of each line only the oldest missing shard gets a lease;
///   its children get theirs when it has been read to its end.
/// * With the initial position `LATEST` a fresh table gets the open shards alone, and those that this worker has
///   seen open since (`were_open`): what they got since that moment is wanted. A shard with an ancestor that has a
///   lease never starts at `LATEST`, nor does one found after the start.
/// * A lease that waits for its parents makes sure that these have leases.
pub fn missing_leases(
    shards: &BTreeMap<ShardId, Shard>,
    leases: &BTreeMap<&str, &Lease>,
    initial: InitialPosition,
    were_open: &BTreeSet<ShardId>,
) -> Vec<Lease> {
    let mut search = Search {
        shards,
        leases,
        were_open,
        start: start_position(shards, leases, initial),
        visited: BTreeSet::new(),
        missing: BTreeMap::new(),
    };
    for shard in shards.values().filter(|shard| !shard.is_closed()) {
        search.visit(shard);
    }
    for lease in leases.values().filter(|lease| waits_for_parents(lease)) {
        for parent in lease.parents.iter().filter_map(|id| shards.get(id)) {
            search.visit(parent);
        }
    }
    search.missing.into_values().collect()
}

/// Whether the lease's shard is to be read from its beginning, after its parents.
pub(crate) fn waits_for_parents(lease: &Lease) -> bool {
    matches!(lease.checkpoint, Checkpoint::TrimHorizon | Checkpoint::AtTimestamp)
}

/// The initial position, as long as the table is fresh: all its shards are still listed and none is read.
fn start_position(
    shards: &BTreeMap<ShardId, Shard>,
    leases: &BTreeMap<&str, &Lease>,
    initial: InitialPosition,
) -> Checkpoint {
    let is_fresh = leases.values().all(|lease| lease.is_untouched() && shards.contains_key(lease.shard()));
    match initial {
        InitialPosition::Latest if !is_fresh => Checkpoint::TrimHorizon,
        _ => initial.checkpoint(),
    }
}

struct Search<'a> {
    shards: &'a BTreeMap<ShardId, Shard>,
    leases: &'a BTreeMap<&'a str, &'a Lease>,
    were_open: &'a BTreeSet<ShardId>,
    start: Checkpoint,
    visited: BTreeSet<&'a ShardId>,
    missing: BTreeMap<&'a ShardId, Lease>,
}

impl<'a> Search<'a> {
    /// Finds the leases that are needed to read this shard.
    fn visit(&mut self, shard: &'a Shard) {
        if self.leases.contains_key(shard.id.as_str()) || !self.visited.insert(&shard.id) {
            return;
        }
        let at_latest = self.start == Checkpoint::Latest && !self.has_leased_ancestor(shard);
        let mut is_first = true;
        for parent in &shard.parents {
            if let Some(lease) = self.leases.get(parent.as_str()) {
                is_first &= lease.is_ended();
            } else if let Some(parent) = self.shards.get(parent)
                && !(at_latest && parent.is_closed() && !self.were_open.contains(&parent.id))
            {
                self.visit(parent);
                is_first = false;
            }
        }
        if is_first {
            let checkpoint = match self.start {
                Checkpoint::Latest if !at_latest => Checkpoint::TrimHorizon,
                ref start => start.clone(),
            };
            self.missing.insert(&shard.id, Lease::of_shard(shard, checkpoint));
        }
    }

    fn has_leased_ancestor(&self, shard: &Shard) -> bool {
        let mut seen = BTreeSet::new();
        let mut line: Vec<&ShardId> = shard.parents.iter().collect();
        while let Some(id) = line.pop() {
            if self.leases.contains_key(id.as_str()) {
                return true;
            }
            if seen.insert(id)
                && let Some(ancestor) = self.shards.get(id)
            {
                line.extend(&ancestor.parents);
            }
        }
        false
    }
}
