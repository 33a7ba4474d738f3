//! The shards as the Shards page takes them.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::board::Snapshot;
use crate::rest;

/// What a page shows, by stream and shard.
#[derive(Default)]
pub(super) struct Shown {
    has_begun: bool,
    shards: BTreeMap<String, Value>,
    streams: Value,
}

impl Shown {
    /// What is new since the last event; `None`: nothing.
    pub(super) fn event(&mut self, snapshot: &Snapshot) -> Option<Bytes> {
        let mut now = BTreeMap::new();
        if let Value::Array(shards) = rest::shards_of(snapshot) {
            now.extend(shards.into_iter().map(|shard| (key(&shard), shard)));
        }
        let changed: Vec<&Value> =
            now.iter().filter(|(key, shard)| self.shards.get(*key) != Some(shard)).map(|(_, shard)| shard).collect();
        let gone: Vec<&String> = self.shards.keys().filter(|key| !now.contains_key(*key)).collect();
        let streams = streams(snapshot);
        if self.has_begun && changed.is_empty() && gone.is_empty() && self.streams == streams {
            return None;
        }
        let data = json!({"anew": !self.has_begun, "streams": streams, "shards": changed, "gone": gone});
        (self.has_begun, self.shards, self.streams) = (true, now, streams);
        Some(Bytes::from(format!("data: {data}\n\n")))
    }
}

fn key(shard: &Value) -> String {
    ["application", "stream", "shardId"].map(|name| shard[name].as_str().unwrap_or_default()).join("/")
}

fn streams(snapshot: &Snapshot) -> Value {
    let stream = |now: &crate::board::StreamNow| {
        json!({
            "application": now.status.application,
            "stream": now.status.stream,
            "worker": now.status.worker,
            "isCurrent": now.is_current,
            "error": now.status.error,
        })
    };
    snapshot.streams().map(stream).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::board::Board;
    use crate::status::{StatusSource, StreamStatus};
    use crate::testing::stream;
    use std::sync::{Arc, Mutex};

    struct Scripted(Mutex<Vec<StreamStatus>>);

    #[async_trait::async_trait]
    impl StatusSource for Scripted {
        async fn status(&self) -> Option<StreamStatus> {
            self.0.lock().unwrap().pop()
        }
    }

    async fn look(status: StreamStatus) -> Arc<Snapshot> {
        Board::new(vec![Arc::new(Scripted(Mutex::new(vec![status])))]).look().await
    }

    fn data(event: Option<Bytes>) -> Value {
        let event = event.unwrap();
        serde_json::from_slice(event.strip_prefix(b"data: ").unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_page_is_told_what_changes_and_what_goes() {
        let mut shown = Shown::default();
        let first = data(shown.event(&*look(stream(100)).await));
        assert_eq!((first["shards"].as_array().unwrap().len(), &first["anew"]), (3, &json!(true)));
        assert_eq!(shown.event(&*look(stream(100)).await), None);
        let mut changed = stream(200);
        changed.shards.remove(0);
        let second = data(shown.event(&*look(changed).await));
        assert_eq!(second["shards"][0]["shardId"], "shardId-000000000001");
        assert_eq!(second["shards"].as_array().unwrap().len(), 1);
        assert_eq!(second["gone"], json!(["word-count/words/shardId-000000000000"]));
    }
}
