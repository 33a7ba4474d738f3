//! State by key.

use crate::lock::lock;
use crate::saved::{Saved, from_bytes, to_bytes};
use crate::{DStream, Partitions};
use millstream_engine::BoxError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

impl<K, V> DStream<(K, V)>
where
    K: Clone + Eq + Hash + Send + Sync + Serialize + DeserializeOwned + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// The state of each key: `update(values of the batch, state so far)`, called in each batch for every key that has a state or
    /// values. A key whose state becomes `None` is forgotten. One partition. Needs
    /// [`checkpoint`](crate::StreamingContext::checkpoint), as in Spark.
    pub fn update_state_by_key<S>(
        &self,
        mut update: impl FnMut(&[V], Option<&S>) -> Option<S> + Send + 'static,
    ) -> DStream<(K, S)>
    where
        S: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static,
    {
        let state = Arc::new(Mutex::new(KeyedState::<K, S>::default()));
        self.context().keep("update_state_by_key", state.clone());
        self.transform(move |_, data| Ok(lock(&state).update(data, &mut update)))
    }
}

/// What is known of each key, and what the last batch has changed in it.
struct KeyedState<K, S> {
    known: HashMap<K, S>,
    put: Vec<(K, S)>,
    gone: Vec<K>,
}

// Derived, it would ask for K: Default.
impl<K, S> Default for KeyedState<K, S> {
    fn default() -> Self {
        Self { known: HashMap::new(), put: Vec::new(), gone: Vec::new() }
    }
}

impl<K: Clone + Eq + Hash, S: Clone + PartialEq> KeyedState<K, S> {
    /// Nothing is changed when `update` panics.
    fn update<V: Clone>(
        &mut self,
        data: &Partitions<(K, V)>,
        update: &mut impl FnMut(&[V], Option<&S>) -> Option<S>,
    ) -> Partitions<(K, S)> {
        let mut values: HashMap<&K, Vec<V>> = HashMap::new();
        for (key, value) in data.iter() {
            values.entry(key).or_default().push(value.clone());
        }
        let (mut put, mut gone) = (Vec::new(), Vec::new());
        for (key, before) in &self.known {
            match update(values.remove(key).as_deref().unwrap_or_default(), Some(before)) {
                None => gone.push(key.clone()),
                Some(after) if after != *before => put.push((key.clone(), after)),
                Some(_) => {}
            }
        }
        let new = values.into_iter().filter_map(|(key, values)| Some((key.clone(), update(&values, None)?)));
        put.extend(new);

        gone.iter().for_each(|key| drop(self.known.remove(key)));
        self.known.extend(put.iter().cloned());
        (self.put, self.gone) = (put, gone);
        self.known.iter().map(|(key, state)| (key.clone(), state.clone())).collect::<Vec<_>>().into()
    }
}

impl<K, S> Saved for KeyedState<K, S>
where
    K: Eq + Hash + Send + Serialize + DeserializeOwned,
    S: Send + Serialize + DeserializeOwned,
{
    fn changes(&mut self) -> Result<Vec<u8>, BoxError> {
        let changes = to_bytes(&(&self.put, &self.gone))?;
        (self.put, self.gone) = (Vec::new(), Vec::new());
        Ok(changes)
    }

    fn all(&mut self) -> Result<Vec<u8>, BoxError> {
        to_bytes(&(self.known.iter().collect::<Vec<_>>(), [(); 0]))
    }

    fn restore(&mut self, saved: Vec<Vec<u8>>) -> Result<(), BoxError> {
        for piece in saved {
            let (put, gone): (Vec<(K, S)>, Vec<K>) = from_bytes(&piece)?;
            self.known.extend(put);
            gone.iter().for_each(|key| drop(self.known.remove(key)));
        }
        Ok(())
    }
}
