//! Regions and the account.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The account that owns every stream.
pub(crate) const ACCOUNT: &str = "000000000000";

/// An AWS region, such as `eu-west-1`. A stream exists in one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) struct Region(Arc<str>);

impl Region {
    /// The partition that the region's ARNs name.
    pub(crate) fn partition(&self) -> &'static str {
        match &*self.0 {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

impl From<&str> for Region {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for Region {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0.as_ref().into()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
