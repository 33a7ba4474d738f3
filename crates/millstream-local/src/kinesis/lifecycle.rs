//! The states of streams and consumers, and how long each lasts.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::stream::StreamInfo;
use crate::clock::Clock;

/// A clock, and how long a stream stays CREATING, UPDATING or DELETING.
///
/// A state is worked out from the time when it began: nothing has to happen at its end, and it survives a restart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifecycle {
    clock: Clock,
    delay_ms: u64,
}

/// The state of a stream or of a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Status {
    Creating,
    Deleting,
    Active,
    Updating,
}

impl Lifecycle {
    pub(crate) fn new(clock: Clock, delay: Duration) -> Self {
        Self { clock, delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX) }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether changes take effect at once.
    pub(crate) fn is_immediate(&self) -> bool {
        self.delay_ms == 0
    }

    /// When a state that began at a time ends.
    pub(crate) fn end_ms(&self, began_ms: u64) -> u64 {
        began_ms.saturating_add(self.delay_ms)
    }

    /// Whether a state that began at a time has ended.
    pub(crate) fn is_over(&self, began_ms: u64) -> bool {
        self.is_immediate() || self.now_ms() >= self.end_ms(began_ms)
    }

    pub(crate) fn status(&self, stream: &StreamInfo) -> Status {
        if stream.deleting_ms.is_some() {
            Status::Deleting
        } else if !self.is_over(stream.created_ms) {
            Status::Creating
        } else if !stream.resharding.is_empty() || !self.is_over(stream.updated_ms) {
            Status::Updating
        } else {
            Status::Active
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Creating => "CREATING",
            Self::Deleting => "DELETING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
        })
    }
}
