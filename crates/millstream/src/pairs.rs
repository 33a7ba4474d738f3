//! Operators on streams of keys and values.

use crate::{DStream, Partitions};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

impl<K, V> DStream<(K, V)>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Per batch, each key with all its values put together by `function`, from left to right. One partition, with the keys in the
    /// order of their first appearance.
    pub fn reduce_by_key(&self, mut function: impl FnMut(&V, &V) -> V + Send + 'static) -> DStream<(K, V)> {
        self.transform(move |_, data| Ok(reduce(data, &mut function).into()))
    }

    /// `function` of each value, under the same key.
    pub fn map_values<U: Send + Sync + 'static>(
        &self,
        mut function: impl FnMut(&V) -> U + Send + 'static,
    ) -> DStream<(K, U)> {
        self.map(move |(key, value)| (key.clone(), function(value)))
    }
}

fn reduce<K: Clone + Eq + Hash, V: Clone>(
    data: &Partitions<(K, V)>,
    mut function: impl FnMut(&V, &V) -> V,
) -> Vec<(K, V)> {
    // The hasher is for every pair: this one is several times as fast as the standard library's, and seeded at random too.
    let mut places: HashMap<&K, usize, RandomState> = HashMap::default();
    let mut reduced: Vec<(K, V)> = Vec::new();
    for (key, value) in data.iter() {
        match places.entry(key) {
            Entry::Occupied(place) => {
                let total = &mut reduced[*place.get()].1;
                *total = function(total, value);
            }
            Entry::Vacant(place) => {
                place.insert(reduced.len());
                reduced.push((key.clone(), value.clone()));
            }
        }
    }
    reduced
}
