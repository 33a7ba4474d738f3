//! Balance among workers of our own, without a leader: each makes the plan that a leader would make, and asks for what the
//! plan gives to it. Each plans with the leases in another order, so that two that join do not ask for the same ones; where they
//! do, one is refused, and plans anew.

use std::collections::BTreeMap;

use super::Coordinator;
use super::state::Operation;
use crate::assignment::{AssignableLease, Assignee, AssignmentConfig, is_measured, plan};
use crate::fleet::Utilisation;

/// Between two balancings by throughput, in failover times: throughput changes all the time, and each handoff is a pause.
const INTERVAL: u64 = 6;

#[derive(Debug, Default)]
pub(super) struct Balancing {
    /// As last seen.
    workers: Vec<String>,
    /// Workers have come or gone: until then each scan balances.
    hurried_until_ms: u64,
    due_ms: u64,
}

impl Coordinator {
    /// Asks other workers for what this one should have; `load` has the living workers.
    pub(super) fn even_out(&mut self, load: &BTreeMap<String, usize>) {
        let mut leases: Vec<AssignableLease> = self.assignable();
        self.seed.shuffle(&mut leases);
        let is_measured = is_measured(&leases);
        if is_measured && !self.is_balancing_due(load) {
            return;
        }
        // Without a leader's damping: each step is one after which no other is better. Counts do not waver.
        let config = AssignmentConfig {
            dampening_percent: 100,
            rebalance_threshold_percent: if is_measured {
                self.config.assignment.rebalance_threshold_percent
            } else {
                0
            },
            max_leases: self.config.max_leases,
            ..self.config.assignment.clone()
        };
        let assignee = |id: &String| Assignee { id: id.clone(), metrics: Utilisation::new() };
        let workers: Vec<Assignee> = load.keys().map(assignee).collect();
        let me = self.config.worker_id.clone();
        let mine = plan(&workers, &leases, &config, true).into_iter().filter(|assignment| assignment.to == me);
        for assignment in mine.take(self.config.max_leases_to_steal) {
            self.send(&assignment.key, Operation::RequestHandoff(me.clone()));
        }
    }

    fn is_balancing_due(&mut self, load: &BTreeMap<String, usize>) -> bool {
        let balancing = &mut self.balancing;
        if !balancing.workers.iter().eq(load.keys()) {
            balancing.workers = load.keys().cloned().collect();
            balancing.hurried_until_ms = self.now + self.config.failover_ms;
        }
        let is_due = self.now >= balancing.due_ms;
        if is_due {
            balancing.due_ms = self.now + INTERVAL * self.config.failover_ms;
        }
        is_due || self.now < balancing.hurried_until_ms
    }
}
