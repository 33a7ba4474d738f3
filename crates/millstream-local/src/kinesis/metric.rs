//! The shard-level metrics of enhanced monitoring.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One metric; kept and shown, not measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Metric {
    IncomingBytes,
    IncomingRecords,
    OutgoingBytes,
    OutgoingRecords,
    WriteProvisionedThroughputExceeded,
    ReadProvisionedThroughputExceeded,
    IteratorAgeMilliseconds,
}

impl Metric {
    const ALL: [(&str, Self); 7] = [
        ("IncomingBytes", Self::IncomingBytes),
        ("IncomingRecords", Self::IncomingRecords),
        ("OutgoingBytes", Self::OutgoingBytes),
        ("OutgoingRecords", Self::OutgoingRecords),
        ("WriteProvisionedThroughputExceeded", Self::WriteProvisionedThroughputExceeded),
        ("ReadProvisionedThroughputExceeded", Self::ReadProvisionedThroughputExceeded),
        ("IteratorAgeMilliseconds", Self::IteratorAgeMilliseconds),
    ];

    /// The names that a request may use, in the order of the service model.
    pub(crate) fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|(name, _)| *name).chain(["ALL"]).collect()
    }

    /// The metrics that names of a request stand for; `ALL` is every one.
    pub(crate) fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<Self> {
        let meant = |name: &'a str| Self::ALL.into_iter().filter(move |(own, _)| name == "ALL" || name == *own);
        names.into_iter().flat_map(meant).map(|(_, metric)| metric).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_every_metric() {
        assert_eq!(Metric::named(["OutgoingBytes", "IncomingBytes"]).len(), 2);
        assert_eq!(Metric::named(["OutgoingBytes", "ALL"]).len(), 7);
    }
}
