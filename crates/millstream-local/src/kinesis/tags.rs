//! The tags of streams and consumers.

use std::collections::BTreeMap;

use super::constraints::Constraints;
use super::input::Word;
use super::region::ACCOUNT;
use crate::api_error::ApiError;

/// Tags of a request; a value may be left out.
pub(crate) type TagMap = BTreeMap<String, Option<Word>>;

/// Tags of one resource (Tagging in the Kinesis developer guide).
const MOST_TAGS: usize = 50;

/// Whether a request adds tags or removes them, for its messages.
#[derive(Clone, Copy)]
pub(crate) enum Tagging {
    Add,
    Remove,
}

/// The model's constraints of a map of tags.
pub(crate) fn check_map(check: &mut Constraints, tags: &TagMap) {
    let value_of = |value: &Option<Word>| value.as_ref().map_or_else(String::new, |value| value.0.clone());
    let pairs: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={}", value_of(value))).collect();
    let shown = || format!("{{{}}}", pairs.join(", "));
    let long = |text: &str, most: usize| text.len() > most && text.chars().count() > most;
    if tags.is_empty() {
        check.violated("tags", shown(), "Member must have length greater than or equal to 1");
    }
    if tags.len() > 200 {
        check.violated("tags", shown(), "Member must have length less than or equal to 200");
    }
    if tags.keys().any(|key| key.is_empty() || long(key, 128)) {
        let words = "Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must \
                     have length greater than or equal to 1]";
        check.violated("tags", shown(), words);
    }
    if tags.values().any(|value| long(&value_of(value), 256)) {
        let words = "Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must \
                     have length greater than or equal to 0]";
        check.violated("tags", shown(), words);
    }
}

/// The model's constraints of a list of tag keys.
pub(crate) fn check_keys(check: &mut Constraints, keys: &[Word]) {
    let shown = || format!("[{}]", keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>().join(", "));
    if keys.is_empty() {
        check.violated("tagKeys", shown(), "Member must have length greater than or equal to 1");
    }
    if keys.len() > 50 {
        check.violated("tagKeys", shown(), "Member must have length less than or equal to 50");
    }
    if keys.iter().any(|key| key.0.is_empty() || key.0.chars().count() > 128) {
        let words = "Member must satisfy constraint: [Member must have length less than or equal to 128, Member must \
                     have length greater than or equal to 1]";
        check.violated("tagKeys", shown(), words);
    }
}

/// Adds tags to those of a resource, in place of older values.
pub(crate) fn add(tags: &mut BTreeMap<String, String>, new: TagMap, resource: &str) -> Result<(), ApiError> {
    let new: Vec<(String, String)> =
        new.into_iter().map(|(key, value)| (key, value.map(|value| value.0).unwrap_or_default())).collect();
    check_characters(new.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]), Tagging::Add, resource)?;
    let mut all = tags.clone();
    all.extend(new);
    if all.len() > MOST_TAGS {
        return Err(ApiError::invalid_argument(format!(
            "Failed to add tags to stream {resource} under account {ACCOUNT} because a given stream cannot have more \
             than {MOST_TAGS} tags associated with it."
        )));
    }
    *tags = all;
    Ok(())
}

/// Removes the tags of some keys; a key without a tag is none the worse.
pub(crate) fn remove(tags: &mut BTreeMap<String, String>, keys: &[Word], resource: &str) -> Result<(), ApiError> {
    check_characters(keys.iter().map(|key| key.0.as_str()), Tagging::Remove, resource)?;
    tags.retain(|tag, _| keys.iter().all(|key| key.0 != *tag));
    Ok(())
}

fn check_characters<'a>(
    texts: impl Iterator<Item = &'a str> + Clone,
    tagging: Tagging,
    resource: &str,
) -> Result<(), ApiError> {
    // The letters beyond ASCII that AWS takes are those of these two ranges.
    let is_letter = |text: char| matches!(text, '\u{c0}'..='\u{1fff}' | '\u{2c00}'..='\u{d7ff}');
    let allowed = |text: char| text.is_ascii_alphanumeric() || is_letter(text) || "_./=+-%@ ".contains(text);
    if !texts.clone().all(|text| text.chars().all(allowed)) {
        let message = "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, \
                       _ . / = + - % @.";
        return Err(ApiError::invalid_argument(message));
    }
    if texts.into_iter().any(|text| text.contains('%')) {
        let failed = match tagging {
            Tagging::Add => "add tags to",
            Tagging::Remove => "remove tags from",
        };
        return Err(ApiError::invalid_argument(format!(
            "Failed to {failed} stream {resource} under account {ACCOUNT} because some tags contained illegal \
             characters. The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'."
        )));
    }
    Ok(())
}
