//! The services that all processes share: a lease table with the real conditions, and a Kinesis in memory.

use std::sync::Arc;

use millstream_kinesis::Kinesis;
use millstream_kinesis::testing::FakeKinesis;
use millstream_lease::{Lease, LeaseStore, MemoryLeaseStore};
use tokio::runtime::{Builder, Runtime};

use crate::fleet::Rows;
use crate::link::Work;
use crate::mutant::Mutant;

/// The stream's name.
pub(crate) const STREAM: &str = "stream";

pub(crate) struct Server {
    runtime: Runtime,
    /// What is stored.
    pub(crate) rows: MemoryLeaseStore,
    /// What workers call: the rows, or the rows behind a mutant.
    pub(crate) table: Arc<dyn LeaseStore>,
    /// What is kept beside the leases.
    pub(crate) fleet: Rows,
    pub(crate) fake: Arc<FakeKinesis>,
    pub(crate) kinesis: Arc<dyn Kinesis>,
}

impl Server {
    pub(crate) fn new(shards: u32, mutant: Option<Mutant>) -> Self {
        let rows = MemoryLeaseStore::new();
        let fake = FakeKinesis::with_stream(STREAM, shards);
        Server {
            runtime: Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime"),
            table: mutant.map_or_else(|| Arc::new(rows.clone()) as _, |mutant| mutant.table(rows.clone())),
            rows,
            fleet: Rows::default(),
            kinesis: mutant.map_or_else(|| fake.clone() as _, |mutant| mutant.kinesis(fake.clone())),
            fake,
        }
    }

    /// Does this at once.
    pub(crate) fn wait<T>(&self, work: Work<T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn row(&self, key: &str) -> Option<Lease> {
        self.runtime.block_on(self.rows.get(key)).expect("memory does not fail")
    }

    /// Changes a row if the rule finds it as it should be: the row then. For peers with conditions of their own.
    pub(crate) fn change(&self, key: &str, rule: impl FnOnce(&mut Lease) -> bool) -> Option<Lease> {
        let mut row = self.row(key)?;
        let before = row.clone();
        if !rule(&mut row) {
            return None;
        }
        self.runtime
            .block_on(async {
                self.rows.delete(&before).await?;
                self.rows.create(&row).await
            })
            .ok()?;
        Some(row)
    }

    pub(crate) fn all_rows(&self) -> Vec<Lease> {
        self.runtime.block_on(self.rows.scan()).expect("memory does not fail")
    }
}
