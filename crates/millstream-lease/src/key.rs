//! The keys of leases: a shard's id; where an application reads several streams, `account:stream:epoch:shard` (KCL
//! `MultiStreamLease`).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The key of a shard's lease. `stream`: its identifier; empty for the only stream of an application.
pub fn lease_key<'a>(stream: &str, shard: &'a str) -> Cow<'a, str> {
    if stream.is_empty() { Cow::Borrowed(shard) } else { Cow::Owned(format!("{stream}:{shard}")) }
}

/// The stream's identifier, empty for the only stream of an application, and the shard's id.
pub fn split_key(key: &str) -> (&str, &str) {
    key.rsplit_once(':').unwrap_or(("", key))
}

/// One of several streams of an application (KCL `StreamIdentifier`), written `account:stream:epoch`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamIdentifier {
    /// The number of the AWS account that the stream belongs to.
    pub account: String,
    /// The stream's name.
    pub name: String,
    /// When the stream was made, in seconds since the epoch: tells it from one that was deleted before.
    pub epoch: u64,
}

/// A text that names no stream of an application that reads several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a stream's identifier: expected account:stream:epoch, such as 123456789012:orders:1700000000")]
pub struct InvalidStreamIdentifier(String);

impl FromStr for StreamIdentifier {
    type Err = InvalidStreamIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let [account, name, epoch] = text.split(':').collect::<Vec<_>>().try_into().ok()?;
            let is_account = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
            let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            let is_name = !name.is_empty() && name.bytes().all(is_name_byte);
            // As it is written again: `+1` and `01` would name other leases.
            let epoch: u64 = epoch.parse().ok().filter(|number: &u64| number.to_string() == epoch)?;
            (is_account && is_name).then(|| StreamIdentifier {
                account: account.to_owned(),
                name: name.to_owned(),
                epoch,
            })
        };
        parse().ok_or_else(|| InvalidStreamIdentifier(text.to_owned()))
    }
}

impl fmt::Display for StreamIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.account, self.name, self.epoch)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_is_taken_apart_as_it_was_made() {
        for (stream, shard, key) in [("", "s0", "s0"), ("1:orders:7", "s0", "1:orders:7:s0")] {
            assert_eq!(lease_key(stream, shard), key);
            assert_eq!(split_key(key), (stream, shard));
        }
    }

    #[test]
    fn an_identifier_is_read_back_as_written() {
        let text = "123456789012:some-orders_v1.2:1700000000";
        assert_eq!(text.parse::<StreamIdentifier>().unwrap().to_string(), text);
        for text in
            ["", "orders", "1:orders", "a:orders:7", "1::7", "1:orders:x", "1:orders:07", "1:or ders:7", "1:o:7:8"]
        {
            assert!(text.parse::<StreamIdentifier>().is_err(), "{text}");
        }
    }
}
