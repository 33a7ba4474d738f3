//! Shard iterators.

use serde::{Deserialize, Serialize};

use super::sealed;
use crate::api_error::ApiError;
use crate::clock;

/// How long an iterator may be used, in milliseconds (GetShardIterator in the Kinesis API reference).
const LIFETIME_MS: u64 = 300_000;

/// A place in a shard, and when it was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardIterator {
    #[serde(rename = "t")]
    pub(crate) created_ms: u64,
    #[serde(rename = "n")]
    pub(crate) stream: String,
    /// Tells a stream from an earlier one of the same name.
    #[serde(rename = "i")]
    pub(crate) stream_id: String,
    #[serde(rename = "s")]
    pub(crate) shard: u32,
    #[serde(rename = "p")]
    pub(crate) place: Place,
}

/// Which records of a shard an iterator gives: from the first that satisfies both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The lowest index.
    #[serde(rename = "x")]
    pub(crate) index: u64,
    /// The earliest arrival, in milliseconds; 0 once a record that arrived later has been seen.
    #[serde(rename = "a", default, skip_serializing_if = "is_zero")]
    pub(crate) arrival_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl ShardIterator {
    pub(crate) fn seal(&self) -> String {
        sealed::seal(self)
    }

    /// Reads an iterator that is no older than five minutes.
    pub(crate) fn open(text: &str, now_ms: u64) -> Result<Self, ApiError> {
        let iterator: Self = sealed::open(text).ok_or_else(|| ApiError::invalid_argument("Invalid ShardIterator."))?;
        if now_ms.saturating_sub(iterator.created_ms) > LIFETIME_MS {
            let message = format!(
                "Iterator expired. The iterator was created at time {} while right now it is {} which is further in \
                 the future than the tolerated delay of {LIFETIME_MS} milliseconds.",
                clock::words(iterator.created_ms),
                clock::words(now_ms),
            );
            return Err(ApiError::new("ExpiredIteratorException", 400, message));
        }
        Ok(iterator)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_iterator_lives_five_minutes() {
        let iterator = ShardIterator {
            created_ms: 1_421_889_722_000,
            stream: "s".repeat(128),
            stream_id: "a".repeat(24),
            shard: u32::MAX,
            place: Place { index: u64::MAX, arrival_ms: u64::MAX },
        };
        let text = iterator.seal();
        assert!(text.len() <= 512, "AWS's model allows 512 characters, this has {}", text.len());
        assert_eq!(ShardIterator::open(&text, iterator.created_ms + LIFETIME_MS).unwrap(), iterator);
        let error = ShardIterator::open(&text, iterator.created_ms + LIFETIME_MS + 1).unwrap_err();
        assert_eq!(error.code(), "ExpiredIteratorException");
        assert!(error.message().contains("Thu Jan 22 01:22:02 UTC 2015 while right now it is Thu Jan 22 01:27:02"));
        let error = ShardIterator::open("AAAA", 0).unwrap_err();
        assert_eq!((error.code(), error.message()), ("InvalidArgumentException", "Invalid ShardIterator."));
    }
}
