//! Entries for the fuzz targets of `fuzz/`: no part of the API. The feature `fuzz` shows them outside of the tests.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use crate::clock::Clock;
use crate::config::LocalConfig;
use crate::format::Format;
use crate::http::{Body, Reply};
use crate::kinesis::{self, Kinesis, Region};
use crate::storage;

/// What makes shards by the hundred is not tried.
const NOT_TRIED: [&str; 2] = ["CreateStream", "UpdateShardCount"];

/// The operations that a request is tried with.
fn operations() -> Vec<&'static str> {
    kinesis::OPERATIONS.into_iter().filter(|operation| !NOT_TRIED.contains(operation)).collect()
}

/// A Kinesis in memory with a stream `s` of one shard and its consumer `c`.
pub struct Service {
    runtime: Runtime,
}

impl Service {
    /// # Errors
    /// If the system gives no runtime.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { runtime: Builder::new_current_thread().enable_all().build()? })
    }

    /// Answers a request of which the first byte says which operation it is for; the rest is JSON.
    ///
    /// # Panics
    /// If the answer is not what a client may see.
    pub fn json(&self, input: &[u8]) {
        self.answer(Format::Json11, input);
    }

    /// The same in CBOR.
    ///
    /// # Panics
    /// If the answer is not what a client may see.
    pub fn cbor(&self, input: &[u8]) {
        self.answer(Format::Cbor11, input);
    }

    fn answer(&self, format: Format, input: &[u8]) {
        let Some((operation, body)) = input.split_first() else { return };
        let operations = operations();
        let operation = operations[usize::from(*operation) % operations.len()];
        self.runtime.block_on(async {
            let Ok(kinesis) = Kinesis::open(None, Clock::default(), &LocalConfig::default()) else { return };
            let kinesis = Arc::new(kinesis);
            let call = async |format, operation, body: &[u8]| {
                let region = Region::from("us-east-1");
                kinesis.answer(region, format, operation, Bytes::copy_from_slice(body)).await
            };
            call(Format::Json11, "CreateStream", br#"{"StreamName": "s", "ShardCount": 1}"#).await;
            let consumer = br#"{"StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "ConsumerName": "c"}"#;
            call(Format::Json11, "RegisterStreamConsumer", consumer).await;
            let reply = call(format, operation, body).await;
            kinesis.subscriptions().stop().await;
            check(format, operation, &reply);
        });
    }
}

/// A directory for the files that are tried.
pub struct Home(PathBuf);

impl Home {
    /// # Errors
    /// If it can't be made.
    pub fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("millstream-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Reads bytes as a file of a data directory; which one, the first byte says.
    ///
    /// # Panics
    /// If something is read that is not there.
    pub fn storage(&self, input: &[u8]) {
        storage::fuzz::read(&self.0, input);
    }
}

fn check(format: Format, operation: &str, reply: &Reply) {
    assert!(matches!(reply.status, 200 | 400), "{operation}: status {}", reply.status);
    let Body::Whole(body) = &reply.body else { return };
    let sound = match format {
        Format::Cbor11 | Format::RpcCbor => millstream_cbor::from_slice::<serde::de::IgnoredAny>(body).is_ok(),
        Format::Json10 | Format::Json11 => serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok(),
    };
    assert!(sound || (body.is_empty() && reply.status == 200), "{operation}: {body:?}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use proptest::sample::{Index, select};
    use serde_json::Value;

    use super::*;

    /// Operations by their numbers, and requests that say something to them.
    fn seeds() -> Vec<(u8, Value)> {
        let lines = include_str!("../testdata/refusals.txt").lines();
        let calls = lines.filter_map(|line| line.split_once(" => ")?.0.split_once(' '));
        calls
            .filter_map(|(operation, request)| {
                let number = operations().iter().position(|known| *known == operation)?;
                let request = request.replace("\"three\"", "\"s\"").replace("stream/three", "stream/s");
                Some((u8::try_from(number).ok()?, serde_json::from_str(&request).ok()?))
            })
            .collect()
    }

    /// A seed in the bytes of a format, and what is done to them.
    fn mutated(write: fn(&Value) -> Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
        let change = (any::<Index>(), any::<u8>(), 0..3_u8);
        (select(seeds()), prop::collection::vec(change, 0..4)).prop_map(move |((operation, request), changes)| {
            let mut bytes = write(&request);
            for (at, byte, kind) in changes {
                let at = at.index(bytes.len() + 1);
                match kind {
                    0 => bytes.insert(at, byte),
                    1 => bytes.truncate(at),
                    _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
                }
            }
            bytes.insert(0, operation);
            bytes
        })
    }

    fn anything() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..100)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn no_json_does_harm(input in prop_oneof![4 => mutated(|value| value.to_string().into_bytes()), 1 => anything()]) {
            Service::new().unwrap().json(&input);
        }

        #[test]
        fn no_cbor_does_harm(
            input in prop_oneof![4 => mutated(|value| millstream_cbor::to_vec(value).unwrap()), 1 => anything()],
        ) {
            Service::new().unwrap().cbor(&input);
        }
    }

    #[test]
    fn the_seeds_reach_most_operations() {
        let mut reached: Vec<u8> = seeds().into_iter().map(|(operation, _)| operation).collect();
        reached.dedup();
        reached.sort_unstable();
        reached.dedup();
        assert!(reached.len() > 25, "{}", reached.len());
    }
}
