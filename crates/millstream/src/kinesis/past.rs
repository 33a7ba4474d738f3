//! Ranges of shards as the engine's recovery log keeps them, and what a consumer makes of those of an earlier run.

use millstream_consumer::History;
use millstream_engine::{BoxError, Part, PastInput};
use millstream_kinesis::{Checkpoint, Position, ShardId, ShardRange};

/// A range as the log keeps it: `from first to records`.
pub(super) fn part_of(range: &ShardRange) -> Part {
    let ShardRange { shard, from, first, to, records, .. } = range;
    Part { name: shard.to_string(), range: format!("{from} {first} {to} {records}") }
}

/// The range of a stream that the log has kept.
pub(super) fn range_of(stream: &str, part: &Part) -> Result<ShardRange, BoxError> {
    let Part { name, range } = part;
    let parsed = || {
        let mut words = range.split(' ');
        let from: Checkpoint = words.next()?.parse().ok()?;
        let (first, to) = (position(words.next()?)?, position(words.next()?)?);
        let records = words.next()?.parse().ok()?;
        Some(ShardRange { stream: stream.into(), shard: ShardId::from(name.as_str()), from, first, to, records })
    };
    parsed()
        .ok_or_else(|| format!("the checkpoint has `{range}` for shard {name}, which is no range of records").into())
}

fn position(text: &str) -> Option<Position> {
    match text.parse() {
        Ok(Checkpoint::At(position)) => Some(position),
        _ => None,
    }
}

/// What a consumer is to know of the past.
pub(super) fn history_of(stream: &str, past: &PastInput) -> Result<History, BoxError> {
    let ranges = |parts: &[Part]| parts.iter().map(|part| range_of(stream, part)).collect::<Result<Vec<_>, _>>();
    let processed = ranges(&past.done)?.into_iter().map(|range| (range.shard, range.to)).collect();
    let open = past.open.iter().map(|(_, parts)| ranges(parts)).collect::<Result<Vec<_>, _>>()?;
    Ok(History { processed, open })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_range_is_read_back_as_written() {
        for range in ["TRIM_HORIZON 49:0 50:7 12", "AT_TIMESTAMP 49:0 49:0 1", "48:3 48:4 51:0 9"] {
            let part = Part { name: "shardId-000000000000".into(), range: range.into() };
            assert_eq!(part_of(&range_of("words", &part).unwrap()), part);
        }
        for range in ["", "1:0 2:0 3:0", "1:0 LATEST 3:0 4", "1:0 2:0 3:0 many"] {
            let error = range_of("words", &Part { name: "s".into(), range: range.into() }).unwrap_err();
            assert!(error.to_string().contains("no range of records"), "{error}");
        }
    }
}
