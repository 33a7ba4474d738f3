//! What streams and their leases are called.

use millstream_kinesis::ShardId;

const STREAMS: [&str; 2] = ["orders", "clicks"];

/// The name of a stream, by its number.
pub(crate) fn stream_name(number: usize) -> &'static str {
    STREAMS[number]
}

/// The lease of a stream's shard: called as the shard where one stream is read, else as the KCL calls those of several.
pub(crate) fn lease_key(stream: &str, shard: &ShardId, are_several: bool) -> String {
    let identifier = if are_several { format!("000000000000:{stream}:0") } else { String::new() };
    millstream_lease::lease_key(&identifier, shard.as_str()).into_owned()
}
