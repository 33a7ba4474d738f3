use super::load::{Loads, ROUNDING};
use super::{AssignableLease, Assignee, Assignment, AssignmentConfig, Movability};

/// Gives every free lease to a worker, as far as there is room; with `balances`, moves leases from workers that have too
/// much to those that have too little.
pub fn plan(
    workers: &[Assignee],
    leases: &[AssignableLease],
    config: &AssignmentConfig,
    balances: bool,
) -> Vec<Assignment> {
    let mut plan = Plan { leases, config, loads: Loads::new(workers, leases, config), assignments: Vec::new() };
    plan.assign_free();
    if balances {
        plan.balance();
    }
    plan.assignments
}

struct Plan<'a> {
    leases: &'a [AssignableLease],
    config: &'a AssignmentConfig,
    loads: Loads<'a>,
    assignments: Vec<Assignment>,
}

impl<'a> Plan<'a> {
    fn assign_free(&mut self) {
        let since = |lease: &&AssignableLease| match lease.state {
            Movability::Free(since) => Some(since),
            _ => None,
        };
        let mut free: Vec<&AssignableLease> = self.leases.iter().filter(|lease| since(lease).is_some()).collect();
        free.sort_by_key(|lease| (since(lease), &lease.key));
        for lease in free {
            let Some(to) = self.loads.roomiest(self.config, None) else { return };
            self.assign(lease, to);
        }
    }

    fn assign(&mut self, lease: &AssignableLease, to: usize) {
        let weight = self.loads.weight(lease.throughput);
        self.loads.give(to, weight);
        self.assignments.push(Assignment { key: lease.key.clone(), to: self.loads.workers[to].id.to_owned() });
    }

    fn balance(&mut self) {
        let threshold = f64::from(self.config.rebalance_threshold_percent) / 100.0;
        for (from, amount) in self.outliers(threshold) {
            for lease in self.chosen(from, amount) {
                let weight = self.loads.weight(lease.throughput);
                let to = self.loads.roomiest(self.config, Some(from));
                let Some(to) = to.filter(|to| self.loads.is_better(weight, from, *to, threshold)) else { return };
                self.loads.take(from, weight);
                self.assign(lease, to);
            }
        }
    }

    /// The workers to take from, and how much of the weight of each, by the metric that moves the most. The most comes first.
    fn outliers(&self, threshold: f64) -> Vec<(usize, f64)> {
        let by_metric = self.loads.averages.iter().map(|(name, average)| self.outliers_by(name, *average, threshold));
        let total = |outliers: &Vec<(usize, f64)>| outliers.iter().map(|(_, amount)| amount).sum::<f64>();
        let mut most = by_metric.max_by(|one, other| total(one).total_cmp(&total(other))).unwrap_or_default();
        most.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        most
    }

    fn outliers_by(&self, metric: &str, average: f64, threshold: f64) -> Vec<(usize, f64)> {
        let (low, high) = (average * (1.0 - threshold), average * (1.0 + threshold));
        let workers = self.loads.workers.iter().enumerate();
        let measured: Vec<_> = workers.filter_map(|(at, worker)| Some((at, *worker.metrics.get(metric)?))).collect();
        let is_far = |(value, limit): (f64, f64)| value < low || value > high || value > limit;
        if !measured.iter().any(|(_, metric)| is_far(*metric)) {
            return Vec::new();
        }
        let is_high = |(value, limit): (f64, f64)| value >= high || value > limit;
        let mut givers: Vec<_> = measured.iter().filter(|(_, metric)| is_high(*metric)).collect();
        if givers.is_empty() {
            givers.extend(measured.iter().max_by(|(_, (one, _)), (_, (other, _))| one.total_cmp(other)));
        }
        let dampening = f64::from(self.config.dampening_percent) / 100.0;
        let amount = |at: usize, value: f64| self.loads.workers[at].weight * dampening * (value - average) / value;
        let amounts = givers.into_iter().filter(|(_, (value, _))| *value > average);
        amounts.map(|(at, (value, _))| (*at, amount(*at, *value))).collect()
    }

    /// Leases of a worker that weigh no more than `amount` together, the heaviest first, equal ones in the order given.
    fn chosen(&self, worker: usize, amount: f64) -> Vec<&'a AssignableLease> {
        let id = self.loads.workers[worker].id;
        let weight = |lease: &AssignableLease| self.loads.weight(lease.throughput);
        let is_movable =
            |lease: &&AssignableLease| lease.state == Movability::Movable && lease.owner.as_deref() == Some(id);
        let mut movable: Vec<&AssignableLease> = self.leases.iter().filter(is_movable).collect();
        movable.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
        let mut rest = amount + ROUNDING;
        let mut chosen = Vec::new();
        for lease in &movable {
            if weight(lease) <= rest {
                rest -= weight(lease);
                chosen.push(*lease);
            }
        }
        if chosen.is_empty() && self.config.allow_overshoot {
            chosen.extend(movable.pop());
        }
        chosen
    }
}
