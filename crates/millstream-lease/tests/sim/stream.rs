use std::collections::BTreeMap;

use millstream_kinesis::{ChildShard, HashKeyRange, Shard, ShardId};

/// A stream: records are numbers that only grow, over all shards.
pub(super) struct Stream {
    shards: BTreeMap<String, OneShard>,
    next_record: u64,
}

#[derive(Default)]
pub(super) struct OneShard {
    pub(super) parents: Vec<ShardId>,
    pub(super) children: Vec<ShardId>,
    pub(super) records: Vec<u64>,
}

impl Stream {
    pub(super) fn new(shards: usize) -> Self {
        let mut stream = Stream { shards: BTreeMap::new(), next_record: 100 };
        for _ in 0..shards {
            stream.open(Vec::new());
        }
        stream
    }

    fn open(&mut self, parents: Vec<ShardId>) -> ShardId {
        let id = ShardId::from(format!("s{:03}", self.shards.len()));
        self.shards.insert(id.as_str().to_owned(), OneShard { parents, ..OneShard::default() });
        id
    }

    pub(super) fn get(&self, shard: &str) -> &OneShard {
        &self.shards[shard]
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&String, &OneShard)> {
        self.shards.iter()
    }

    pub(super) fn open_shards(&self) -> Vec<String> {
        let open = self.shards.iter().filter(|(_, shard)| shard.children.is_empty());
        open.map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn put(&mut self, shard: &str) {
        let record = self.next_record;
        self.next_record += 1;
        self.shards.get_mut(shard).unwrap().records.push(record);
    }

    pub(super) fn split(&mut self, shard: &str) {
        let parent = vec![ShardId::from(shard)];
        let children = vec![self.open(parent.clone()), self.open(parent)];
        self.shards.get_mut(shard).unwrap().children = children;
    }

    pub(super) fn merge(&mut self, left: &str, right: &str) {
        let child = self.open(vec![left.into(), right.into()]);
        for parent in [left, right] {
            self.shards.get_mut(parent).unwrap().children = vec![child.clone()];
        }
    }

    pub(super) fn list(&self) -> Vec<Shard> {
        let shards = self.shards.iter().map(|(id, shard)| Shard {
            id: id.as_str().into(),
            parents: shard.parents.clone(),
            hash_range: HashKeyRange::ALL,
            first: 1u128.into(),
            last: (!shard.children.is_empty()).then(|| 9u128.into()),
        });
        shards.collect()
    }

    pub(super) fn children(&self, shard: &str) -> Vec<ChildShard> {
        let children = self.shards[shard].children.iter().map(|id| ChildShard {
            id: id.clone(),
            parents: self.shards[id.as_str()].parents.clone(),
            hash_range: HashKeyRange::ALL,
        });
        children.collect()
    }
}
