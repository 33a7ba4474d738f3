//! The settings of the account, one for each region.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::output::Time;
use super::region::Region;

/// A commitment lasts this long at least (UpdateAccountSettings in the Kinesis API reference).
const SHORTEST_MS: u64 = 24 * 3_600_000;

/// What is written down about the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountInfo {
    commitments: BTreeMap<Region, Commitment>,
}

/// A minimum throughput billing commitment; without a start there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Commitment {
    started_ms: Option<u64>,
    /// When it ended, or will.
    ended_ms: Option<u64>,
}

/// A commitment as answers show it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CommitmentOutput {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest_allowed_end_at: Option<Time>,
}

impl AccountInfo {
    pub(crate) fn commitment(&self, region: &Region) -> Commitment {
        self.commitments.get(region).copied().unwrap_or_default()
    }

    pub(crate) fn commitment_mut(&mut self, region: &Region) -> &mut Commitment {
        self.commitments.entry(region.clone()).or_default()
    }
}

impl Commitment {
    pub(crate) fn is_enabled(&self, now_ms: u64) -> bool {
        self.started_ms.is_some() && self.ended_ms.is_none_or(|end| end > now_ms)
    }

    /// Starts a commitment, or takes back that it will end.
    pub(crate) fn enable(&mut self, now_ms: u64) {
        if !self.is_enabled(now_ms) {
            self.started_ms = Some(now_ms);
        }
        self.ended_ms = None;
    }

    /// Ends a commitment, or lets it end as early as is allowed.
    pub(crate) fn disable(&mut self, now_ms: u64) {
        if let (true, None, Some(started_ms)) = (self.is_enabled(now_ms), self.ended_ms, self.started_ms) {
            self.ended_ms = Some(now_ms.max(started_ms + SHORTEST_MS));
        }
    }

    pub(crate) fn output(&self, now_ms: u64) -> CommitmentOutput {
        let enabled = self.is_enabled(now_ms);
        CommitmentOutput {
            status: match (enabled, self.ended_ms) {
                (false, _) => "DISABLED",
                (true, None) => "ENABLED",
                (true, Some(_)) => "ENABLED_UNTIL_EARLIEST_ALLOWED_END",
            },
            started_at: self.started_ms.map(Time),
            ended_at: self.ended_ms.filter(|_| !enabled).map(Time),
            earliest_allowed_end_at: self.started_ms.filter(|_| enabled).map(|start| Time(start + SHORTEST_MS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_lasts_a_day_at_least() {
        let mut commitment = Commitment::default();
        let status = |commitment: &Commitment, now_ms| commitment.output(now_ms).status;
        commitment.disable(500);
        assert_eq!(
            commitment.output(500),
            CommitmentOutput { status: "DISABLED", started_at: None, ended_at: None, earliest_allowed_end_at: None }
        );
        commitment.enable(1000);
        assert_eq!(status(&commitment, 2000), "ENABLED");
        commitment.disable(2000);
        assert_eq!(status(&commitment, 2000), "ENABLED_UNTIL_EARLIEST_ALLOWED_END");
        commitment.enable(3000);
        assert_eq!(status(&commitment, 3000 + SHORTEST_MS), "ENABLED");
        assert_eq!(commitment.output(3000).started_at, Some(Time(1000)));
        commitment.disable(3000);
        assert_eq!(status(&commitment, 999 + SHORTEST_MS), "ENABLED_UNTIL_EARLIEST_ALLOWED_END");
        assert_eq!(status(&commitment, 1000 + SHORTEST_MS), "DISABLED");
        commitment.enable(5000 + SHORTEST_MS);
        commitment.disable(6000 + 3 * SHORTEST_MS);
        assert_eq!(status(&commitment, 6000 + 3 * SHORTEST_MS), "DISABLED");
    }
}
