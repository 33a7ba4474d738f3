use std::collections::BTreeMap;

use super::{AssignableLease, Assignee, AssignmentConfig, AssignmentStrategy, Movability};
use crate::Throughput;

/// The metric where not all workers have one of their own: the weight of their leases, 100 being an even share (the KCL's `T`).
pub(super) const WEIGHT: &str = "T";
const EVEN: f64 = 100.0;

/// Sums of thirds and the like are not exact.
pub(super) const ROUNDING: f64 = 1e-6;

/// What a lease weighs at least, in KiB a second: what is measured of idle shards is noise.
const LEAST: f64 = 1.0;

fn weight(throughput: Throughput) -> f64 {
    throughput.kbps().max(LEAST)
}

/// Whether the leases differ by more than noise from one another.
pub(crate) fn is_measured(leases: &[AssignableLease]) -> bool {
    leases.iter().filter_map(|lease| lease.throughput).any(|throughput| throughput.kbps() > LEAST)
}

/// What a worker has, with what the plan gives and takes.
#[derive(Debug)]
pub(super) struct Load<'a> {
    pub(super) id: &'a str,
    /// By name: the value, and the highest that is good for the worker.
    pub(super) metrics: BTreeMap<&'a str, (f64, f64)>,
    pub(super) leases: usize,
    pub(super) weight: f64,
}

/// All workers, and what an even share is.
#[derive(Debug)]
pub(super) struct Loads<'a> {
    pub(super) workers: Vec<Load<'a>>,
    /// By metric, over the workers that have it.
    pub(super) averages: BTreeMap<&'a str, f64>,
    /// What each worker should have.
    target: f64,
    /// The weight of a lease of unknown throughput.
    mean: f64,
    is_counted: bool,
}

impl<'a> Loads<'a> {
    pub(super) fn new(workers: &'a [Assignee], leases: &[AssignableLease], config: &AssignmentConfig) -> Self {
        let is_counted = config.strategy == AssignmentStrategy::LeaseCount;
        let measured: Vec<f64> = leases.iter().filter_map(|lease| lease.throughput).map(weight).collect();
        let mean = if measured.is_empty() { LEAST } else { measured.iter().sum::<f64>() / measured.len() as f64 };
        let mut loads = Loads { workers: Vec::new(), averages: BTreeMap::new(), target: 0.0, mean, is_counted };
        let total: f64 = leases.iter().map(|lease| loads.weight(lease.throughput)).sum();
        loads.target = total / workers.len().max(1) as f64;
        let are_comparable = config.strategy == AssignmentStrategy::UtilisationAware
            && workers.iter().all(|worker| !worker.metrics.is_empty());
        for worker in workers {
            let owned = leases.iter().filter(|lease| {
                lease.owner.as_ref() == Some(&worker.id) && !matches!(lease.state, Movability::Free(_))
            });
            let (leases, weight) =
                owned.fold((0, 0.0), |(count, sum), lease| (count + 1, sum + loads.weight(lease.throughput)));
            let mut metrics: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
            if are_comparable {
                metrics
                    .extend(worker.metrics.iter().map(|(name, metric)| (name.as_str(), (metric.value, metric.limit))));
            }
            if !are_comparable {
                metrics.insert(WEIGHT, (loads.in_per_cent(weight), f64::INFINITY));
            }
            loads.workers.push(Load { id: &worker.id, metrics, leases, weight });
        }
        loads.averages = loads.averages();
        loads
    }

    fn averages(&self) -> BTreeMap<&'a str, f64> {
        let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for (name, (value, _)) in self.workers.iter().flat_map(|worker| &worker.metrics) {
            let (sum, count) = sums.entry(name).or_default();
            (*sum, *count) = (*sum + value, *count + 1.0);
        }
        let average = |name: &str, (sum, count)| if name == WEIGHT { EVEN } else { sum / count };
        sums.into_iter().map(|(name, sum)| (name, average(name, sum))).collect()
    }

    /// What a lease weighs.
    pub(super) fn weight(&self, throughput: Option<Throughput>) -> f64 {
        if self.is_counted { LEAST } else { throughput.map_or(self.mean, weight) }
    }

    fn in_per_cent(&self, weight: f64) -> f64 {
        if self.target > 0.0 { EVEN * weight / self.target } else { 0.0 }
    }

    /// By how much a metric grows with a weight: where a worker has an even share, its metrics should be average.
    fn growth(&self, metric: &str, weight: f64) -> f64 {
        let average = self.averages.get(metric).copied().unwrap_or_default();
        self.in_per_cent(weight) / EVEN * average
    }

    /// How much more a worker can take until one of its metrics is average, as a share of what it has.
    pub(super) fn headroom(&self, worker: &Load<'_>) -> f64 {
        let room = |(name, (value, _)): (&&str, &(f64, f64))| {
            let average = self.averages.get(name).copied().unwrap_or_default();
            if *value > 0.0 { (average - value) / value } else { f64::INFINITY }
        };
        worker.metrics.iter().map(room).fold(f64::INFINITY, f64::min)
    }

    /// The worker that should get the next lease, among those that may.
    pub(super) fn roomiest(&self, config: &AssignmentConfig, but: Option<usize>) -> Option<usize> {
        let may = |(at, worker): &(usize, &Load<'_>)| {
            Some(*at) != but
                && worker.leases < config.max_leases
                && (self.is_counted || worker.weight < config.max_throughput_kbps)
        };
        let order = |(_, one): &(usize, &Load<'_>), (_, other): &(usize, &Load<'_>)| {
            let rooms = self.headroom(other).total_cmp(&self.headroom(one));
            rooms.then(one.leases.cmp(&other.leases)).then(one.id.cmp(other.id))
        };
        self.workers.iter().enumerate().filter(may).min_by(order).map(|(at, _)| at)
    }

    /// Whether a lease of this weight is better with `to` than with `from`.
    pub(super) fn is_better(&self, weight: f64, from: usize, to: usize, threshold: f64) -> bool {
        let (from, to) = (&self.workers[from], &self.workers[to]);
        to.metrics.iter().all(|(name, (value, limit))| {
            let average = self.averages.get(name).copied().unwrap_or_default();
            let after = value + self.growth(name, weight);
            let before = from.metrics.get(name).filter(|_| *name == WEIGHT).map_or(0.0, |(value, _)| *value);
            // Never so that the two only change places.
            let margin = average * threshold.max(ROUNDING);
            after <= *limit && (after <= average || after + margin <= before)
        })
    }

    /// Gives a lease of this weight to a worker.
    pub(super) fn give(&mut self, to: usize, weight: f64) {
        self.change(to, weight, 1.0);
        self.workers[to].leases += 1;
    }

    /// Takes a lease of this weight from a worker.
    pub(super) fn take(&mut self, from: usize, weight: f64) {
        self.change(from, weight, -1.0);
        self.workers[from].leases = self.workers[from].leases.saturating_sub(1);
    }

    fn change(&mut self, worker: usize, weight: f64, sign: f64) {
        let growths: Vec<f64> = self.workers[worker].metrics.keys().map(|name| self.growth(name, weight)).collect();
        let worker = &mut self.workers[worker];
        worker.weight = (worker.weight + sign * weight).max(0.0);
        for ((value, _), growth) in worker.metrics.values_mut().zip(growths) {
            *value = (*value + sign * growth).max(0.0);
        }
    }
}
