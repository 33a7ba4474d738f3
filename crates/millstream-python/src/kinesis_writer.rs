//! `KinesisWriter`: puts records, aggregated or plain, with a bound on what is held.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use millstream::kinesis::wait_for;
use millstream_kinesis::kpl::AggregatingProducer;
use millstream_kinesis::{HashKey, InvalidHashKey, Producer, ProducerError, PutEntry, PutSummary};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::error;
use crate::kinesis_client::KinesisClient;

/// Puts records into one stream. Rejected ones are put again, and they alone. For one thread at a time.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct KinesisWriter {
    max_bytes: usize,
    state: Arc<Mutex<State>>,
}

struct State {
    waiting: Vec<PutEntry>,
    bytes: usize,
    way: Option<Way>,
}

enum Way {
    Aggregating(AggregatingProducer),
    Plain(Producer),
}

impl Way {
    async fn put_all(&mut self, entries: Vec<PutEntry>) -> Result<PutSummary, ProducerError> {
        match self {
            Way::Aggregating(producer) => producer.put_all(entries).await,
            Way::Plain(producer) => producer.put_all(entries).await,
        }
    }
}

impl KinesisWriter {
    /// Puts all that waits, and returns when it is stored.
    fn send(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.state.clone();
        let (entries, way) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.bytes = 0;
            (std::mem::take(&mut state.waiting), state.way.take())
        };
        let Some(mut way) = way else {
            let message = "this writer is used by another thread, or putting has failed: make a new one";
            return Err(pyo3::exceptions::PyRuntimeError::new_err(message));
        };
        let put = py.detach(|| wait_for(async move { (way.put_all(entries).await, way) }));
        let (put, way) = put.map_err(|broken| error::of_cause(py, &broken))?;
        put.map_err(|failed| error::of_cause(py, &failed.into()))?;
        state.lock().unwrap_or_else(PoisonError::into_inner).way = Some(way);
        Ok(())
    }
}

#[pymethods]
impl KinesisWriter {
    /// `max_bytes`: of data and keys that wait, after which they are put.
    #[new]
    fn new(py: Python<'_>, client: &KinesisClient, stream: &str, aggregate: bool, max_bytes: usize) -> PyResult<Self> {
        let kinesis = client.kinesis(py)?;
        let way = if aggregate {
            Way::Aggregating(AggregatingProducer::new(kinesis, stream))
        } else {
            Way::Plain(Producer::new(kinesis, stream))
        };
        Ok(Self { max_bytes, state: Arc::new(Mutex::new(State { waiting: Vec::new(), bytes: 0, way: Some(way) })) })
    }

    /// Adds records; those that do not fit the bound are put before this returns. `hash_keys`: where a record has one, it
    /// decides the shard in place of the partition key.
    fn put(
        &self,
        py: Python<'_>,
        data: Vec<PyBackedBytes>,
        partition_keys: Vec<String>,
        hash_keys: Vec<Option<String>>,
    ) -> PyResult<()> {
        for ((data, key), hash_key) in data.into_iter().zip(partition_keys).zip(hash_keys) {
            let hash_key = hash_key.map(|text| text.parse::<HashKey>()).transpose();
            let explicit_hash_key =
                hash_key.map_err(|error: InvalidHashKey| error::illegal_argument(py, error.to_string()))?;
            let entry = PutEntry { data: Bytes::copy_from_slice(&data), partition_key: key, explicit_hash_key };
            let is_full = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.bytes += entry.size();
                state.waiting.push(entry);
                state.bytes >= self.max_bytes
            };
            if is_full {
                self.send(py)?;
            }
        }
        Ok(())
    }

    /// Puts what still waits.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.send(py)
    }
}
