//! What must be so, at any time or at rest.

use std::collections::BTreeSet;

use millstream_lease::Lease;

use super::world::{Happening, World};

impl World {
    /// One reader per shard, but for processes that stand still.
    pub(super) fn check_alone(&self, index: usize, key: &str) {
        for (other, node) in self.nodes.iter().enumerate() {
            let is_running = node.is_alive && node.paused_until < self.now;
            let is_reading = node.readers.contains_key(key);
            assert!(
                other == index || !is_running || !is_reading,
                "{key} is read by {} and {}",
                node.name,
                self.nodes[index].name
            );
        }
    }

    /// How many active leases each running worker owns.
    pub(crate) fn shares(&self) -> Vec<usize> {
        let table = self.table();
        let share = |node: usize| {
            let name = Some(self.nodes[node].name.as_str());
            table.iter().filter(|lease| !lease.is_ended() && lease.actual_owner() == name).count()
        };
        self.running().into_iter().map(share).collect()
    }

    pub(crate) fn check_at_rest(&self) {
        let table = self.table();
        let active: Vec<&Lease> = table.iter().filter(|lease| !lease.is_ended()).collect();
        let names: BTreeSet<&str> = self.running().into_iter().map(|node| self.nodes[node].name.as_str()).collect();
        for lease in &active {
            let has_owner = lease.owner.as_deref().is_some_and(|owner| names.contains(owner));
            assert!(has_owner && lease.checkpoint_owner.is_none(), "nobody reads {lease:?}");
        }
        for shard in self.stream.open_shards() {
            assert!(active.iter().any(|lease| lease.key == shard), "{shard} has no lease");
        }
        let shares = self.shares();
        let (most, least) = (shares.iter().max().unwrap(), shares.iter().min().unwrap());
        assert!(most - least <= 1, "uneven: {shares:?}");
        if !self.agenda.values().any(|happening| matches!(happening, Happening::Put)) {
            self.oracle.check_complete(&self.stream, &table);
        }
    }

    pub(crate) fn check_all_released(&self) {
        assert!(self.nodes.iter().all(|node| !node.is_alive), "a worker did not stop");
        let table = self.table();
        for lease in table.iter().filter(|lease| !lease.is_ended()) {
            assert_eq!(lease.actual_owner(), None, "{} was not released", lease.key);
        }
        self.oracle.check_complete(&self.stream, &table);
    }
}
