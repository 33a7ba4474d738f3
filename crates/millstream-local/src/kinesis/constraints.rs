//! The constraints of the service model, and AWS's words for what does not satisfy them.

use std::fmt::Display;

use crate::api_error::ApiError;

/// AWS names no more than so many in one answer.
const MOST_NAMED: usize = 10;

const NAME: &str = "[a-zA-Z0-9_.-]+";
const STREAM_ARN: &str = r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+";
const STREAM_ID: &str = "[a-z0-9]{20}-[a-z0-9]{3}";
const RESOURCE_ARN: &str = r"arn:aws.*:kinesis:.*:\d{12}:.*(stream|channel|queue)/\S+";
const CONSUMER_ARN: &str =
    r"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+";
const HASH_KEY: &str = r"0|([1-9]\d{0,38})";
const SEQUENCE: &str = r"0|([1-9]\d{0,128})";

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub(crate) struct Constraints {
    violations: Vec<String>,
}

impl Constraints {
    /// The name of a stream or a shard.
    pub(crate) fn name(&mut self, path: &str, name: Option<&str>) {
        let Some(name) = name else { return };
        self.pattern(path, name, NAME, !name.is_empty() && name.bytes().all(is_name_byte));
        self.length(path, name, 1, 128);
    }

    /// A name that has to be there.
    pub(crate) fn required_name(&mut self, path: &str, name: Option<&str>) {
        self.required(path, name.is_some());
        self.name(path, name);
    }

    /// The three ways to say which stream is meant; one has to be there.
    pub(crate) fn stream(&mut self, name: Option<&str>, arn: Option<&str>, id: Option<&str>) {
        self.required("streamName", name.is_some() || arn.is_some() || id.is_some());
        self.name("streamName", name);
        self.stream_arn(arn);
        self.stream_id(id);
    }

    pub(crate) fn stream_id(&mut self, id: Option<&str>) {
        let Some(id) = id else { return };
        let part = |part: &str, length| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let matches = id.split_once('-').is_some_and(|(long, short)| part(long, 20) && part(short, 3));
        self.pattern("streamId", id, STREAM_ID, matches);
        self.length("streamId", id, 1, 24);
    }

    /// The ARN of a stream or of a consumer; it has to be there.
    pub(crate) fn resource_arn(&mut self, arn: Option<&str>) {
        self.required("resourceARN", arn.is_some());
        let Some(arn) = arn else { return };
        self.pattern("resourceARN", arn, RESOURCE_ARN, is_arn_of(arn, &["stream/", "channel/", "queue/"]));
        self.length("resourceARN", arn, 1, 2048);
    }

    pub(crate) fn consumer_arn(&mut self, arn: Option<&str>) {
        let Some(arn) = arn else { return };
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_name_byte);
        let parts = arn.split_once(":stream/").and_then(|(_, resource)| resource.split_once("/consumer/"));
        let matches = is_stream_arn(arn)
            && parts.is_some_and(|(stream, consumer)| {
                let (name, secs) = consumer.rsplit_once(':').unwrap_or_default();
                let is_number = !secs.is_empty() && secs.bytes().all(|byte| byte.is_ascii_digit());
                is_name(stream) && is_name(name) && is_number
            });
        self.pattern("consumerARN", arn, CONSUMER_ARN, matches);
        self.length("consumerARN", arn, 1, 2048);
    }

    pub(crate) fn stream_arn(&mut self, arn: Option<&str>) {
        let Some(arn) = arn else { return };
        self.pattern("streamARN", arn, STREAM_ARN, is_stream_arn(arn));
        self.length("streamARN", arn, 1, 2048);
    }

    pub(crate) fn hash_key(&mut self, path: &str, key: Option<&str>) {
        let Some(key) = key else { return };
        self.pattern(path, key, HASH_KEY, is_decimal(key, 39));
    }

    pub(crate) fn sequence_number(&mut self, path: &str, number: Option<&str>) {
        let Some(number) = number else { return };
        self.pattern(path, number, SEQUENCE, is_decimal(number, 129));
    }

    pub(crate) fn one_of(&mut self, path: &str, value: Option<&str>, allowed: &[&str]) {
        let Some(value) = value else { return };
        if !allowed.contains(&value) {
            let allowed = allowed.join(", ");
            self.violated(path, value, &format!("Member must satisfy enum value set: [{allowed}]"));
        }
    }

    pub(crate) fn range(&mut self, path: &str, value: Option<i64>, least: i64, most: i64) {
        let Some(value) = value else { return };
        if value < least {
            self.violated(path, value, &format!("Member must have value greater than or equal to {least}"));
        }
        if value > most {
            self.violated(path, value, &format!("Member must have value less than or equal to {most}"));
        }
    }

    /// The characters of a string.
    pub(crate) fn length(&mut self, path: &str, value: &str, least: usize, most: usize) {
        // Bytes are at least as many as characters: counting is for long strings.
        if value.len() < least {
            self.violated(path, value, &format!("Member must have length greater than or equal to {least}"));
        }
        if value.len() > most && value.chars().count() > most {
            self.violated(path, value, &format!("Member must have length less than or equal to {most}"));
        }
    }

    /// The members of a list.
    pub(crate) fn count(&mut self, path: &str, count: usize, member: &str, least: usize, most: usize) {
        let value = || format!("[{}]", vec![member; count].join(", "));
        if count < least {
            self.violated(path, value(), &format!("Member must have length greater than or equal to {least}"));
        }
        if count > most {
            self.violated(path, value(), &format!("Member must have length less than or equal to {most}"));
        }
    }

    /// The bytes of a blob.
    pub(crate) fn blob(&mut self, path: &str, length: usize, most: usize) {
        if length > most {
            let value = format!("java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]");
            self.violated(path, value, &format!("Member must have length less than or equal to {most}"));
        }
    }

    pub(crate) fn required(&mut self, path: &str, present: bool) {
        if !present {
            self.violations
                .push(format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"));
        }
    }

    /// Nothing was wrong, or AWS's answer about all that was.
    pub(crate) fn satisfied(mut self) -> Result<(), ApiError> {
        self.violations.truncate(MOST_NAMED);
        let count = self.violations.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        let violations = self.violations.join("; ");
        Err(ApiError::validation(format!("{count} validation error{plural} detected: {violations}")))
    }

    fn pattern(&mut self, path: &str, value: &str, pattern: &str, matches: bool) {
        if !matches {
            self.violated(path, value, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
    }

    /// Something that does not satisfy a constraint, in words that follow the value.
    pub(crate) fn violated(&mut self, path: &str, value: impl Display, constraint: &str) {
        self.violations.push(format!("Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"));
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)
}

/// No leading zeros, at most so many digits.
fn is_decimal(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

fn is_stream_arn(arn: &str) -> bool {
    is_arn_of(arn, &["stream/"])
}

fn is_arn_of(arn: &str, kinds: &[&str]) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, "kinesis", _, account, resource] = parts[..] else { return false };
    let name = kinds.iter().find_map(|kind| resource.strip_prefix(kind)).unwrap_or_default();
    prefix == "arn"
        && partition.starts_with("aws")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
        && !name.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message(check: impl FnOnce(&mut Constraints)) -> String {
        let mut constraints = Constraints::default();
        check(&mut constraints);
        constraints.satisfied().map_or_else(|error| error.message().to_owned(), |()| String::new())
    }

    #[test]
    fn one_violation_and_several_are_worded_as_at_aws() {
        assert_eq!(
            message(|check| check.required_name("streamName", None)),
            "1 validation error detected: Value null at 'streamName' failed to satisfy constraint: \
             Member must not be null"
        );
        assert_eq!(
            message(|check| {
                check.required_name("shardId", Some(""));
                check.range("limit", Some(10_001), 1, 10_000);
            }),
            "3 validation errors detected: Value '' at 'shardId' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; \
             Value '' at 'shardId' failed to satisfy constraint: \
             Member must have length greater than or equal to 1; \
             Value '10001' at 'limit' failed to satisfy constraint: \
             Member must have value less than or equal to 10000"
        );
        assert!(message(|check| (0..50).for_each(|_| check.required("x", false))).starts_with("10 validation errors"));
    }

    #[test]
    fn patterns_accept_what_the_model_accepts() {
        for (key, good) in [
            ("0", true),
            ("00", false),
            ("", false),
            ("1".repeat(39).as_str(), true),
            ("1".repeat(40).as_str(), false),
            ("-1", false),
        ] {
            assert_eq!(message(|check| check.hash_key("h", Some(key))).is_empty(), good, "{key}");
        }
        for (arn, good) in [
            ("arn:aws:kinesis:us-east-1:000000000000:stream/a", true),
            ("arn:aws-cn:kinesis:cn-north-1:000000000000:stream/a:b", true),
            ("arn:aws:kinesis:us-east-1:0000:stream/a", false),
            ("arn:aws:dynamodb:us-east-1:000000000000:table/a", false),
            ("arn:aws:kinesis:us-east-1:000000000000:stream/", false),
            ("a", false),
        ] {
            assert_eq!(message(|check| check.stream_arn(Some(arn))).is_empty(), good, "{arn}");
        }
        // 256 characters of more than one byte each.
        assert_eq!(message(|check| check.length("k", &"ü".repeat(256), 1, 256)), "");
        assert_ne!(message(|check| check.length("k", &"ü".repeat(257), 1, 256)), "");
    }
}
