//! `LeaseTable`: how far an engine with offsets of its own has come, for consumers and the KCL (`millstream.spark`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use millstream::kinesis::wait_for;
use millstream_consumer::{PublishError, Published, Publisher, published};
use millstream_kinesis::{Checkpoint, InvalidCheckpoint, ShardId};
use millstream_lease::{DynamoDbLeaseStore, LeaseStore};
use pyo3::prelude::*;

use crate::error;
use crate::kinesis_client::KinesisClient;

/// A shard's id, and its checkpoint.
type Place = (String, String);

/// The lease table of an application, in DynamoDB. Connected when it is used first.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct LeaseTable {
    client: Py<KinesisClient>,
    dynamodb_endpoint: Option<String>,
    table: String,
    stream: String,
    worker: String,
    failover: Duration,
    publisher: Mutex<Option<Arc<Publisher>>>,
}

#[pymethods]
impl LeaseTable {
    /// `worker`: the name that leases are held in. `dynamodb_endpoint`: none is that of Kinesis, where it is not AWS's.
    #[new]
    #[pyo3(signature = (client, *, table, stream, worker, failover_ms, dynamodb_endpoint))]
    fn new(
        client: Py<KinesisClient>,
        table: String,
        stream: String,
        worker: String,
        failover_ms: u64,
        dynamodb_endpoint: Option<String>,
    ) -> Self {
        let (failover, publisher) = (Duration::from_millis(failover_ms), Mutex::new(None));
        Self { client, dynamodb_endpoint, table, stream, worker, failover, publisher }
    }

    /// Up to where each shard is processed, and the moment that `LATEST` among these places means, in milliseconds since the
    /// epoch, where it is written. No places: there is no table, or no lease in it.
    fn places(&self, py: Python<'_>) -> PyResult<(Vec<Place>, Option<i64>)> {
        let store = self.store(py)?;
        let Published { shards, latest_since_ms } = wait(py, async move { published(store.as_ref()).await })?;
        let places = shards.into_iter().map(|(shard, at)| (shard.to_string(), at.to_string()));
        Ok((places.collect(), latest_since_ms))
    }

    /// Everything up to these places is processed. Raises what has kept an earlier call from being written.
    fn processed(&self, py: Python<'_>, places: Vec<Place>) -> PyResult<()> {
        let places = places.into_iter().map(|(shard, at)| Ok((ShardId::from(shard), at.parse()?)));
        let places = places.collect::<Result<BTreeMap<ShardId, Checkpoint>, InvalidCheckpoint>>();
        let places = places.map_err(|invalid| error::illegal_argument(py, invalid.to_string()))?;
        let publisher = self.publisher(py)?;
        wait(py, async move { publisher.processed(places).await })
    }

    /// Waits until all is written, and gives the leases back. Raises what keeps it from being written.
    fn settle(&self, py: Python<'_>) -> PyResult<()> {
        let publisher = self.publisher(py)?;
        wait(py, async move { publisher.settle().await })
    }

    /// Writes what is left, and gives the leases back.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        let publisher = self.publisher.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(publisher) = publisher else { return Ok(()) };
        wait(py, async move {
            publisher.release().await;
            Ok(())
        })
    }
}

impl LeaseTable {
    fn store(&self, py: Python<'_>) -> PyResult<Arc<dyn LeaseStore>> {
        let mut settings = self.client.get().settings().clone();
        settings.dynamodb_endpoint = self.dynamodb_endpoint.clone();
        let table = self.table.clone();
        let store = wait(py, async move { Ok(DynamoDbLeaseStore::connect(&settings, table).await) })?;
        Ok(Arc::new(store))
    }

    fn publisher(&self, py: Python<'_>) -> PyResult<Arc<Publisher>> {
        if let Some(publisher) = &*self.publisher.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(publisher.clone());
        }
        let (kinesis, store) = (self.client.get().kinesis(py)?, self.store(py)?);
        let (stream, worker, failover) = (self.stream.clone(), self.worker.clone(), self.failover);
        let started = wait(py, async move { Ok(Publisher::start(kinesis, store, stream, worker, failover)) })?;
        let started = Arc::new(started);
        *self.publisher.lock().unwrap_or_else(PoisonError::into_inner) = Some(started.clone());
        Ok(started)
    }
}

/// Runs calls of a publisher on the process's runtime, detached from the interpreter.
fn wait<T: Send + 'static>(
    py: Python<'_>,
    calls: impl Future<Output = Result<T, PublishError>> + Send + 'static,
) -> PyResult<T> {
    let answer = py.detach(|| wait_for(calls)).map_err(|broken| error::of_cause(py, &broken))?;
    answer.map_err(|failed| error::of_cause(py, &failed.into()))
}
