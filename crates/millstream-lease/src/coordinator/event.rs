use std::collections::BTreeMap;

use millstream_kinesis::{Checkpoint, ChildShard, Shard};

use crate::fleet::Fleet;
use crate::{Lease, SessionAnswer, StreamStart};

/// What happened: time passed, the store or the stream answered, the program got on.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Time passed.
    Tick,
    /// Answer to `Scan`: all leases of the table.
    Scanned(Vec<Lease>),
    /// Answer to `Scan`: it failed.
    ScanFailed {
        /// Why, for people.
        reason: String,
    },
    /// The application's streams, by identifier: where several are read, before anything else and at each change.
    StreamsChanged(BTreeMap<String, StreamStart>),
    /// Answer to `ListShards`.
    ShardsListed {
        /// The stream, as it was asked for.
        stream: String,
        /// All its shards, closed ones too.
        shards: Vec<Shard>,
    },
    /// Answer to `ListShards`: it failed.
    ListFailed {
        /// The stream, as it was asked for.
        stream: String,
        /// Why, for people.
        reason: String,
    },
    /// Answer to `Create`: the lease exists, made now or before.
    Created {
        /// The lease.
        key: String,
    },
    /// Answer to `Renew`.
    Renewed {
        /// The lease.
        key: String,
        /// Its counter now.
        counter: u64,
    },
    /// Answer to `Renew`: another worker asked for the lease.
    HandoffRequested {
        /// The lease as stored.
        lease: Lease,
    },
    /// Answer to `Renew`: the worker that asked for the lease has withdrawn.
    NotWantedAnyMore {
        /// The lease as stored.
        lease: Lease,
    },
    /// Answer to `Take` and `Assign`: the lease is its new owner's, as given here.
    Taken(Lease),
    /// Answer to `RequestHandoff`: the owner will learn of it.
    HandoffAsked {
        /// The lease.
        key: String,
    },
    /// Answer to `WithdrawHandoff`: the lease stays with the old owner.
    HandoffWithdrawn {
        /// The lease.
        key: String,
    },
    /// Answer to `CompleteHandoff`: the lease belongs to the next owner.
    HandedOver {
        /// The lease.
        key: String,
    },
    /// Answer to `Release`: the lease has no owner.
    Released {
        /// The lease.
        key: String,
    },
    /// Answer to `WriteCheckpoint`: it is written.
    Checkpointed {
        /// The lease.
        key: String,
        /// Its counter now.
        counter: u64,
    },
    /// Answer to `Prepare`: it is written.
    Prepared {
        /// The lease.
        key: String,
        /// Its counter now.
        counter: u64,
    },
    /// Answer to `Delete`: the lease is gone.
    Deleted {
        /// The lease.
        key: String,
    },
    /// Answer to any operation on a lease: its condition was not met, the stored lease has moved on.
    Refused {
        /// The lease.
        key: String,
    },
    /// Answer to any operation on a lease: no answer, or an error. It may have been done or not.
    Failed {
        /// The lease.
        key: String,
        /// Why, for people.
        reason: String,
    },
    /// The program's outputs have succeeded for every record up to here. `ShardEnd`: for all of the shard.
    Processed {
        /// The lease.
        key: String,
        /// The last record.
        checkpoint: Checkpoint,
    },
    /// The program is about to checkpoint here: to be noted first.
    Prepare {
        /// The lease.
        key: String,
        /// The checkpoint that is to follow.
        pending: Checkpoint,
        /// What a successor is to know of it.
        state: Option<Vec<u8>>,
    },
    /// So much of a shard was processed since this was told last.
    BytesProcessed {
        /// The lease.
        key: String,
        /// The size of the records' data.
        bytes: u64,
    },
    /// What is processed is to be written now, without waiting for the checkpoint interval.
    Flush {
        /// The lease; `None`: all.
        key: Option<String>,
    },
    /// The shard's last record was read. It may not be processed yet.
    ReaderEnded {
        /// The lease.
        key: String,
        /// The shards made of this one; none when the shard itself is gone.
        children: Vec<ChildShard>,
    },
    /// After `StopReading { drain: true }`: nothing of the shard is in flight any more.
    Drained {
        /// The lease.
        key: String,
    },
    /// Answer to `LookAtFleet`.
    FleetSeen(Fleet),
    /// Answer to `LookAtFleet`: it failed.
    FleetFailed {
        /// Why, for people.
        reason: String,
    },
    /// Answer to `Report`: the row is written.
    Reported,
    /// Answer to `Report`: it failed.
    ReportFailed {
        /// Why, for people.
        reason: String,
    },
    /// Answer to `Retire`, whether it succeeded or not: a row that stays grows old.
    Retired,
    /// Answer to `Migrate`.
    Migrated {
        /// Whether the step was taken. Otherwise it failed, or somebody was faster: the next look tells.
        is_done: bool,
    },
    /// Answer to `TakeLead` and `KeepLead`: this worker leads.
    LeadTaken {
        /// The lock's version now.
        version: String,
    },
    /// Answer to `TakeLead` and `KeepLead`: another worker has the lock.
    LeadRefused,
    /// Answer to `TakeLead` and `KeepLead`: no answer, or an error.
    LeadFailed {
        /// Why, for people.
        reason: String,
    },
    /// Answer to `Resign`, whether it succeeded or not: a lock that stays grows old.
    Resigned,
    /// Answer to `WriteSession`.
    SessionWritten(SessionAnswer),
    /// Answer to `WriteSession`: no answer, or an error. It may have been done or not.
    SessionFailed {
        /// Why, for people.
        reason: String,
    },
    /// Stop, with all that is processed checkpointed and all leases released.
    Shutdown,
}
