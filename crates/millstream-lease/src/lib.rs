//! Who reads which shard: a pure lease coordinator, shard lineage, checkpoints, and the stores that hold them.
//!
//! A [`Coordinator`] decides for one worker. Its driver feeds it [`Event`]s with the time and carries out the
//! [`Action`]s it gets back: those on the [`LeaseStore`] by [`execute`], the others by reading shards.
//! Several workers find their even share through the table alone.

mod config;
mod coordinator;
mod execute;
mod lease;
pub mod lineage;
mod seed;
pub mod store;

pub use config::CoordinatorConfig;
pub use coordinator::{Action, Coordinator, Event, LeaseStatus, LeaseView};
pub use execute::{Answer, execute};
pub use lease::Lease;
pub use store::{DynamoDbLeaseStore, LeaseStore, MemoryLeaseStore, RenewOutcome, StoreError};
