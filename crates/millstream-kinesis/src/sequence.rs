use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A record's number within its shard: a decimal of any length, in canonical form (no leading zeros).
///
/// Ordered as a number: first by length, then by digits. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SequenceNumber(Arc<str>);

/// A text that is not a sequence number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sequence number: expected decimal digits only")]
pub struct InvalidSequenceNumber(pub String);

impl SequenceNumber {
    /// The decimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes digits that are known to be canonical already, as those in a block are.
    pub(crate) fn from_canonical(digits: &str) -> Self {
        SequenceNumber(digits.into())
    }
}

/// A number's digits without leading zeros.
pub(crate) fn canonical(text: &str) -> Result<&str, InvalidSequenceNumber> {
    // All are looked at: that takes less time than to stop at the first that is no digit.
    let is_number = text.bytes().fold(!text.is_empty(), |so_far, byte| so_far & byte.is_ascii_digit());
    if !is_number {
        return Err(InvalidSequenceNumber(text.to_owned()));
    }
    let digits = text.trim_start_matches('0');
    Ok(if digits.is_empty() { "0" } else { digits })
}

/// The order of two canonical decimals, by value.
pub(crate) fn compare_digits(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

impl FromStr for SequenceNumber {
    type Err = InvalidSequenceNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        canonical(text).map(SequenceNumber::from_canonical)
    }
}

impl From<u128> for SequenceNumber {
    fn from(number: u128) -> Self {
        SequenceNumber(number.to_string().into())
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_digits(&self.0, &other.0)
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_longer_than_any_integer_are_ordered_by_value() {
        let small: SequenceNumber = "9".repeat(56).parse().unwrap();
        let large: SequenceNumber = format!("1{}", "0".repeat(56)).parse().unwrap();
        assert!(small < large);
    }

    #[test]
    fn leading_zeros_are_the_same_number() {
        let padded: SequenceNumber = "00042".parse().unwrap();
        assert_eq!(padded.as_str(), "42");
        assert_eq!("000".parse::<SequenceNumber>().unwrap().as_str(), "0");
    }

    #[test]
    fn anything_but_digits_is_refused() {
        for text in ["", "-1", "+1", "1.0", " 1", "LATEST", "١"] {
            assert!(text.parse::<SequenceNumber>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_that_of_the_numbers(a: u128, b: u128) {
            prop_assert_eq!(SequenceNumber::from(a).cmp(&SequenceNumber::from(b)), a.cmp(&b));
        }
    }
}
