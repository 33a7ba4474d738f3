use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{InvalidSequenceNumber, SequenceNumber, ShardId};

/// A record's exact place in its shard.
///
/// The user records of one aggregated (KPL) record share its sequence number and differ in `sub`, which counts from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The sequence number.
    pub sequence: SequenceNumber,
    /// The sub-sequence number: the index in the aggregated record, 0 for a plain record.
    pub sub: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.sub)
    }
}

/// How far a shard is processed: every record up to and including this place.
///
/// The order is that of the KCL class `ExtendedSequenceNumber`. As text, the KCL's words
/// `AT_TIMESTAMP`, `TRIM_HORIZON`, `LATEST` and `SHARD_END`, or `sequence:sub`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Checkpoint {
    /// Nothing yet: start at the time of the initial position.
    AtTimestamp,
    /// Nothing yet: start at the oldest record.
    TrimHorizon,
    /// Nothing yet: start with the next record that arrives.
    Latest,
    /// Everything up to and including this record.
    At(Position),
    /// Everything; the shard is closed.
    ShardEnd,
}

/// A text that is not a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCheckpoint {
    /// Neither a word of the KCL nor a sequence number.
    #[error("`{0}` is not a checkpoint: expected TRIM_HORIZON, LATEST, AT_TIMESTAMP, SHARD_END or a sequence number")]
    Word(String),
    /// What follows the colon is no number.
    #[error("`{0}` is not a checkpoint: the sub-sequence number after `:` is not a number")]
    Sub(String),
}

impl Checkpoint {
    /// From the two attributes of a lease row: `checkpoint` and `checkpointSubSequenceNumber`.
    pub fn from_parts(word: &str, sub: u64) -> Result<Self, InvalidCheckpoint> {
        Ok(match word {
            "AT_TIMESTAMP" => Checkpoint::AtTimestamp,
            "TRIM_HORIZON" => Checkpoint::TrimHorizon,
            "LATEST" => Checkpoint::Latest,
            "SHARD_END" => Checkpoint::ShardEnd,
            digits => Checkpoint::At(Position {
                sequence: digits.parse().map_err(|InvalidSequenceNumber(text)| InvalidCheckpoint::Word(text))?,
                sub,
            }),
        })
    }

    /// The lease row's attribute `checkpoint`: a sequence number or a word of the KCL.
    pub fn word(&self) -> &str {
        match self {
            Checkpoint::AtTimestamp => "AT_TIMESTAMP",
            Checkpoint::TrimHorizon => "TRIM_HORIZON",
            Checkpoint::Latest => "LATEST",
            Checkpoint::At(position) => position.sequence.as_str(),
            Checkpoint::ShardEnd => "SHARD_END",
        }
    }

    /// The lease row's attribute `checkpointSubSequenceNumber`: 0 for the words.
    pub fn sub(&self) -> u64 {
        match self {
            Checkpoint::At(position) => position.sub,
            _ => 0,
        }
    }
}

impl From<Position> for Checkpoint {
    fn from(position: Position) -> Self {
        Checkpoint::At(position)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Checkpoint::At(position) => position.fmt(f),
            _ => f.write_str(self.word()),
        }
    }
}

impl FromStr for Checkpoint {
    type Err = InvalidCheckpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None => Checkpoint::from_parts(text, 0),
            Some((digits, sub)) => {
                let invalid = || InvalidCheckpoint::Sub(text.to_owned());
                let sub = sub.parse().map_err(|_| invalid())?;
                match Checkpoint::from_parts(digits, sub)? {
                    at @ Checkpoint::At(_) => Ok(at),
                    _ => Err(invalid()),
                }
            }
        }
    }
}

/// Where a shard that has no checkpoint starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialPosition {
    /// The oldest record kept.
    TrimHorizon,
    /// The next record to arrive.
    Latest,
    /// The first record that arrived at this time or later (milliseconds since the Unix epoch).
    AtTimestamp(i64),
}

impl InitialPosition {
    /// The checkpoint that a new lease gets.
    pub fn checkpoint(self) -> Checkpoint {
        match self {
            InitialPosition::TrimHorizon => Checkpoint::TrimHorizon,
            InitialPosition::Latest => Checkpoint::Latest,
            InitialPosition::AtTimestamp(_) => Checkpoint::AtTimestamp,
        }
    }
}

/// The records of one shard in (`from`, `to`]: enough to read the same records again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardRange {
    /// The stream's name.
    pub stream: Arc<str>,
    /// The shard.
    pub shard: ShardId,
    /// What was processed before: excluded.
    pub from: Checkpoint,
    /// The first record: included. Where to read again.
    pub first: Position,
    /// The last record: included.
    pub to: Position,
    /// How many (user) records lie within.
    pub records: u64,
}

impl fmt::Display for ShardRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ({}, {}] {} records", self.stream, self.shard, self.from, self.to, self.records)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Every checkpoint is lower than all that follow it.
    const ASCENDING: &[&str] = &[
        "AT_TIMESTAMP",
        "TRIM_HORIZON",
        "LATEST",
        "0:0",
        "9:0",
        "9:1",
        "9:10",
        "10:0",
        "99:18446744073709551615",
        "49680485150637352251675723497566702559855099864716148738:0",
        "SHARD_END",
    ];

    #[test]
    fn the_order_is_that_of_the_kcl() {
        let parsed: Vec<Checkpoint> = ASCENDING.iter().map(|text| text.parse().unwrap()).collect();
        for (i, low) in parsed.iter().enumerate() {
            for (j, high) in parsed.iter().enumerate() {
                assert_eq!(low.cmp(high), i.cmp(&j), "{low} against {high}");
            }
        }
    }

    #[test]
    fn text_is_read_back_as_written() {
        for text in ASCENDING {
            assert_eq!(text.parse::<Checkpoint>().unwrap().to_string(), *text);
        }
        let plain: Checkpoint = "42".parse().unwrap();
        assert_eq!((plain.word(), plain.sub()), ("42", 0));
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        for text in ["", "latest", "12:", "12:x", "12:-1", "LATEST:3", ":1", "1:2:3"] {
            assert!(text.parse::<Checkpoint>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text: String) {
            if let Ok(checkpoint) = text.parse::<Checkpoint>() {
                prop_assert_eq!(checkpoint.to_string().parse::<Checkpoint>().unwrap(), checkpoint);
            }
        }
    }
}
