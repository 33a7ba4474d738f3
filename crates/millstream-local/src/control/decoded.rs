//! What a record's data are, for people.

use std::io::Read;

use flate2::read::GzDecoder;
use md5::{Digest, Md5};
use prost::Message;
use serde_json::{Value, json};

/// Bytes shown of data.
const SHOWN: usize = 256;
/// Records shown of an aggregated one.
const INSIDE: usize = 20;

/// Before and behind the message of an aggregated record (KPL's `aggregation-format.md`).
const AGGREGATED: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];
const DIGEST: usize = 16;
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// The parts of the message `AggregatedRecord` that are shown.
#[derive(Clone, PartialEq, Message)]
struct Aggregate {
    #[prost(string, repeated, tag = "1")]
    partition_keys: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    records: Vec<Inside>,
}

#[derive(Clone, PartialEq, Message)]
struct Inside {
    #[prost(uint64, tag = "1")]
    partition_key: u64,
    #[prost(bytes = "vec", tag = "3")]
    data: Vec<u8>,
}

/// What the data are (`kind`: `text`, `json`, `gzip`, `aggregated` or `binary`), and their beginning as text; of an aggregated
/// record how many records it has, and the first of them.
pub(super) fn decoded(data: &[u8]) -> Value {
    let bytes = data.len();
    match aggregate(data) {
        Some(aggregate) => {
            let key = |index: u64| usize::try_from(index).ok().and_then(|index| aggregate.partition_keys.get(index));
            let inside = aggregate.records.iter().take(INSIDE).map(|record| {
                let (kind, text) = told(&record.data);
                json!({"partition_key": key(record.partition_key), "bytes": record.data.len(), "inner_kind": kind, "data": text})
            });
            let inside: Vec<Value> = inside.collect();
            json!({"kind": "aggregated", "bytes": bytes, "data": "", "records": aggregate.records.len(), "inside": inside})
        }
        None => {
            let (kind, text) = told(data);
            json!({"kind": kind, "bytes": bytes, "data": text})
        }
    }
}

/// Data of one record.
fn told(data: &[u8]) -> (&'static str, String) {
    if data.starts_with(&GZIP) {
        let mut unpacked = Vec::new();
        // As much as is shown, and not what a small record may unpack to.
        if GzDecoder::new(data).take(SHOWN as u64).read_to_end(&mut unpacked).is_ok() {
            return ("gzip", text(&unpacked).unwrap_or_else(|| hex(&unpacked)));
        }
    }
    match text(data) {
        Some(text) if data.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok() => {
            ("json", text)
        }
        Some(text) => ("text", text),
        None => ("binary", hex(data)),
    }
}

/// The beginning of what is text.
fn text(data: &[u8]) -> Option<String> {
    let shown = &data[..data.len().min(SHOWN)];
    match std::str::from_utf8(shown) {
        Ok(text) => Some(text.to_owned()),
        // In the middle of a character.
        Err(error) if error.error_len().is_none() && shown.len() < data.len() => {
            Some(String::from_utf8_lossy(&shown[..error.valid_up_to()]).into_owned())
        }
        Err(_) => None,
    }
}

fn hex(data: &[u8]) -> String {
    let digits: Vec<String> = data.iter().take(SHOWN / 4).map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

fn aggregate(data: &[u8]) -> Option<Aggregate> {
    let message = data.strip_prefix(&AGGREGATED)?;
    let (message, digest) = message.split_at_checked(message.len().checked_sub(DIGEST)?)?;
    (Md5::digest(message)[..] == *digest).then(|| Aggregate::decode(message).ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn kind_and_data(data: &[u8]) -> (Value, Value) {
        let shown = decoded(data);
        assert_eq!(shown["bytes"], json!(data.len()));
        (shown["kind"].clone(), shown["data"].clone())
    }

    #[test]
    fn data_are_told_apart() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all("unpacked".as_bytes()).unwrap();
        for (data, kind, shown) in [
            (b"plain words".to_vec(), "text", "plain words"),
            (b"{\"a\": 1}".to_vec(), "json", "{\"a\": 1}"),
            (b"{no json".to_vec(), "text", "{no json"),
            (packed.finish().unwrap(), "gzip", "unpacked"),
            (vec![0x1F, 0x8B, 0xFF], "binary", "1f 8b ff"),
            (Vec::new(), "text", ""),
        ] {
            assert_eq!(kind_and_data(&data), (json!(kind), json!(shown)));
        }
    }

    #[test]
    fn long_data_are_cut_between_characters() {
        let long = "ä".repeat(1000);
        let (kind, data) = kind_and_data(format!("x{long}").as_bytes());
        assert_eq!((kind, data.as_str().unwrap().len()), (json!("text"), 255));
    }

    #[test]
    fn an_aggregated_record_is_taken_apart_if_its_digest_is_right() {
        let inside = |partition_key, data: &[u8]| Inside { partition_key, data: data.to_vec() };
        let records = vec![inside(1, b"first"), inside(0, b"{}"), inside(7, b"no such key")];
        let message = Aggregate { partition_keys: vec!["a".into(), "b".into()], records }.encode_to_vec();
        let mut data = [&AGGREGATED, message.as_slice(), &Md5::digest(&message)[..]].concat();
        let shown = decoded(&data);
        assert_eq!((&shown["kind"], &shown["records"]), (&json!("aggregated"), &json!(3)));
        let expected = json!({"partition_key": "b", "bytes": 5, "inner_kind": "text", "data": "first"});
        assert_eq!(shown["inside"][0], expected);
        assert_eq!(
            (&shown["inside"][1]["inner_kind"], &shown["inside"][2]["partition_key"]),
            (&json!("json"), &json!(null))
        );
        *data.last_mut().unwrap() ^= 1;
        assert_eq!(decoded(&data)["kind"], json!("binary"));
    }
}
