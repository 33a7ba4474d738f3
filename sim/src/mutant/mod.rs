//! Safety rules broken on purpose, to show that the simulation sees it. They are broken where a worker meets the world: in
//! the answers of the table and of Kinesis, on the wire, or in the program; nothing of it is in the shipped crates.

mod kinesis;
mod table;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use millstream_kinesis::Kinesis;
use millstream_kinesis::testing::FakeKinesis;
use millstream_lease::{LeaseStore, MemoryLeaseStore};

/// Writes the enum, its list, and what each breaks, in one place.
macro_rules! mutants {
    ($($name:ident: $rule:literal,)*) => {
        /// A rule that is broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Mutant {
            $(#[doc = $rule] $name,)*
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &[Mutant] = &[$(Mutant::$name,)*];

            /// What it breaks.
            pub fn rule(self) -> &'static str {
                match self {
                    $(Mutant::$name => $rule,)*
                }
            }
        }
    };
}

mutants! {
    UnconditionalCheckpoint: "a checkpoint is written only where the counter is the one that the writer left",
    UnconditionalRenewal: "a renewal is refused once the lease was taken by another worker",
    AssumedRenewal: "a worker that can't renew for the failover time stops by itself",
    AssumedSession: "a worker whose session was ended, or that can't show a sign of life for the failover time, stops by itself",
    SessionsNeverEnd: "the session of a worker that shows no sign of life is ended, and its leases are taken",
    UnconditionalCreation: "a lease that is there is not created once more",
    UnconditionalTake: "a lease is taken only where nothing was written to it since it was seen",
    NeverExpired: "a lease whose counter stands still is taken by another worker",
    CheckpointPastUnprocessed: "a checkpoint never passes a record that is not processed",
    FailureAsSuccess: "a checkpoint never passes a cut that failed",
    SubSequenceForgotten: "a checkpoint within an aggregated record is exact",
    CheckpointDropped: "what is processed is checkpointed",
    ChildBeforeParent: "a shard is read after its parents have ended",
    LatestOnChildren: "a shard found later starts at its oldest record, never at LATEST",
    EndBeforeChildren: "SHARD_END is written after the leases of the children exist",
    EndOfParentDeleted: "the lease of an ended shard stays until its children are read",
    MomentForgotten: "LATEST is one moment, whoever reads the shard",
    IteratorAtLatest: "an expired iterator is replaced by one after the last record read",
    EventForgotten: "an event that a broken connection has swallowed is pushed once more",
    StreamsMixed: "a shard is read from its own stream, where another has one of the same id",
    TruncatedAnswerIsEnd: "an answer without an iterator is the shard's end only where the shard is closed",
    StealInsteadOfHandoff: "a lease is handed over after what was read is processed and checkpointed: nothing is repeated",
    StaleFleet: "a leader looks at the fleet before it assigns what nobody has",
    ReleaseForgotten: "a worker that stops gives its leases back",
}

impl Mutant {
    /// The table as workers meet it.
    pub(crate) fn table(self, rows: MemoryLeaseStore) -> Arc<dyn LeaseStore> {
        Arc::new(table::MutantTable { rows, mutant: self, scans: AtomicU64::new(0) })
    }

    /// Kinesis as workers meet it.
    pub(crate) fn kinesis(self, fake: Arc<FakeKinesis>) -> Arc<dyn Kinesis> {
        Arc::new(kinesis::MutantKinesis { fake, mutant: self })
    }
}
