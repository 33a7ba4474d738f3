#![allow(clippy::unwrap_used)]

mod exactness;
mod fan_out;
mod polling;

use std::sync::Arc;

use crate::kpl::Aggregator;
use crate::testing::FakeKinesis;
use crate::{HashKeyRange, InitialPosition, Kinesis, PutEntry, Read, ShardCursor, ShardId};

const STREAM: &str = "words";

fn shard() -> ShardId {
    "shardId-000000000000".into()
}

fn cursor(fake: &Arc<FakeKinesis>, from: &str) -> ShardCursor {
    let kinesis: Arc<dyn Kinesis> = fake.clone();
    let (from, initial) = (from.parse().unwrap(), InitialPosition::TrimHorizon);
    ShardCursor::new(kinesis, STREAM.into(), shard(), Some(HashKeyRange::ALL), &from, initial)
}

fn put(fake: &FakeKinesis, data: &str) -> String {
    fake.put(STREAM, &shard(), PutEntry::new("key", data.to_owned())).to_string()
}

fn put_aggregate(fake: &FakeKinesis, words: &str) -> String {
    let mut aggregator = Aggregator::new(usize::MAX);
    for word in words.split(' ') {
        assert!(aggregator.add(PutEntry::new("key", word.to_owned())).is_none());
    }
    fake.put(STREAM, &shard(), aggregator.finish().unwrap()).to_string()
}

/// The words of a read; at the end of the shard, its children.
fn shown(read: Read) -> String {
    match read {
        Read::Records { block, .. } => {
            let words = block.data().iter().map(|word| str::from_utf8(word).unwrap());
            words.collect::<Vec<_>>().join(" ")
        }
        Read::End { children } => {
            let ids = children.iter().map(|child| child.id.as_str());
            format!("end: {}", ids.collect::<Vec<_>>().join(" "))
        }
    }
}
