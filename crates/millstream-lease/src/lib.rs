//! Who reads which shard: a pure lease coordinator, shard lineage, checkpoints, and the stores that hold them.
//!
//! A [`Coordinator`] decides for one worker. Its driver feeds it [`Event`]s with the time and carries out the
//! [`Action`]s it gets back: those on the [`LeaseStore`] by [`execute`], the others by reading shards.
//! Several workers find their even share through the table alone.

pub mod assignment;
mod config;
mod coordinator;
mod execute;
pub mod fleet;
mod key;
mod lease;
pub mod lineage;
pub mod migration;
pub mod reset;
mod seed;
mod session;
pub mod store;
mod throughput;

pub use config::{CoordinatorConfig, Heartbeat, StreamStart};
pub use coordinator::{Action, Coordinator, Event, LeaseStatus, LeaseView};
pub use execute::{Answer, execute};
pub use key::{InvalidStreamIdentifier, StreamIdentifier, lease_key, split_key};
pub use lease::Lease;
pub use session::{SessionAnswer, SessionWrite, Sessions};
#[cfg(feature = "postgres")]
pub use store::PostgresLeaseStore;
#[cfg(feature = "sqlite")]
pub use store::SqliteLeaseStore;
pub use store::{
    DynamoDbLeaseStore, InvalidStoreUrl, LeaseStore, MemoryLeaseStore, RenewOutcome, StoreError, StoreUrl,
};
pub use throughput::{InvalidThroughput, Throughput};
