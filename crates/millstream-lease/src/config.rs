use millstream_kinesis::InitialPosition;

use crate::assignment::AssignmentConfig;
use crate::migration::MigrationConfig;

/// What a worker's coordinator is told. All times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct CoordinatorConfig {
    /// This worker's name: unique in the application.
    pub worker_id: String,
    /// How this worker shows that it lives.
    pub heartbeat: Heartbeat,
    /// A lease not renewed for so long is lost. The same for all workers of the application.
    pub failover_ms: u64,
    /// Between two renewals of a lease. `None`: two fifths of `failover_ms`. The KCL takes a third; since a renewal that fails is
    /// repeated at once, fewer are as safe, and what they cost less pays for quicker looks at the table.
    pub renew_interval_ms: Option<u64>,
    /// Between two looks at the lease table while something is not settled. When nothing has changed for `failover_ms`, half of it
    /// for each worker, and twice `failover_ms` at most: what all of them read together does not grow with their number.
    pub scan_interval_ms: u64,
    /// Between two looks at the stream's shards.
    pub shard_sync_ms: u64,
    /// This worker never takes more leases than these.
    pub max_leases: usize,
    /// How many leases are asked of other workers after one scan.
    pub max_leases_to_steal: usize,
    /// How long a worker that was asked for a lease may finish what it has read.
    pub handoff_timeout_ms: u64,
    /// How long a shutdown waits for what is being processed.
    pub shutdown_timeout_ms: u64,
    /// Between two checkpoints of one lease, unless something needs one at once.
    pub checkpoint_interval_ms: u64,
    /// Whether a fleet of KCL 3 workers on the same table is joined, where there is one: this worker then reports to it and
    /// takes the leases that its leader assigns. Without such a fleet each worker takes for itself.
    pub joins_fleet: bool,
    /// Whether this worker may lead such a fleet: it takes the leader's lock where nobody has it.
    pub may_lead: bool,
    /// What it does where such a fleet moves from KCL 2 to 3, or from three tables to one.
    pub migration: MigrationConfig,
    /// What it assigns by as the leader. The most leases of a worker are `max_leases`.
    pub assignment: AssignmentConfig,
    /// Whether the application reads several streams, which the coordinator is told of by
    /// [`Event::StreamsChanged`](crate::Event::StreamsChanged): lease keys name the stream then (see [`crate::lease_key`]).
    pub reads_several: bool,
    /// Leases of a stream that this worker is not told of, and that nobody reads, are deleted after so long. `None`: they stay,
    /// and a stream that is added again goes on where it was.
    pub former_streams_ms: Option<u64>,
    /// Where the shards of a new application of one stream start.
    pub initial: InitialPosition,
    /// The same as [`StreamStart::latest_since_ms`], of the one stream.
    pub latest_since_ms: Option<i64>,
}

/// How a worker shows that it lives. The same for all workers of the application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Heartbeat {
    /// It renews each of its leases, as the KCL does.
    #[default]
    Lease,
    /// One sign of life for all its leases: some hundredth of the writes, for fleets without workers of the KCL. The table is
    /// scanned when somebody tells of a change, and each `shard_sync_ms`.
    Worker,
}

/// Where a stream without leases starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamStart {
    /// The position.
    pub initial: InitialPosition,
    /// The moment that `LATEST` means for the leases this worker creates, in milliseconds since the epoch: when it was told of
    /// the stream, as its driver says. `None`: each reader's own, as for the KCL.
    pub latest_since_ms: Option<i64>,
}

impl CoordinatorConfig {
    /// The KCL's times, except that the table is scanned every second and leases move at once.
    pub fn new(worker_id: impl Into<String>, initial: InitialPosition) -> Self {
        CoordinatorConfig {
            worker_id: worker_id.into(),
            heartbeat: Heartbeat::default(),
            failover_ms: 10_000,
            renew_interval_ms: None,
            scan_interval_ms: 1_000,
            shard_sync_ms: 60_000,
            max_leases: usize::MAX,
            max_leases_to_steal: usize::MAX,
            handoff_timeout_ms: 30_000,
            shutdown_timeout_ms: 30_000,
            checkpoint_interval_ms: 10_000,
            joins_fleet: true,
            may_lead: true,
            migration: MigrationConfig::default(),
            assignment: AssignmentConfig::default(),
            reads_several: false,
            former_streams_ms: None,
            initial,
            latest_since_ms: None,
        }
    }

    /// How often a lease is renewed.
    pub(crate) fn renew_interval_ms(&self) -> u64 {
        self.renew_interval_ms.unwrap_or(self.failover_ms * 2 / 5)
    }

    /// How often a worker shows one sign of life for all its leases. It hears of the others by the answers.
    pub(crate) fn beat_interval_ms(&self) -> u64 {
        self.failover_ms / 3
    }

    /// Between two looks at a table in which nothing changes, for each of so many workers.
    pub(crate) fn settled_scan_interval_ms(&self, workers: usize) -> u64 {
        let shared = (self.scan_interval_ms / 2).saturating_mul(workers as u64);
        shared.min(2 * self.failover_ms).max(self.scan_interval_ms)
    }
}
