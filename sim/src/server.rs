//! The services that all processes share: a lease table with the real conditions, and a Kinesis in memory.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use millstream_kinesis::testing::FakeKinesis;
use millstream_kinesis::{Kinesis, KinesisError, Pushed, Subscription};
use millstream_lease::{Lease, LeaseStore, MemoryLeaseStore};
use tokio::runtime::{Builder, Runtime};

use crate::fleet::Rows;
use crate::link::Work;
use crate::mutant::Mutant;
use crate::names::stream_name;
use crate::streams::EPOCH_MS;

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
    /// Those that processes have begun, also such as are gone.
    subscriptions: Mutex<BTreeMap<u64, Box<dyn Subscription>>>,
    now_ms: u64,
}

impl Server {
    pub(crate) fn new(streams: usize, shards: u32, mutant: Option<Mutant>) -> Self {
        let rows = MemoryLeaseStore::new();
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let fake = FakeKinesis::with_stream(stream_name(0), shards);
        for other in (1..streams).map(stream_name) {
            runtime.block_on(fake.create_stream(other, shards)).expect("a name that is free");
        }
        Server {
            runtime,
            table: mutant.map_or_else(|| Arc::new(rows.clone()) as _, |mutant| mutant.table(rows.clone())),
            rows,
            fleet: Rows::default(),
            kinesis: mutant.map_or_else(|| fake.clone() as _, |mutant| mutant.kinesis(fake.clone())),
            fake,
            subscriptions: Mutex::default(),
            now_ms: 0,
        }
    }

    /// The time of the world, milliseconds from its beginning.
    pub(crate) fn set_clock_ms(&mut self, now_ms: u64) {
        let passed = Duration::from_millis(now_ms.saturating_sub(self.now_ms));
        self.now_ms = now_ms;
        self.runtime.block_on(tokio::time::advance(passed));
        self.fake.set_clock_ms(EPOCH_MS + now_ms as i64);
        self.fleet.set_clock_ms(now_ms);
    }

    /// Keeps a subscription for a process at the other end of the wire, which knows it by the number.
    pub(crate) fn keep(&self, subscription: Box<dyn Subscription>) -> u64 {
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        let number = subscriptions.last_key_value().map_or(0, |(last, _)| last + 1);
        subscriptions.insert(number, subscription);
        number
    }

    /// What a subscription has to tell now: an event, its end, or nothing yet.
    pub(crate) fn pushed(&self, number: u64) -> Poll<Result<Option<Pushed>, KinesisError>> {
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(subscription) = subscriptions.get_mut(&number) else { return Poll::Ready(Ok(None)) };
        self.runtime.block_on(async {
            let mut next = pin!(subscription.next());
            poll_fn(|context| Poll::Ready(next.as_mut().poll(context))).await
        })
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
