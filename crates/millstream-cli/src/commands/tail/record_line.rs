use std::io::{self, Write};

use clap::ValueEnum;
use millstream_kinesis::RecordRef;
use serde_json::json;

use crate::stream_reader::ShardBlock;

/// How a record is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordFormat {
    /// A record's data and a line end.
    Text,
    /// A JSON object a line: data (or data_base64), partition key, sequence number, shard, arrival time in ms; and
    /// explicit_hash_key where the partition key does not belong to the shard. `replay` reads it.
    Json,
}

impl RecordFormat {
    /// Writes one record. `to_terminal`: control characters, which could steer the terminal, are replaced.
    pub(super) fn write(
        self,
        out: &mut impl Write,
        shard: &ShardBlock,
        record: &RecordRef<'_>,
        to_terminal: bool,
    ) -> io::Result<()> {
        match self {
            RecordFormat::Json => writeln!(out, "{}", object(shard, record)),
            RecordFormat::Text => {
                let data = record.data.strip_suffix(b"\n").unwrap_or(record.data);
                if to_terminal {
                    out.write_all(harmless(data).as_bytes())?
                } else {
                    out.write_all(data)?
                }
                out.write_all(b"\n")
            }
        }
    }
}

fn object(shard: &ShardBlock, record: &RecordRef<'_>) -> serde_json::Value {
    let mut object = json!({
        "shard": shard.block.shard().as_str(),
        "sequence_number": record.sequence,
        "sub_sequence_number": record.sub,
        "partition_key": record.partition_key,
        "arrival_ms": record.arrival_ms,
    });
    if let Some(key) = shard.explicit_hash_key(record) {
        object["explicit_hash_key"] = key.to_string().into();
    }
    match str::from_utf8(record.data) {
        Ok(text) => object["data"] = text.into(),
        Err(_) => object["data_base64"] = base64_simd::STANDARD.encode_to_string(record.data).into(),
    }
    object
}

fn harmless(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let is_harmless = |letter: char| !letter.is_control() || letter == '\t' || letter == '\n';
    text.chars().map(|letter| if is_harmless(letter) { letter } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use millstream_kinesis::{BlockBuilder, HashKey, HashKeyRange};

    use super::*;

    fn line(format: RecordFormat, data: &[u8], to_terminal: bool) -> Vec<u8> {
        line_of(HashKeyRange::ALL, format, data, to_terminal)
    }

    fn line_of(hash_range: HashKeyRange, format: RecordFormat, data: &[u8], to_terminal: bool) -> Vec<u8> {
        let record = RecordRef { data, partition_key: "k", sequence: "7", sub: 1, arrival_ms: 5 };
        let block = BlockBuilder::new("words".into(), "s".into()).finish();
        let mut out = Vec::new();
        format.write(&mut out, &ShardBlock { block, hash_range }, &record, to_terminal).unwrap();
        out
    }

    #[test]
    fn text_is_the_data_and_one_line_end() {
        assert_eq!(line(RecordFormat::Text, b"a\xffb", false), b"a\xffb\n");
        assert_eq!(line(RecordFormat::Text, b"a\n", false), b"a\n");
    }

    #[test]
    fn data_can_not_steer_the_terminal() {
        let clean = line(RecordFormat::Text, "a\tb\x1b[2J\u{9b}é".as_bytes(), true);
        assert_eq!(String::from_utf8(clean).unwrap(), "a\tb\u{fffd}[2J\u{fffd}é\n");
    }

    #[test]
    fn what_is_no_text_is_base64_in_json() {
        let text: serde_json::Value = serde_json::from_slice(&line(RecordFormat::Json, b"a\nb", false)).unwrap();
        let expected = json!({"shard": "s", "sequence_number": "7", "sub_sequence_number": 1, "partition_key": "k",
            "arrival_ms": 5, "data": "a\nb"});
        assert_eq!(text, expected);
        let bytes: serde_json::Value = serde_json::from_slice(&line(RecordFormat::Json, b"\xff", false)).unwrap();
        assert_eq!((&bytes["data_base64"], bytes.get("data")), (&json!("/w=="), None));
    }

    #[test]
    fn a_record_whose_key_belongs_elsewhere_was_put_with_a_hash_key() {
        let own = HashKey::of_partition_key("k");
        let elsewhere = HashKeyRange { start: HashKey::new(own.value() + 1), end: HashKey::MAX };
        let told: serde_json::Value =
            serde_json::from_slice(&line_of(elsewhere, RecordFormat::Json, b"a", false)).unwrap();
        assert_eq!(told["explicit_hash_key"], elsewhere.start.to_string());
    }
}
