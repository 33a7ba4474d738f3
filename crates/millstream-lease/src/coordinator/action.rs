use millstream_kinesis::{Checkpoint, HashKeyRange, InitialPosition, ShardId};

use crate::fleet::{Layout, LeaderLock};
use crate::migration::MigrationStep;
use crate::{Lease, SessionWrite};

/// What the driver is to do. Leases are given as this worker knows them: the store's conditions need that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// [`LeaseStore::scan`](crate::LeaseStore::scan), answered by `Scanned` or `ScanFailed`.
    Scan,
    /// List a stream's shards, answered by `ShardsListed` or `ListFailed`.
    ListShards {
        /// Its identifier; empty for the only stream of an application.
        stream: String,
    },
    /// [`LeaseStore::create`](crate::LeaseStore::create), answered by `Created` or `Failed`.
    Create(Lease),
    /// [`LeaseStore::renew`](crate::LeaseStore::renew), answered by `Renewed`, `HandoffRequested`, `NotWantedAnyMore`, `Refused` or
    /// `Failed`.
    Renew(Lease),
    /// [`LeaseStore::take`](crate::LeaseStore::take), answered by `Taken`, `Refused` or `Failed`.
    Take(Lease),
    /// [`LeaseStore::request_handoff`](crate::LeaseStore::request_handoff), answered by `HandoffAsked`, `Refused` or `Failed`.
    RequestHandoff {
        /// The lease.
        lease: Lease,
        /// The worker that is to have it.
        to: String,
    },
    /// As the leader: [`LeaseStore::take`](crate::LeaseStore::take) for another worker, answered by `Taken`, `Refused` or `Failed`.
    Assign {
        /// The lease.
        lease: Lease,
        /// The worker that is to have it.
        to: String,
    },
    /// [`LeaseStore::complete_handoff`](crate::LeaseStore::complete_handoff), answered by `HandedOver`, `Refused` or `Failed`.
    CompleteHandoff(Lease),
    /// [`LeaseStore::withdraw_handoff`](crate::LeaseStore::withdraw_handoff), answered by `HandoffWithdrawn`, `Refused` or `Failed`.
    WithdrawHandoff(Lease),
    /// [`LeaseStore::release`](crate::LeaseStore::release), answered by `Released`, `Refused` or `Failed`.
    Release(Lease),
    /// [`LeaseStore::delete`](crate::LeaseStore::delete), answered by `Deleted`, `Refused` or `Failed`.
    Delete(Lease),
    /// [`LeaseStore::checkpoint`](crate::LeaseStore::checkpoint), answered by `Checkpointed`, `Refused` or `Failed`.
    WriteCheckpoint {
        /// The lease.
        lease: Lease,
        /// How far its shard is processed.
        checkpoint: Checkpoint,
        /// At the shard's end: the shards made of it.
        children: Vec<ShardId>,
    },
    /// [`LeaseStore::prepare`](crate::LeaseStore::prepare), answered by `Prepared`, `Refused` or `Failed`.
    Prepare {
        /// The lease.
        lease: Lease,
        /// The checkpoint that is to follow.
        pending: Checkpoint,
        /// What a successor is to know of it.
        state: Option<Vec<u8>>,
    },
    /// [`FleetStore::look`](crate::store::FleetStore::look), answered by `FleetSeen` or `FleetFailed`.
    LookAtFleet,
    /// [`FleetStore::report`](crate::store::FleetStore::report), answered by `Reported` or `ReportFailed`.
    Report(Layout),
    /// [`FleetStore::retire`](crate::store::FleetStore::retire), answered by `Retired`.
    Retire(Layout),
    /// [`FleetStore::migrate`](crate::store::FleetStore::migrate), answered by `Migrated`.
    Migrate {
        /// What is to be done.
        step: MigrationStep,
        /// Where the fleet's rows are kept.
        layout: Layout,
    },
    /// [`FleetStore::take_lead`](crate::store::FleetStore::take_lead), answered by `LeadTaken`, `LeadRefused` or `LeadFailed`.
    TakeLead {
        /// The lock as seen; `None`: there is none.
        seen: Option<LeaderLock>,
        /// Where it is kept.
        layout: Layout,
    },
    /// [`FleetStore::keep_lead`](crate::store::FleetStore::keep_lead), answered as `TakeLead`.
    KeepLead {
        /// The lock's version.
        version: String,
        /// Where it is kept.
        layout: Layout,
    },
    /// [`FleetStore::resign`](crate::store::FleetStore::resign), answered by `Resigned`.
    Resign {
        /// The lock's version.
        version: String,
        /// Where it is kept.
        layout: Layout,
    },
    /// [`LeaseStore::write_session`](crate::LeaseStore::write_session), answered by `SessionWritten` or `SessionFailed`.
    WriteSession(SessionWrite),
    /// Start to read a shard.
    StartReading {
        /// The lease.
        key: String,
        /// Read what follows.
        checkpoint: Checkpoint,
        /// What a checkpoint that is no record's stands for: `LATEST` is the moment when the application began, whoever reads
        /// the shard, and however late.
        initial: InitialPosition,
        /// The hash keys the shard takes, where known.
        hash_range: Option<HashKeyRange>,
    },
    /// Stop to read a shard.
    StopReading {
        /// The lease.
        key: String,
        /// `true`: finish what is in flight, then report `Drained`. `false`: the lease is gone or done; drop
        /// everything of it, report nothing.
        drain: bool,
    },
    /// The shutdown is complete: nothing is held, nothing in flight.
    Done,
}
