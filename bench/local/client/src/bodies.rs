//! Bodies of requests.

use crate::http::Format;

const STREAM: &str = "bench";

/// xorshift64*: data that does not compress, the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn data(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() >> 40) as u8).collect()
    }
}

pub fn create_stream(shards: u32) -> String {
    format!(r#"{{"StreamName":"{STREAM}","ShardCount":{shards}}}"#)
}

pub fn put_record(random: &mut Random, bytes: usize) -> String {
    format!(r#"{{"StreamName":"{STREAM}",{}}}"#, members(random, bytes))
}

/// The partition key of a record that a subscriber looks for.
pub fn numbered_key(number: u64) -> String {
    format!("number-{number:012}")
}

pub fn put_numbered(number: u64, bytes: usize) -> String {
    let (data, key) = (base64(&vec![b'x'; bytes]), numbered_key(number));
    format!(r#"{{"StreamName":"{STREAM}","Data":"{data}","PartitionKey":"{key}"}}"#)
}

pub fn stream() -> String {
    format!(r#"{{"StreamName":"{STREAM}"}}"#)
}

pub fn register(stream_arn: &str) -> String {
    format!(r#"{{"StreamARN":"{stream_arn}","ConsumerName":"bench"}}"#)
}

pub fn consumer(arn: &str) -> String {
    format!(r#"{{"ConsumerARN":"{arn}"}}"#)
}

pub fn subscribe(consumer_arn: &str) -> String {
    format!(
        r#"{{"ConsumerARN":"{consumer_arn}","ShardId":"shardId-000000000000","StartingPosition":{{"Type":"LATEST"}}}}"#
    )
}

/// With a hash key, all records are for the shard that has it.
pub fn put_records(random: &mut Random, records: usize, bytes: usize, hash_key: Option<u128>) -> String {
    let explicit = hash_key.map(|key| format!(r#","ExplicitHashKey":"{key}""#)).unwrap_or_default();
    let entries: Vec<String> = (0..records).map(|_| format!("{{{}{explicit}}}", members(random, bytes))).collect();
    format!(r#"{{"StreamName":"{STREAM}","Records":[{}]}}"#, entries.join(","))
}

fn members(random: &mut Random, bytes: usize) -> String {
    let data = base64(&random.data(bytes));
    format!(r#""Data":"{data}","PartitionKey":"key-{:012}""#, random.next() >> 28)
}

pub fn iterator(shard: u32, kind: &str) -> String {
    format!(r#"{{"StreamName":"{STREAM}","ShardId":"shardId-{shard:012}","ShardIteratorType":"{kind}"}}"#)
}

pub fn get_records(iterator: &str, limit: u16, format: Format) -> Vec<u8> {
    if format == Format::Json {
        return format!(r#"{{"ShardIterator":"{iterator}","Limit":{limit}}}"#).into_bytes();
    }
    let mut body = vec![0xa2];
    text(&mut body, "ShardIterator");
    text(&mut body, iterator);
    text(&mut body, "Limit");
    body.push(0x19);
    body.extend_from_slice(&limit.to_be_bytes());
    body
}

/// A text of CBOR, of up to 64 KiB.
fn text(out: &mut Vec<u8>, text: &str) {
    out.push(0x79);
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// The value of a text member, which has no escapes.
pub fn member(answer: &[u8], name: &str) -> Option<String> {
    let answer = String::from_utf8_lossy(answer).replace("\": \"", "\":\"");
    let rest = answer.split_once(&format!("\"{name}\":\""))?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in data.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let at = bits >> (18 - 6 * digit) & 63;
            out.push(if digit <= chunk.len() { char::from(DIGITS[at as usize]) } else { '=' });
        }
    }
    out
}
