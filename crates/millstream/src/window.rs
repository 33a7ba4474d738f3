//! Windows: the elements of the last few batches.

use crate::lock::lock;
use crate::saved::{Saved, from_bytes, to_bytes};
use crate::{DStream, Partitions};
use millstream_engine::{BatchTime, BoxError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::Duration;

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> DStream<T> {
    /// The elements of all batches of the last `length`, with each batch.
    pub fn window(&self, length: Duration) -> DStream<T> {
        let length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let batches = Arc::new(Mutex::new(Batches::<T> { length_ms, batches: VecDeque::new(), unsaved: 0 }));
        self.context().save("window", batches.clone());
        self.transform(move |time, data| Ok(lock(&batches).slide(time, data)))
    }
}

impl<K, V> DStream<(K, V)>
where
    K: Clone + Eq + Hash + Send + Sync + Serialize + DeserializeOwned + 'static,
    V: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    /// In each window, each key with all its values put together by `function`, which is also applied within each batch first.
    pub fn reduce_by_key_and_window(
        &self,
        function: impl FnMut(&V, &V) -> V + Clone + Send + 'static,
        length: Duration,
    ) -> DStream<(K, V)> {
        self.reduce_by_key(function.clone()).window(length).reduce_by_key(function)
    }
}

/// The batches of a window, the oldest first.
struct Batches<T> {
    length_ms: u64,
    batches: VecDeque<(BatchTime, Partitions<T>)>,
    /// How many of the newest are not saved yet.
    unsaved: usize,
}

impl<T> Batches<T> {
    fn slide(&mut self, time: BatchTime, data: &Partitions<T>) -> Partitions<T> {
        self.push(time, data.clone());
        self.unsaved = (self.unsaved + 1).min(self.batches.len());
        self.batches.iter().fold(Partitions::empty(), |all, (_, batch)| all.union(batch))
    }

    fn push(&mut self, time: BatchTime, batch: Partitions<T>) {
        self.batches.push_back((time, batch));
        let begin_ms = time.millis().saturating_sub(self.length_ms);
        while self.batches.front().is_some_and(|(time, _)| time.millis() <= begin_ms) {
            self.batches.pop_front();
        }
    }

    fn newest(&self, count: usize) -> Result<Vec<u8>, BoxError>
    where
        T: Serialize,
    {
        let batches = self.batches.iter().skip(self.batches.len() - count);
        let batches = batches.map(|(time, batch)| (time.millis(), batch.partitions().collect::<Vec<_>>()));
        to_bytes(&batches.collect::<Vec<_>>())
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync> Saved for Batches<T> {
    fn changes(&mut self) -> Result<Vec<u8>, BoxError> {
        let unsaved = std::mem::take(&mut self.unsaved);
        self.newest(unsaved)
    }

    fn all(&mut self) -> Result<Vec<u8>, BoxError> {
        self.newest(self.batches.len())
    }

    fn restore(&mut self, saved: Vec<Vec<u8>>) -> Result<(), BoxError> {
        for piece in saved {
            let batches: Vec<(u64, Vec<Vec<T>>)> = from_bytes(&piece)?;
            for (millis, partitions) in batches {
                self.push(BatchTime::from_millis(millis), partitions.into_iter().collect());
            }
        }
        Ok(())
    }
}
