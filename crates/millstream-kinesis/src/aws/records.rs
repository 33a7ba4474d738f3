//! The answer of GetRecords, read straight into columns.
//!
//! The SDK would make three objects of each record first, which costs as much as all the rest of reading.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::decode::malformed;
use crate::sequence::canonical;
use crate::{BlockBuilder, ChildShard, GetRecords, HashKeyRange, KinesisError, ShardId};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// JSON: data are in base64, times in seconds.
    Json,
    /// CBOR 1.1 of AWS: data are bytes, times in milliseconds.
    Cbor,
}

/// Reads an answer.
///
/// # Errors
/// It is not one of GetRecords.
pub(super) fn parse(
    written: Written,
    body: &[u8],
    stream: &Arc<str>,
    shard: &ShardId,
) -> Result<GetRecords, KinesisError> {
    let builder = |bytes| BlockBuilder::with_capacity(stream.clone(), shard.clone(), bytes);
    match written {
        Written::Json => {
            // Of the data in base64 with their names and keys, at most three quarters are data.
            let answer = Answer(builder(body.len() / 4 * 3));
            let mut json = serde_json::Deserializer::from_slice(body);
            let answer = answer.deserialize(&mut json).map_err(malformed)?;
            json.end().map_err(malformed)?;
            Ok(answer)
        }
        Written::Cbor => millstream_cbor::from_slice_seed(Answer(builder(body.len())), body).map_err(malformed),
    }
}

struct Answer(BlockBuilder);

impl<'de> DeserializeSeed<'de> for Answer {
    type Value = GetRecords;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<GetRecords, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Answer {
    type Value = GetRecords;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of GetRecords")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GetRecords, A::Error> {
        let Answer(mut builder) = self;
        let (mut next, mut millis_behind, mut children) = (None, None, None);
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                "Records" => map.next_value_seed(Records(&mut builder))?,
                "NextShardIterator" => next = map.next_value::<Option<String>>()?,
                "MillisBehindLatest" => millis_behind = map.next_value::<Option<i64>>()?,
                "ChildShards" => children = map.next_value::<Option<Vec<Child<'de>>>>()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let children = children.unwrap_or_default().into_iter().map(Child::into_shard);
        Ok(GetRecords {
            block: builder.finish(),
            next,
            millis_behind: millis_behind.unwrap_or(0),
            children: children.collect::<Result<_, _>>().map_err(de::Error::custom)?,
        })
    }
}

struct Records<'a>(&'a mut BlockBuilder);

impl<'de> DeserializeSeed<'de> for Records<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        while let Some(record) = records.next_element::<Record<'de>>()? {
            let sequence = canonical(&record.sequence_number.0).map_err(de::Error::custom)?;
            let Millis(arrival_ms) = record.approximate_arrival_timestamp.unwrap_or(Millis(0));
            // Streams that ignore partition keys (`AUTO` distribution) may return none.
            let key = record.partition_key.as_ref().map_or("", |key| &*key.0);
            match &record.data {
                Data::Base64(data) => {
                    let pushed = self.0.push_base64(data, key, sequence, arrival_ms);
                    pushed.map_err(|_| de::Error::custom(format!("the data of record {sequence} are not base64")))?;
                }
                Data::Bytes(data) => self.0.push(data, key, sequence, 0, arrival_ms),
            }
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a> {
    #[serde(borrow)]
    sequence_number: Text<'a>,
    approximate_arrival_timestamp: Option<Millis>,
    #[serde(borrow)]
    data: Data<'a>,
    #[serde(borrow)]
    partition_key: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Child<'a> {
    #[serde(borrow)]
    shard_id: Text<'a>,
    #[serde(default)]
    parent_shards: Vec<String>,
    #[serde(borrow)]
    hash_key_range: HashKeys<'a>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HashKeys<'a> {
    #[serde(borrow)]
    starting_hash_key: Text<'a>,
    #[serde(borrow)]
    ending_hash_key: Text<'a>,
}

impl Child<'_> {
    fn into_shard(self) -> Result<ChildShard, String> {
        let key = |text: &Text<'_>| text.0.parse().map_err(|error| format!("{error}"));
        let HashKeys { starting_hash_key, ending_hash_key } = &self.hash_key_range;
        Ok(ChildShard {
            id: ShardId::from(self.shard_id.0.into_owned()),
            parents: self.parent_shards.into_iter().map(ShardId::from).collect(),
            hash_range: HashKeyRange { start: key(starting_hash_key)?, end: key(ending_hash_key)? },
        })
    }
}

/// A time.
struct Millis(i64);

impl<'de> de::Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let factor = if deserializer.is_human_readable() { 1_000.0 } else { 1.0 };
        // Of seconds with a fraction, to the nearest millisecond.
        Ok(Millis((f64::deserialize(deserializer)? * factor).round() as i64))
    }
}

/// A record's data, copied only where they have escapes or come in pieces.
enum Data<'a> {
    Base64(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

impl<'de: 'a, 'a> de::Deserialize<'de> for Data<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Datas;

        impl<'de> Visitor<'de> for Datas {
            type Value = Data<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("data")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Data<'de>, E> {
                Ok(Data::Base64(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Data<'de>, E> {
                Ok(Data::Base64(Cow::Owned(text.to_owned())))
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Data<'de>, E> {
                Ok(Data::Bytes(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Data<'de>, E> {
                Ok(Data::Bytes(Cow::Owned(bytes.to_owned())))
            }
        }

        // JSON would have bytes for a text that is asked for as bytes; CBOR tells which it is.
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Datas)
        } else {
            deserializer.deserialize_bytes(Datas)
        }
    }
}

/// A text that is copied only where it has escapes, also where it may be missing.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> de::Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Texts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(json: &str) -> Result<GetRecords, KinesisError> {
        parse(Written::Json, json.as_bytes(), &"stream".into(), &"shard".into())
    }

    /// Of hexadecimal digits.
    fn read_cbor(digits: &str) -> Result<GetRecords, KinesisError> {
        let digits: Vec<u32> = digits.chars().filter_map(|digit| digit.to_digit(16)).collect();
        let bytes: Vec<u8> = digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect();
        parse(Written::Cbor, &bytes, &"stream".into(), &"shard".into())
    }

    /// `{"Records": [{"Data": …, "PartitionKey": "k", "SequenceNumber": "49", "ApproximateArrivalTimestamp": 1(…)}]}`.
    fn record(data: &str, arrival: &str) -> String {
        format!(
            "bf 67 5265636f726473 9f bf 64 44617461 {data} 6c 506172746974696f6e4b6579 61 6b \
             6e 53657175656e63654e756d626572 62 3439 78 1b 417070726f78696d6174654172726976616c54696d657374616d70 {arrival} ff ff \
             71 4e65787453686172644974657261746f72 63 414141 ff"
        )
    }

    #[test]
    fn an_answer_in_cbor_has_bytes_and_milliseconds() {
        // Whole; in pieces, with a time that is a number with a fraction.
        for (data, arrival) in [("43 fffe00", "c1 1b 0000017467ff983f"), ("5f 41 ff 42 fe00 ff", "fb 4277467ff983f000")]
        {
            let answer = read_cbor(&record(data, arrival)).unwrap();
            let first = answer.block.get(0);
            assert_eq!((first.data, first.partition_key, first.sequence), (&[0xff, 0xfe, 0][..], "k", "49"));
            assert_eq!((answer.block.arrivals(), answer.next.as_deref()), (&[1_599_472_638_015][..], Some("AAA")));
        }
        for wrong in ["", "80", "bf", "a0 00", &record("43 ff", "00"), &record("f4", "00"), &record("40", "61 78")] {
            assert!(matches!(read_cbor(wrong), Err(KinesisError::Service { transient: false, .. })), "{wrong}");
        }
    }

    #[test]
    fn names_come_in_any_order_texts_have_escapes_and_what_is_not_known_is_left_out() {
        let answer = read(
            r#" { "MillisBehindLatest" : 7, "Future": [{"a": null}], "Records": [
                {"PartitionKey": "k\u00e9\"y", "Data": "aGVs\/bG8", "SequenceNumber": "49", "EncryptionType": "KMS",
                 "ApproximateArrivalTimestamp": 1.6000000000625E9},
                {"Data": "", "SequenceNumber": "050", "ApproximateArrivalTimestamp": 1600000000} ],
                "NextShardIterator": "AAA" } "#,
        )
        .unwrap();
        assert_eq!((answer.next.as_deref(), answer.millis_behind, answer.children.len()), (Some("AAA"), 7, 0));
        let block = answer.block;
        assert_eq!((block.len(), block.get(0).data), (2, &[0x68, 0x65, 0x6c, 0xfd, 0xb1, 0xbc][..]));
        assert_eq!((block.get(0).partition_key, block.get(0).sequence), ("k\u{e9}\"y", "49"));
        assert_eq!((block.get(1).partition_key, block.get(1).sequence, block.get(1).data.len()), ("", "50", 0));
        assert_eq!(block.arrivals(), [1_600_000_000_063, 1_600_000_000_000]);
    }

    #[test]
    fn the_last_answer_of_a_shard_has_children_and_no_iterator() {
        let keys = r#"{"StartingHashKey": "0", "EndingHashKey": "9"}"#;
        let child = format!(r#"{{"ShardId": "s1", "ParentShards": ["s0", "s2"], "HashKeyRange": {keys}}}"#);
        let answer =
            read(&format!(r#"{{"Records": [], "ChildShards": [{child}], "NextShardIterator": null}}"#)).unwrap();
        assert_eq!((answer.next, answer.block.len()), (None, 0));
        assert_eq!((answer.children[0].id.as_str(), answer.children[0].parents.len()), ("s1", 2));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let record = |fields: &str| format!(r#"{{"Records": [{{{fields}}}]}}"#);
        for json in [
            "",
            "[]",
            r#"{"Records": [}"#,
            r#"{"Records": []} x"#,
            &record(r#""Data": "aGk=""#),
            &record(r#""SequenceNumber": "1""#),
            &record(r#""SequenceNumber": "one", "Data": "aGk=""#),
            &record(r#""SequenceNumber": "1", "Data": "a!""#),
        ] {
            assert!(matches!(read(json), Err(KinesisError::Service { transient: false, .. })), "{json}");
        }
    }
}
