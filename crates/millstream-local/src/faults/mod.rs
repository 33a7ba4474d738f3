//! Faults on demand: what a test asks the service to do instead of, or before, answering.

mod chance;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::chance::Chance;

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
    /// The request is carried out, and its answer is cut off after so many bytes.
    Truncate {
        /// How many bytes of the body are sent.
        after: usize,
    },
    /// The request is carried out; if its answer is an event stream, the connection is closed after so many messages, of
    /// which the first is the initial response.
    StopEventStream {
        /// How many messages are sent.
        after: usize,
    },
}

impl FaultKind {
    /// AWS's answer to a request that is one too many.
    #[must_use]
    pub fn throttled() -> Self {
        Self::error("ProvisionedThroughputExceededException", 400, "Rate exceeded by an injected fault.")
    }

    /// AWS's answer to an iterator that is older than five minutes.
    #[must_use]
    pub fn expired_iterator() -> Self {
        Self::error("ExpiredIteratorException", 400, "Iterator expired by an injected fault.")
    }

    fn error(code: &str, status: u16, message: &str) -> Self {
        Self::Error { code: code.to_owned(), status, message: message.to_owned() }
    }
}

/// A fault and the requests it applies to.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The operation, such as `GetRecords` or `UpdateItem`; `None` is every operation.
    pub operation: Option<String>,
    /// The name of a Kinesis stream; `None` is every request.
    pub stream: Option<String>,
    /// The id of a shard, for requests that name one, themselves or by their iterator; `None` is every request.
    pub shard: Option<String>,
    /// What happens.
    pub kind: FaultKind,
    /// To how many requests it happens; `None` is all until [`Faults::clear`].
    pub times: Option<u32>,
    /// To which share of the requests it happens, from 0 to 1; which ones is decided by [`Faults::seed`].
    pub probability: f64,
}

impl Fault {
    /// A fault that happens to every request until it is removed.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { operation: None, stream: None, shard: None, kind, times: None, probability: 1.0 }
    }
}

/// A fault in force.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    /// What [`Faults::inject`] has given.
    pub id: u64,
    /// The fault, with the times that are left.
    pub fault: Fault,
    /// To how many requests it has happened.
    pub used: u64,
}

/// What a request is about, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) stream: Option<String>,
    pub(crate) shard: Option<String>,
}

/// The faults in force, in the order in which they were injected. The first that applies to a request is used.
#[derive(Debug, Default)]
pub struct Faults {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    injected: Vec<InForce>,
    last_id: u64,
    chance: Chance,
}

impl Faults {
    /// Adds a fault; gives the number by which it can be removed.
    pub fn inject(&self, fault: Fault) -> u64 {
        let mut state = self.lock();
        state.last_id += 1;
        let id = state.last_id;
        state.injected.push(InForce { id, fault, used: 0 });
        id
    }

    /// Removes a fault. `false` if it is not in force, because it has been removed or has happened as often as it should.
    pub fn remove(&self, id: u64) -> bool {
        let mut state = self.lock();
        let before = state.injected.len();
        state.injected.retain(|injected| injected.id != id);
        state.injected.len() < before
    }

    /// Removes every fault.
    pub fn clear(&self) {
        self.lock().injected.clear();
    }

    /// Begins the random numbers behind [`Fault::probability`] anew: the same seed and the same requests, one after the
    /// other, give the same faults. The first seed is 0.
    pub fn seed(&self, seed: u64) {
        self.lock().chance = Chance::new(seed);
    }

    /// The faults in force.
    #[must_use]
    pub fn list(&self) -> Vec<InForce> {
        self.lock().injected.clone()
    }

    /// The fault to apply to a request, counted as used. `target` is asked only if a fault names a stream or a shard.
    pub(crate) fn take(&self, operation: &str, target: impl FnOnce() -> Target) -> Option<FaultKind> {
        let mut guard = self.lock();
        let State { injected, chance, .. } = &mut *guard;
        if injected.is_empty() {
            return None;
        }
        let names_target = |fault: &Fault| fault.stream.is_some() || fault.shard.is_some();
        let target = injected.iter().any(|injected| names_target(&injected.fault)).then(target).unwrap_or_default();
        let at = injected.iter().position(|InForce { fault, .. }| {
            fault.operation.as_deref().is_none_or(|name| name == operation)
                && (fault.stream.is_none() || fault.stream == target.stream)
                && (fault.shard.is_none() || fault.shard == target.shard)
                && fault.times != Some(0)
                && (fault.probability >= 1.0 || chance.below_one() < fault.probability)
        })?;
        let InForce { fault, used, .. } = &mut injected[at];
        *used += 1;
        let kind = fault.kind.clone();
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                injected.remove(at);
            }
        }
        Some(kind)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(operation: Option<&str>, stream: Option<&str>, millis: u64, times: Option<u32>) -> Fault {
        Fault {
            operation: operation.map(str::to_owned),
            stream: stream.map(str::to_owned),
            times,
            ..Fault::new(FaultKind::Latency(Duration::from_millis(millis)))
        }
    }

    fn target(stream: &str, shard: &str) -> Target {
        Target { stream: Some(stream.to_owned()), shard: Some(shard.to_owned()) }
    }

    #[test]
    fn the_first_matching_fault_is_used_up_before_the_next() {
        let faults = Faults::default();
        faults.inject(latency(Some("GetRecords"), None, 1, Some(2)));
        let orders = faults.inject(latency(None, Some("orders"), 2, None));
        let take = |operation: &str, stream: &str| match faults.take(operation, || target(stream, "0")) {
            Some(FaultKind::Latency(delay)) => delay.as_millis(),
            _ => 0,
        };
        assert_eq!(take("PutRecord", "clicks"), 0);
        assert_eq!(take("PutRecord", "orders"), 2);
        assert_eq!([take("GetRecords", "orders"), take("GetRecords", "clicks")], [1, 1]);
        assert_eq!([take("GetRecords", "orders"), take("GetRecords", "clicks")], [2, 0]);
        assert_eq!(faults.list().iter().map(|fault| (fault.id, fault.used)).collect::<Vec<_>>(), [(orders, 2)]);
        assert!(faults.remove(orders));
        assert!(!faults.remove(orders));
        assert_eq!(take("PutRecord", "orders"), 0);
    }

    #[test]
    fn a_fault_of_a_shard_leaves_the_others_alone() {
        let faults = Faults::default();
        faults.inject(Fault { shard: Some("shardId-1".to_owned()), ..Fault::new(FaultKind::DropConnection) });
        assert_eq!(faults.take("GetRecords", || target("orders", "shardId-0")), None);
        assert_eq!(faults.take("ListStreams", Target::default), None);
        assert_eq!(faults.take("GetRecords", || target("orders", "shardId-1")), Some(FaultKind::DropConnection));
    }

    #[test]
    fn a_seed_decides_which_requests_a_fault_of_chance_happens_to() {
        let hits = |seed: u64| {
            let faults = Faults::default();
            faults.seed(seed);
            faults.inject(Fault { probability: 0.25, times: Some(1000), ..Fault::new(FaultKind::throttled()) });
            (0..1000).filter(|_| faults.take("PutRecord", Target::default).is_some()).count()
        };
        assert_eq!(hits(7), hits(7));
        assert!((200..300).contains(&hits(7)), "{}", hits(7));
        let faults = Faults::default();
        faults.inject(Fault { probability: 0.0, ..Fault::new(FaultKind::throttled()) });
        assert_eq!(faults.take("PutRecord", Target::default), None);
    }
}
