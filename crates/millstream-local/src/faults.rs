//! Faults on demand: what a test asks the service to do instead of, or before, answering.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What happens to a request that a fault applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The request is answered with this error and not carried out.
    Error {
        /// The AWS error code, such as `ProvisionedThroughputExceededException`.
        code: String,
        /// The HTTP status.
        status: u16,
        /// The message.
        message: String,
    },
    /// The request is carried out after this delay.
    Latency(Duration),
    /// The connection is closed without an answer and the request is not carried out.
    DropConnection,
    /// The request is carried out; if its answer is an event stream, the connection is closed after so many messages, of
    /// which the first is the initial response.
    StopEventStream {
        /// How many messages are sent.
        after: usize,
    },
}

/// A fault and the requests it applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The operation, such as `GetRecords` or `UpdateItem`; `None` is every operation.
    pub operation: Option<String>,
    /// The name of a Kinesis stream; `None` is every request.
    pub stream: Option<String>,
    /// What happens.
    pub kind: FaultKind,
    /// To how many requests it happens; `None` is all until [`Faults::clear`].
    pub times: Option<u32>,
}

/// The faults in force, in the order in which they were injected. The first that applies to a request is used.
#[derive(Debug, Default)]
pub struct Faults {
    injected: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Removes every fault.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The fault to apply to a request, counted as used. `stream` is asked only if a fault names a stream.
    pub(crate) fn take(&self, operation: &str, stream: impl FnOnce() -> Option<String>) -> Option<FaultKind> {
        let mut injected = self.lock();
        if injected.is_empty() {
            return None;
        }
        let stream = injected.iter().any(|fault| fault.stream.is_some()).then(stream).flatten();
        let at = injected.iter().position(|fault| {
            fault.operation.as_deref().is_none_or(|name| name == operation)
                && (fault.stream.is_none() || fault.stream == stream)
                && fault.times != Some(0)
        })?;
        let fault = &mut injected[at];
        let kind = fault.kind.clone();
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                injected.remove(at);
            }
        }
        Some(kind)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(operation: Option<&str>, stream: Option<&str>, millis: u64, times: Option<u32>) -> Fault {
        Fault {
            operation: operation.map(str::to_owned),
            stream: stream.map(str::to_owned),
            kind: FaultKind::Latency(Duration::from_millis(millis)),
            times,
        }
    }

    #[test]
    fn the_first_matching_fault_is_used_up_before_the_next() {
        let faults = Faults::default();
        faults.inject(fault(Some("GetRecords"), None, 1, Some(2)));
        faults.inject(fault(None, Some("orders"), 2, None));
        let take = |operation: &str, stream: &str| match faults.take(operation, || Some(stream.to_owned())) {
            Some(FaultKind::Latency(delay)) => delay.as_millis(),
            _ => 0,
        };
        assert_eq!(take("PutRecord", "clicks"), 0);
        assert_eq!(take("PutRecord", "orders"), 2);
        assert_eq!([take("GetRecords", "orders"), take("GetRecords", "clicks")], [1, 1]);
        assert_eq!([take("GetRecords", "orders"), take("GetRecords", "clicks")], [2, 0]);
        faults.clear();
        assert_eq!(take("PutRecord", "orders"), 0);
    }
}
